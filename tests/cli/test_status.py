"""`tracker status` never says that nothing needs a person while files, sources or parcels wait for one."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cli.shell import Shell
from tests.desk.world import NOW, World
from tracker.clock import FixedClock
from tracker.journal import Journal
from tracker.model import Channel
from tracker.store import Store, create, open_store
from tracker.store.rows import Breaker

SCANS = '[[source]]\nid = "scans"\nadapter = "sheet"\nbase_url = "drop:scans"\n'
NOTHING = "Nothing needs a person."


def _shop(shell: Shell, folder: Path, config: str) -> str:
    """A shop without any order; the shell uses its configuration from now on."""
    shell.config = folder / "tracker.toml"
    shell.config.write_text(config, encoding="utf-8")
    (folder / "stores").mkdir()
    shop = 'platform = "aliexpress"\nname = "Lume"\nzone = "UTC"\ncurrency = "USD"\nmode = "live"\n'
    (folder / "stores" / "lume.toml").write_text(shop, encoding="utf-8")
    url = f"sqlite:///{folder / 'tracker.db'}"
    create(url, rehearsal=True, now=NOW)
    return url


async def _opened(url: str) -> Store:
    return await open_store(url, clock=FixedClock(NOW), daemon=True)


def _now(state: Breaker, _before: Breaker) -> Breaker:
    return state


def _broken(url: str, **breakers: Breaker) -> None:
    async def run() -> None:
        store = await _opened(url)
        try:
            for account, breaker in breakers.items():
                await store.change_breaker(account, partial(_now, breaker))
        finally:
            await store.close()

    asyncio.run(run())


def _parcel(url: str) -> None:
    async def run() -> None:
        store = await _opened(url)
        try:
            await World(store).order("A-1", "RB123456785CN")
        finally:
            await store.close()

    asyncio.run(run())


def _wants(shell: Shell) -> list[dict[str, Any]]:
    """What needs a person, the same for eyes and for scripts, with the exit code that belongs to it."""
    told, text = shell("status", "--json"), shell("status")
    wants: list[dict[str, Any]] = told.document["needs_person"]
    assert told.code == text.code == (1 if wants else 0)
    assert (NOTHING in text.out) is not bool(wants)
    for want in wants:
        [line] = [line for line in text.out.splitlines() if want["what"] in line]
        assert line.split() == f"{want['what']} {want['count']} {want['see']}".split()
    return wants


def test_a_healthy_shop_needs_nobody(shell: Shell, tmp_path: Path) -> None:
    """A parcel is followed, its source has had one bad moment that heals by itself, and the inbox was never used."""
    url = _shop(shell, tmp_path, f'[inbox]\npath = "inbox"\n{SCANS}')
    _parcel(url)
    _broken(url, scans=Breaker(failures=1, kind="unavailable"), gone=Breaker(failures=9, since=NOW, kind="auth"))
    assert _wants(shell) == []


def test_a_failed_folder_that_cannot_be_looked_at_hides_nothing_else(shell: Shell, tmp_path: Path) -> None:
    """Unknown stays unknown: it is not said that nothing failed."""
    _shop(shell, tmp_path, f'[inbox]\npath = "inbox"\n{SCANS}')
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "failed").touch()
    assert [want["what"] for want in _wants(shell)] == ["folders that cannot be looked at"]


def test_the_next_deadlines_are_shown(shell: Shell, tmp_path: Path) -> None:
    """R7: the window that closes next, within two weeks."""
    url = _shop(shell, tmp_path, SCANS)

    async def run() -> None:
        store = await _opened(url)
        try:
            for number, parcel, days in (("A-1", "RB123456785CN", 13), ("A-2", "RB123456794CN", 15)):
                await World(store).order(number, parcel, window_end=NOW + timedelta(days=days))
        finally:
            await store.close()

    asyncio.run(run())
    told = shell("status", "--json", "--at", NOW.isoformat()).document["next_deadlines"]
    assert [(each["kind"], each["subject"]) for each in told] == [("window", "A-1")]
    assert "A-1" in shell("status", "--at", NOW.isoformat()).out


def test_files_that_failed_wait_for_a_person(shell: Shell, tmp_path: Path) -> None:
    """Faults row 31: what the inbox could not take is told until somebody mends it; a reason is no file of its own."""
    _shop(shell, tmp_path, f'[inbox]\npath = "inbox"\n{SCANS}')
    failed = tmp_path / "inbox" / "failed"
    failed.mkdir(parents=True)
    for name in ("a.csv", "a.csv.reason.txt", "a.csv.reason-2.txt", "b.xlsx.rejected.csv"):
        (failed / name).write_text("x", encoding="utf-8")
    assert _wants(shell) == [{"what": "files of the inbox that failed", "count": 2, "see": str(failed)}]
    for name in ("a.csv", "b.xlsx.rejected.csv"):
        (failed / name).unlink()
    assert _wants(shell) == []


@pytest.mark.parametrize(
    ("breaker", "what", "see"),
    [
        (Breaker(failures=1, kind="auth"), "sources that refuse their key", "tracker.toml"),
        (Breaker(failures=3, since=NOW, open_until=NOW, kind="auth"), "sources that refuse their key", "tracker.toml"),
        (Breaker(failures=1, kind="quota_exhausted"), "sources whose quota is used up", "daily_quota"),
        (
            Breaker(failures=3, since=NOW, open_until=NOW + timedelta(hours=1), kind="unavailable"),
            "sources that are down",
            "source.down in the log",
        ),
    ],
)
def test_a_source_that_does_not_answer_waits_for_a_person(
    breaker: Breaker, what: str, see: str, shell: Shell, tmp_path: Path
) -> None:
    """Faults row 6: nothing ages meanwhile, so nobody would notice by the parcels."""
    url = _shop(shell, tmp_path, SCANS + SCANS.replace("scans", "more"))
    _broken(url, scans=breaker, more=breaker)
    [want] = _wants(shell)
    assert (want["what"], want["count"]) == (what, 2)
    assert want["see"].startswith("more, scans: ")
    assert see in want["see"]
    _broken(url, scans=Breaker(), more=Breaker())
    assert _wants(shell) == []


def test_parcels_that_nobody_can_be_asked_about_wait_for_a_source(shell: Shell, tmp_path: Path) -> None:
    """A forgotten [[source]] is silent: every parcel stays as the file told it."""
    url = _shop(shell, tmp_path, "")
    assert _wants(shell) == []
    _parcel(url)
    assert _wants(shell) == [
        {"what": "parcels followed without any source", "count": 1, "see": f"[[source]] in {tmp_path / 'tracker.toml'}"}
    ]


def test_whether_the_daemon_runs_is_told_by_its_lock(shell: Shell, tmp_path: Path) -> None:
    """What was started once and has ended since does not run."""
    url = _shop(shell, tmp_path, SCANS)
    _broken(url)
    ended = shell("status", "--at", NOW.isoformat(), "--json").document["daemon"]
    assert ended["running"] is False
    assert ended["since"] is not None
    store = asyncio.run(_opened(url))
    try:
        assert shell("status", "--at", NOW.isoformat(), "--json").document["daemon"]["running"] is True
    finally:
        asyncio.run(store.close())


def test_a_daemon_that_does_not_run_wants_a_person_only_when_work_waits(shell: Shell, tmp_path: Path) -> None:
    """Faults row 1: a real database on which nobody works, and parcels that should have been asked about an hour ago."""
    _shop(shell, tmp_path, SCANS)
    (tmp_path / "tracker.db").unlink()
    url = f"sqlite:///{tmp_path / 'tracker.db'}"
    create(url, rehearsal=False, now=NOW)
    assert "the daemon does not run" not in shell("status").out
    _parcel(url)
    want = {"what": "the daemon does not run", "count": 1, "see": "systemctl start tracker; tracker doctor"}
    assert want in _wants(shell)
    store = asyncio.run(_opened(url))
    try:
        assert want not in _wants(shell)
    finally:
        asyncio.run(store.close())


def test_no_new_database_is_made_beside_a_journal_that_knows_sends(shell: Shell, tmp_path: Path) -> None:
    """Faults row 36: the database was removed, the send journal was left; one that got there anyhow is not called well."""
    url = _shop(shell, tmp_path, SCANS)
    (tmp_path / "tracker.db").unlink()
    with Journal(tmp_path / "send-journal.jsonl") as book:
        book.begin("order/lume/A-1:stage1:0", attempt=1, channel=Channel.SMTP, now=NOW)
    refused = shell("init")
    assert refused.code == 2
    assert "knows 1 sends" in refused.err
    assert "tracker db restore FILE; to begin anew move the journal away" in refused.err
    assert not (tmp_path / "tracker.db").exists()
    create(url, rehearsal=True, now=NOW)
    see = "tracker db check; tracker db restore FILE"
    assert _wants(shell) == [{"what": "the send journal is ahead: nothing goes out", "count": 1, "see": see}]
    (tmp_path / "tracker.db").unlink()
    (tmp_path / "send-journal.jsonl").rename(tmp_path / "old.jsonl")
    assert shell("init").code == 0
    assert _wants(shell) == []


def test_order_files_that_stay_away_are_shown_and_want_a_person(shell: Shell, tmp_path: Path) -> None:
    """D20: expected every 24 h, late at 36 h."""
    url = _shop(shell, tmp_path, SCANS)
    with (tmp_path / "stores" / "lume.toml").open("a", encoding="utf-8") as shop:
        shop.write("files_every_h = 24\n")
    _parcel(url)
    said = shell("status", "--at", (NOW + timedelta(days=400)).isoformat())
    assert "stores whose order files are late" in said.out
    assert "lume" in said.out
    assert said.code == 1


@pytest.mark.parametrize("words", [("--watch", "--json"), ("--watch", "--at", "2026-03-01"), ("--watch", "--every", "0")])
def test_watching_is_for_eyes_and_for_now(words: tuple[str, ...], shell: Shell, tmp_path: Path) -> None:
    _shop(shell, tmp_path, SCANS)
    assert shell("status", *words).code == 2


def test_pushes_are_told_where_some_came(shell: Shell, tmp_path: Path) -> None:
    """R6: an operator sees that sources call, and that what they said was heard."""
    url = _shop(shell, tmp_path, SCANS)
    assert "pushes" not in shell("status").out

    async def push() -> None:
        store = await _opened(url)
        try:
            for name in ("one", "two"):
                await store.keep_push(name, name.encode(), [("A1", b"{}")], NOW)
        finally:
            await store.close()

    asyncio.run(push())
    (line,) = [line for line in shell("status", "--at", "2026-03-01T13:00Z").out.splitlines() if "pushes" in line]
    assert " ".join(line.split()) == "pushes one 1, two 1 in 24 hours; 2 wait to be heard"
    assert shell("status", "--json", "--at", "2026-03-01T13:00Z").document["pushes"] == {
        "waiting": 2,
        "last_day": {"one": 1, "two": 1},
    }
