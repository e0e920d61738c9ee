"""The send journal: one synced line before and after each call, read again after any crash (facts/engine.md 2.6)."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tracker import journal
from tracker.journal import Journal
from tracker.log import register_secret
from tracker.model import Channel, JournalEnd, OutboxState

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
KEY = "order/shop/8001:stage1:0"
SENT = JournalEnd(attempt=1, state=OutboxState.SENT, provider_id="queue-1")


def in_doubt(path: Path) -> dict[str, int]:
    """Attempts of which nobody knows the end."""
    return {each.key: each.attempt for each in journal.attempts(journal.read(path)).values() if each.end is None}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "send-journal.jsonl"


def test_a_call_leaves_two_lines(path: Path) -> None:
    with Journal(path) as book:
        book.begin(KEY, attempt=1, channel=Channel.SMTP, now=NOW)
        assert in_doubt(path) == {KEY: 1}
        assert book.ends() == {}
        book.end(KEY, SENT, channel=Channel.SMTP, now=NOW + timedelta(seconds=2))
        assert in_doubt(path) == {}
        assert book.ends() == {KEY: SENT}
    begin, end = journal.read(path)
    assert (begin.mark, begin.at, begin.channel) == ("begin", NOW, Channel.SMTP)
    assert (end.mark, end.state, end.provider_id) == ("end", OutboxState.SENT, "queue-1")


def test_each_line_is_on_the_disk_before_the_next_step(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 1: synced before the call, synced after it."""
    synced: list[int] = []
    real = os.fsync

    def counted(handle: int) -> None:
        if stat.S_ISREG(os.fstat(handle).st_mode):
            synced.append(len(list(journal.read(path))))
        real(handle)

    monkeypatch.setattr(os, "fsync", counted)
    with Journal(path) as book:
        book.begin(KEY, attempt=1, channel=Channel.SMTP, now=NOW)
        book.end(KEY, SENT, channel=Channel.SMTP, now=NOW)
    assert synced == [1, 2]


def test_a_second_attempt_puts_the_first_ones_end_out_of_force(path: Path) -> None:
    """A refusal that allowed a retry says nothing about the attempt that is under way."""
    with Journal(path) as book:
        book.begin(KEY, attempt=1, channel=Channel.SMTP, now=NOW)
        book.end(KEY, JournalEnd(attempt=1, state=OutboxState.PENDING, result="451"), channel=Channel.SMTP, now=NOW)
        book.begin(KEY, attempt=2, channel=Channel.SMTP, now=NOW)
        assert book.ends() == {}
    assert in_doubt(path) == {KEY: 2}


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_torn_last_line_is_left_out_and_the_next_one_is_whole(path: Path, cut: int) -> None:
    """Fault 36: with the last journal line torn in half, its call is in doubt, and writing goes on."""
    with Journal(path) as book:
        book.begin(KEY, attempt=1, channel=Channel.SMTP, now=NOW)
        book.end(KEY, SENT, channel=Channel.SMTP, now=NOW)
    path.write_bytes(path.read_bytes()[:-cut])
    assert in_doubt(path) == ({KEY: 1} if cut > 1 else {})
    with Journal(path) as book:
        book.begin("order/shop/8002:stage1:0", attempt=1, channel=Channel.MAILDIR, now=NOW)
    assert [entry.key for entry in journal.read(path)][-1] == "order/shop/8002:stage1:0"
    assert path.read_bytes().endswith(b"\n")


def test_a_line_that_a_full_disk_cut_off_does_not_swallow_the_next_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 4 and 36: the disk has room again, and the next call's line stands on its own."""
    write = os.write
    with Journal(path) as book:
        monkeypatch.setattr(os, "write", lambda file, line: write(file, line[:20]))
        with pytest.raises(OSError, match="only 20 of"):
            book.begin(KEY, attempt=1, channel=Channel.SMTP, now=NOW)
        monkeypatch.undo()
        book.begin("order/shop/8002:stage1:0", attempt=1, channel=Channel.SMTP, now=NOW)
    assert [entry.key for entry in journal.read(path)] == ["order/shop/8002:stage1:0"]


def test_a_torn_character_and_a_strange_line_stop_nobody(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b'{"key": "\xe4\n[]\n\n{"at": 5}\n')
    with Journal(path) as book:
        book.begin(KEY, attempt=1, channel=Channel.TASK, now=NOW)
    assert [entry.key for entry in journal.read(path)] == [KEY]


