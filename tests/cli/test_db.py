"""`tracker db` as an administrator meets it: what it says, what it refuses, its exit codes (operator-experience.md section 6)."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Shop
from tests.cli.shell import Shell
from tests.desk.world import NOW
from tests.ports import free_port
from tracker.clock import FixedClock
from tracker.journal import Journal
from tracker.model import Channel
from tracker.store import Store, open_store

BY = ("--by", "Mei", "--reason", "the server moved")


@pytest.fixture
def journal(shop: Shop) -> Path:
    """The shop's send journal, as a daemon leaves it."""
    path = shop.folder / "send-journal.jsonl"
    with Journal(path):
        pass
    return path


def _opened(shop: Shop, *, daemon: bool = False) -> Store:
    return asyncio.run(open_store(f"sqlite:///{shop.folder / 'tracker.db'}", clock=FixedClock(NOW), daemon=daemon))


def test_back_up_and_put_back(shop: Shop, journal: Path, shell: Shell) -> None:
    """The whole way, in the words that stand on the page."""
    made = shell("db", "backup")
    assert made.code == 0
    (file,) = (shop.folder / "backups").iterdir()
    assert str(file) in made.out
    assert f"tracker db restore {file}" in made.out
    with Journal(journal) as book:
        book.begin("order/lume/A-1:stage1:0", attempt=1, channel=Channel.SMTP, now=NOW)
    told = shell("db", "check")
    assert told.code == 1
    assert "put back by hand" in told.out
    assert shell("run", "--once", "--at", "2026-03-02").code == 0
    assert "nothing goes out" in shell("status").out
    dry = shell("db", "restore", file, "--dry-run")
    assert (dry.code, "would be the database" in dry.out) == (0, True)
    done = shell("db", "restore", file)
    assert done.code == 0
    assert "unknown: order/lume/A-1:stage1:0" in done.out
    assert "tasks are open as they were then" in done.out
    assert shell("db", "check").code == 0
    assert shell("outbox", "list", "--state", "unknown", "--json").document["outbox"]


def test_a_restore_over_a_running_daemon_is_refused(shop: Shop, journal: Path, shell: Shell) -> None:
    """In particular: nothing half done, and the command that helps."""
    assert shell("db", "backup", shop.folder / "copy.db").code == 0
    store = _opened(shop, daemon=True)
    try:
        said = shell("db", "restore", shop.folder / "copy.db")
    finally:
        asyncio.run(store.close())
    assert said.code == 1
    assert "systemctl stop tracker" in said.err