def test_a_journal_that_cannot_be_written_says_so_before_any_call(tmp_path: Path) -> None:
    """Fault 4: no journal line, no send."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        Journal(tmp_path / "file" / "journal.jsonl")
    with Journal(tmp_path / "journal.jsonl") as book:
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, book._file)
        os.close(full)
        with pytest.raises(OSError, match="No space left"):
            book.begin(KEY, attempt=1, channel=Channel.SMTP, now=NOW)


def test_it_is_only_ever_appended_to_and_holds_no_personal_data(path: Path) -> None:
    """Fault 27: keys, instants, states; nothing else has a place in a line."""
    with Journal(path) as book:
        book.begin(KEY, attempt=1, channel=Channel.SMTP, now=NOW)
    first = path.read_bytes()
    with Journal(path) as book:
        book.end(KEY, SENT, channel=Channel.SMTP, now=NOW)
    assert path.read_bytes().startswith(first)
    assert set(journal.Entry.__struct_fields__) == {"at", "key", "attempt", "channel", "mark", "state", "provider_id", "result"}
    assert list(journal.read(path.with_name("none"))) == []


def write(path: Path, *minutes: int) -> None:
    """One finished send at each of these minutes."""
    with Journal(path) as book:
        for minute in minutes:
            at = NOW + timedelta(minutes=minute)
            book.begin(f"order/shop/{minute}:stage1:0", attempt=1, channel=Channel.SMTP, now=at)
            book.end(f"order/shop/{minute}:stage1:0", SENT, channel=Channel.SMTP, now=at)


def keys(path: Path) -> list[str]:
    return [entry.key.split(":")[0].removeprefix("order/shop/") for entry in journal.read(path)]


def test_the_newest_attempt_counts_whichever_file_tells_of_it(path: Path) -> None:
    """Fault 36: the journals of all workers are read together, in any order."""
    first, second = path, path.with_name("other.jsonl")
    with Journal(first) as book:
        book.begin(KEY, attempt=1, channel=Channel.SMTP, now=NOW)
        book.end(KEY, JournalEnd(attempt=1, state=OutboxState.PENDING), channel=Channel.SMTP, now=NOW)
    with Journal(second) as book:
        book.begin(KEY, attempt=2, channel=Channel.SMTP, now=NOW)
    lines = [list(journal.read(each)) for each in (first, second)]
    for order in (lines, lines[::-1]):
        (found,) = journal.attempts([entry for file in order for entry in file]).values()
        assert (found.attempt, found.end) == (2, None)


def test_the_tail_is_the_newest_whole_lines(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon's start must not read years."""
    write(path, 1, 2, 3)
    assert len(journal.tail(path)) == 6
    monkeypatch.setattr(journal, "_TAIL_BYTES", 300)
    assert {entry.key for entry in journal.tail(path)} == {"order/shop/3:stage1:0"}
    with Journal(path) as book:
        assert [each.end for each in book.tail().values()] == [SENT]
    assert journal.tail(path.with_name("none")) == []


def test_a_line_is_known_again(path: Path) -> None:
    """A backup notes the newest line of its time; a torn one is none."""
    assert journal.newest_line(path) is None
    write(path, 1, 2)
    newest = journal.newest_line(path)
    assert newest is not None
    assert '"mark":"end"' in newest
    write(path, 3)
    path.write_bytes(path.read_bytes()[:-40])
    assert journal.holds(path, newest)
    assert '"mark":"begin"' in (journal.newest_line(path) or "")
    assert not journal.holds(path, newest.replace("order/shop/2", "order/shop/9"))
    assert not journal.holds(path.with_name("none"), newest)


@pytest.mark.parametrize(("before", "kept"), [(0, "112233"), (1, "112233"), (2, "12233"), (3, "233"), (4, "3")])
def test_pruning_keeps_the_last_line_before(path: Path, before: int, kept: str) -> None:
    """The newest line at the time of the oldest backup stays: by it a restore knows the journal for complete."""
    write(path, 1, 2, 3)
    with Journal(path) as book:
        freed = book.prune(NOW + timedelta(minutes=before))
        book.begin("order/shop/4:stage1:0", attempt=1, channel=Channel.SMTP, now=NOW)
    assert "".join(keys(path)) == kept + "4"
    assert (freed > 0) is (len(kept) < 6)
    assert list(path.parent.iterdir()) == [path]
    assert journal.prune(path.with_name("none"), NOW) == 0


def test_a_prune_that_fails_late_loses_no_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 36: lines that went into a file without a name would be unknown to a restore."""
    with Journal(path) as book:
        for day in range(3):
            book.begin(f"order/shop/{day}:stage1:0", attempt=1, channel=Channel.SMTP, now=NOW + timedelta(days=day))

        def broken(_: Path) -> None:
            raise OSError("input/output error")

        monkeypatch.setattr(journal, "_sync_folder", broken)
        with pytest.raises(OSError, match="input/output"):
            book.prune(NOW + timedelta(days=2))
        book.begin(KEY, attempt=1, channel=Channel.SMTP, now=NOW + timedelta(days=3))
    assert in_doubt(path)[KEY] == 1


def test_what_a_provider_repeats_names_nobody(path: Path) -> None:
    """Faults rows 26 and 27: the journal outlives every retention, so that no buyer's address and no secret may stand in it."""
    register_secret("very-secret-token")
    said = "550 <ana.exemplo@mail.example> unknown, token very-secret-token " + "x" * 5000
    with Journal(path) as lines:
        end = JournalEnd(attempt=1, state=OutboxState.FAILED, result=said)
        lines.end(KEY, end, channel=Channel.SMTP, now=NOW)
    kept = path.read_text()
    assert "ana.exemplo" not in kept
    assert "very-secret-token" not in kept
    assert "550" in kept
    assert len(kept) < 1500