def test_a_damaged_backup_is_refused(shop: Shop, journal: Path, shell: Shell) -> None:
    (shop.folder / "copy.db").write_text("a letter")
    said = shell("db", "restore", shop.folder / "copy.db", "--json")
    assert (said.code, said.document["error"]["kind"]) == (1, "backup_refused")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("restore", "copy.db", "--without-journal"), "--by NAME"),
        (("restore", "copy.db", "--without-journal", "--by", "Mei"), "--reason"),
        (("restore",), "requires"),
        (("retire", "--reason", "moved"), "--by NAME"),
        (("retire", "--by", "Mei"), "--reason"),
        (("retire", "--by", "root", "--reason", "moved"), "root"),
    ],
)
def test_whoever_decides_is_named(
    shop: Shop, shell: Shell, words: tuple[str, ...], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A word that takes safety away has a name and a reason: exit 2 without."""
    monkeypatch.delenv("TRACKER_BY", raising=False)
    said = shell("db", *words)
    assert said.code == 2
    assert says in said.err


def test_a_restore_happens_now(shop: Shop, journal: Path, shell: Shell) -> None:
    assert shell("db", "restore", "copy.db", "--at", "2026-03-02").code == 2


def test_a_retired_database_is_read_only(shop: Shop, shell: Shell) -> None:
    """Exit 2 for every command that writes, with who, why and where; reading goes on; taking it back is said aloud."""
    assert shell("db", "retire", *BY, "--to", "the new server").code == 0
    refused = shell("order", "set", shop.order, "--vip", "--by", "Mei", "--at", "2026-03-02")
    assert refused.code == 2
    assert "by Mei: the server moved. Its work goes on at the new server" in refused.err
    assert shell("run", "--once", "--at", "2026-03-02").code == 2
    assert shell("explain", shop.order).code == 0
    told = shell("db", "check")
    assert (told.code, "Retired" in told.out) == (1, True)
    assert "nothing works on it" in shell("status").out
    back = shell("db", "retire", "--undo", *BY)
    assert (back.code, "30 days" in back.out) == (0, True)
    assert shell("order", "set", shop.order, "--vip", "--by", "Mei", "--at", "2026-03-02").code == 0


def test_purge_counts_before_it_forgets(shop: Shop, shell: Shell) -> None:
    """Everything of this shop is open or young: nothing goes."""
    assert shell.json("db", "purge", "--at", "2026-03-02") == {
        "schema_version": 1,
        "orders": 0,
        "parcels": 0,
        "answers": 0,
        "files": 0,
        "journal_bytes": 0,
        "dry_run": False,
    }


def test_an_upgrade_makes_a_backup_first(shop: Shop, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the upgrade does, the way back is there."""
    from tracker.store import schema

    monkeypatch.setattr(schema, "REVISIONS", (*schema.REVISIONS, "9999"))
    monkeypatch.setattr(schema, "migrate", lambda *_: None)
    said = shell.json("db", "upgrade")
    assert (said["to"], "-before-upgrade.db" in said["backup"]) == ("9999", True)
    assert Path(said["backup"]).is_file()


@pytest.mark.parametrize(
    ("to", "says"),
    [
        ("postgresql://db.example/tracker", "--to names no user"),
        ("postgresql://tracker@db.example", "--to names no database"),
        ("postgresql://tracker@db.example/", "--to names no database"),
        ("postgresql://db.example", "--to names no user and no database"),
        ("sqlite://", "--to names no file"),
        ("db.example/tracker", "--to is no address of a database"),
        ("mysql://tracker@db.example/tracker", "--to is no address of a database"),
    ],
)
def test_an_address_is_whole_or_it_is_said_how_one_looks(shop: Shop, shell: Shell, to: str, says: str) -> None:
    """Operator experience section 5: no server is asked with a guessed user or database; exit code 2."""
    said = shell("db", "copy", "--to", to)
    assert (said.code, says in said.err) == (2, True), said
    assert "postgresql://USER@HOST/DATABASE" in said.err
    assert (shop.folder / "tracker.db").is_file()


def test_a_password_on_the_command_line_is_warned_of(shop: Shop, shell: Shell) -> None:
    """Fault 26: it is in the history of the shell by now; where it belongs is said, and it is not said again."""
    said = shell("db", "copy", "--to", f"postgresql://tracker:battery-staple@127.0.0.1:{free_port()}/tracker")
    assert (said.code, (shop.folder / "tracker.db").is_file()) == (1, True), "nobody answers there, and nothing was moved"
    assert "stays in the shell's history" in said.err
    assert 'password = "env:NAME"' in said.err
    assert "staple" not in said.out + said.err


BROKEN = {
    "a shop": ("stores/odd.toml", 'platform = "nowhere"\n'),
    "the rules": ("destinations.toml", "[[profile]\n"),
    "a text": ("messages/en/stage1.txt", "{{ nobody_knows_this }}"),
    "another table": ("tracker.toml", "[engine]\ndrain_s = -1\n"),
    "a source twice": ("tracker.toml", '[[source]]\nid = "a"\n[[source]]\nid = "a"\n'),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_backup_is_possible_with_a_broken_configuration(shop: Shop, shell: Shell, what: str, tmp_path: Path) -> None:
    """Fault 20: at three in the morning the copy comes first; what is broken is said, and stops everything else."""
    name, text = BROKEN[what]
    file = shop.folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text((file.read_text() if file.exists() else "") + "\n" + text)
    assert shell("status").code == 2
    for words in (("backup", "copy.db"), ("check",), ("copy", "--to", f"sqlite:///{tmp_path}/moved.db"), ("upgrade",)):
        said = shell("db", *words, "--json")
        assert (said.code, "error" in said.document) == (0, False), said
        assert "the configuration is broken" in said.err
        assert name.rpartition("/")[2] in said.err
    assert (tmp_path / "moved.db").is_file()


@pytest.mark.parametrize(
    "text",
    [
        '[databas]\nurl = "sqlite:///other.db"\n',
        "[backup]\nkeep = 0\n",
        "[state]\ndir = 7\n",
        "[database\n",
        '[database]\nurl = "env"\npassword = "env:NO_SUCH_NAME"\n',
    ],
)
def test_no_database_is_guessed(shop: Shop, shell: Shell, text: str) -> None:
    """A table that is misspelt or wrong may name another database: nothing is copied, nothing called sound."""
    file = shop.folder / "tracker.toml"
    file.write_text(file.read_text() + "\n" + text)
    for words in (("backup", "copy.db"), ("check",)):
        said = shell("db", *words, "--json")
        assert (said.code, said.document["error"]["kind"]) == (2, "config")
    assert not (shop.folder / "copy.db").exists()


def test_a_file_that_came_from_a_fleet_has_no_workers(shop: Shop, shell: Shell) -> None:
    """Fault 36: a copy or a backup of a PostgreSQL knows who worked there; in a file nobody of them can be at work."""
    with sqlite3.connect(shop.folder / "tracker.db") as raw:
        raw.execute("INSERT INTO worker VALUES ('tokyo-1', 3, 'tokyo, process 9', '2026-03-01 00:00:00.000000', 0)")
    raw.close()
    assert shell("worker", "forget", "tokyo-1", "--by", "Mei", "--json").document["forgotten"] is True
    assert shell("worker", "forget", "tokyo-1", "--by", "Mei").code == 1
