"""`tracker doctor`: what an administrator is told at three in the morning, and what to do next."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests import house, postgres
from tests.carriers.loopback import http, serving
from tests.channels.conftest import Handler, Serve, serve
from tests.desk.world import World
from tracker import config
from tracker.clock import FixedClock
from tracker.config import Loaded
from tracker.doctor import Finding, Level, credentials, database, folders, hosts, machine
from tracker.journal import Journal
from tracker.model import Channel
from tracker.store import create, open_store
from tracker.store.retiring import Retirement, retire

__all__ = ["serve"]  # a fixture of the channels' room: a real mail server

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CLOCK = FixedClock(NOW)


def _loaded(folder: Path, text: str = "", **environ: str) -> Loaded:
    (folder / "tracker.toml").write_text(f'[inbox]\npath = "inbox"\n{text}', encoding="utf-8")
    return config.load(folder / "tracker.toml", environ=environ)


def _source(url: str, secrets: str = 'api_key = "env:KEY"') -> str:
    return f'[[source]]\nid = "track"\nadapter = "seventeen_track"\nbase_url = "{url}"\nsecrets = {{ {secrets} }}\n'


def _one(findings: Sequence[Finding], about: str) -> Finding:
    [found] = [each for each in findings if each.about.startswith(about)]
    return found


def test_zones_and_the_disk_are_looked_at(tmp_path: Path) -> None:
    found = machine(_loaded(tmp_path))
    assert _one(found, "time zones").level is Level.OK
    assert "MB free" in _one(found, "room in").says


def test_a_key_that_cannot_be_read_says_where_it_is_named(tmp_path: Path) -> None:
    """What the service alone sees is no mystery to whoever looks from outside (facts/systemd.md section 7)."""
    found = credentials(_loaded(tmp_path, _source("http://127.0.0.1:1", 'api_key = "credential:KEY"')))
    missing = _one(found, "credentials of track")
    assert missing.level is Level.WARN
    assert "api_key" in missing.says
    assert "[[source]] track" in missing.says
    assert "sudo env CREDENTIALS_DIRECTORY=/etc/tracker tracker doctor" in missing.next
    assert _one(credentials(_loaded(tmp_path, _source("http://127.0.0.1:1"), KEY="k")), "credentials of track").level is Level.OK


def test_a_password_that_is_named_nowhere_is_a_failure(tmp_path: Path) -> None:
    """Only what another sees is a warning."""
    server = '[smtp]\nhost = "127.0.0.1"\nuser = "care"\nfrom = "care@lume.example"\n'
    nowhere = credentials(_loaded(tmp_path, server))
    assert _one(nowhere, "credentials of the mail").level is Level.FAIL
    elsewhere = credentials(_loaded(tmp_path, server + 'password = "credential:smtp-password"\n'))
    assert _one(elsewhere, "credentials of the mail").level is Level.WARN


def test_no_source_at_all_is_said(tmp_path: Path) -> None:
    assert _one(credentials(_loaded(tmp_path)), "sources").level is Level.WARN


def test_folders_that_are_missing_or_full_of_failed_files(tmp_path: Path) -> None:
    loaded = _loaded(tmp_path)
    assert _one(folders(loaded), "inbox").level is Level.WARN
    (tmp_path / "inbox" / "failed").mkdir(parents=True)
    assert _one(folders(loaded), "inbox").level is Level.OK
    (tmp_path / "inbox" / "failed" / "orders.xls").write_bytes(b"?")
    assert [each.level for each in folders(loaded) if each.about == "inbox"] == [Level.OK, Level.WARN]


def test_a_folder_that_cannot_be_looked_at_is_a_line_of_its_own(tmp_path: Path) -> None:
    """Whoever has no rights there still reads all other lines. A file where failed/ belongs, a name longer than any may be."""
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "failed").touch()
    sheet = '[[source]]\nid = "scans"\nadapter = "sheet"\nbase_url = "drop:{}"\n'
    found = folders(_loaded(tmp_path, sheet.format("x" * 300)))
    assert [each.level for each in found if each.about == "inbox"] == [Level.OK, Level.FAIL]
    assert _one(found, "send journal").level is Level.OK
    assert _one(found, "scan sheets of scans").level is Level.FAIL


async def test_who_hears_alerts_is_called_without_its_secret(tmp_path: Path) -> None:
    """Its host answers; no message arrives there, and the path, which is the key, goes nowhere."""
    asked: list[tuple[str, str]] = []

    def answer(method: str, path: str, *_: object) -> bytes:
        asked.append((method, path))
        return http(404, b"{}")

    text = '[[target]]\nid = "{0}"\nkind = "webhook"\nurl = "env:{0}"\n'
    async with serving(answer) as url:
        both = text.format("DESK") + text.format("GONE")
        found = await hosts(_loaded(tmp_path, both, DESK=f"{url}/hook/k-4711", GONE="http://127.0.0.1:9/k-4711"), CLOCK)
    assert asked == [("GET", "/")]
    assert _one(found, "host of target DESK").level is Level.OK
    assert _one(found, "host of target GONE").level is Level.FAIL
    assert "4711" not in str(found)


async def test_the_database_from_missing_to_sound(tmp_path: Path) -> None:
    """Each step names the next command."""
    loaded = _loaded(tmp_path)
    [missing] = await database(loaded, CLOCK)
    assert missing.level is Level.FAIL
    assert "tracker init" in missing.says
    create(loaded.settings.database_url, rehearsal=False, now=NOW)
    found = await database(loaded, CLOCK)
    assert {each.about: each.level for each in found} == {
        "database": Level.OK,
        "clock": Level.OK,
        "daemon": Level.WARN,
        "backlog": Level.OK,
        "backup": Level.WARN,
    }
    with sqlite3.connect(tmp_path / "tracker.db") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '0001'")
    raw.close()
    [old] = await database(loaded, CLOCK)
    assert (old.level, old.next) == (Level.FAIL, "tracker db upgrade")


async def test_a_daemon_that_runs_is_seen_and_one_that_has_ended_is_not(tmp_path: Path) -> None:
    loaded = _loaded(tmp_path)
    create(loaded.settings.database_url, rehearsal=False, now=NOW)
    store = await open_store(loaded.settings.database_url, clock=CLOCK, daemon=True)
    assert _one(await database(loaded, CLOCK), "daemon").level is Level.OK
    await store.close()
    assert _one(await database(loaded, CLOCK), "daemon").level is Level.WARN


@pytest.mark.postgres
async def test_a_worker_that_is_away_is_missed_for_a_week(tmp_path: Path, postgres_server: postgres.Server) -> None:
    """Fault 21: whoever started two and sees one at work is told which one is missing, and where it ran."""
    url = postgres_server.database()
    create(url, rehearsal=False, now=NOW)
    loaded = _loaded(tmp_path, f'[database]\nurl = "{url}"\n')
    names = ("one", "two", "three")
    one, two, three = [await open_store(url, clock=CLOCK, daemon=True, owner="process 7", worker=name) for name in names]
    for each in (one, two):
        await each.sign_of_life(NOW)
    await three.sign_off(NOW)
    for each in (one, three):
        await each.close()
    try:
        found = {each.about: each for each in await database(loaded, FixedClock(NOW + timedelta(hours=1)))}
        later = await database(loaded, FixedClock(NOW + timedelta(days=8)))
    finally:
        await two.close()
        postgres_server.drop(url)
    assert found["daemon"].says == "1 workers: two"
    assert found["worker one"].level is Level.WARN
    assert "tracker@one" in found["worker one"].next
    assert "tracker worker forget one" in found["worker one"].next
    assert "worker three" not in found, "it was stopped, and said so"
    assert not [finding for finding in later if finding.about.startswith("worker")]


async def test_a_clock_behind_the_database_is_a_failure(tmp_path: Path) -> None:
    """Faults row 13: deadlines would be missed by as much."""
    loaded = _loaded(tmp_path)
    create(loaded.settings.database_url, rehearsal=False, now=NOW)
    later = await open_store(loaded.settings.database_url, clock=FixedClock(NOW + timedelta(days=2)), daemon=True)
    await later.close()
    assert _one(await database(loaded, CLOCK), "clock").level is Level.FAIL


async def test_a_database_that_does_not_know_the_newest_sends_is_a_failure(tmp_path: Path) -> None:
    """Faults row 36: a new one stands where the old one was, and no daemon has looked at it yet."""
    loaded = _loaded(tmp_path)
    with Journal(loaded.settings.journal) as book:
        book.begin("order/lume/A-1:stage1:0", attempt=1, channel=Channel.SMTP, now=NOW)
    create(loaded.settings.database_url, rehearsal=False, now=NOW)
    found = _one(await database(loaded, CLOCK), "sends")
    assert (found.level, "order/lume/A-1:stage1:0" in found.says) == (Level.FAIL, True)
    assert "tracker db restore FILE" in found.next


async def test_open_orders_of_a_store_without_a_file_are_a_failure(tmp_path: Path) -> None:
    """Moved away or renamed: nothing is sent for its buyers, and nothing else would say so before something is due."""
    loaded = _loaded(tmp_path)
    async with house.database(tmp_path, CLOCK) as store:
        await house.bring_parcels(store, 2)
    loaded = replace(loaded, settings=replace(loaded.settings, database_url=f"sqlite:///{tmp_path / 'tracker.db'}"))
    found = _one(await database(loaded, CLOCK), "stores")
    assert (found.level, found.says) == (Level.FAIL, "2 orders are open of the store lamps, which no file describes")
    assert found.next == "put stores/lamps.toml back"


async def test_a_retired_database_is_said_and_no_daemon_is_asked_for(tmp_path: Path) -> None:
    """Faults row 36: two that work write twice to the same buyers."""
    loaded = _loaded(tmp_path)
    create(loaded.settings.database_url, rehearsal=False, now=NOW)
    mark = Retirement(at=NOW, by="Mei", reason="the server moved", to="the new server")
    retire(loaded.settings.database_url, mark)
    found = await database(loaded, CLOCK)
    retired = _one(found, "in service")
    assert (retired.level, retired.says) == (Level.FAIL, "retired since 2026-03-01 12:00 UTC by Mei: the server moved")
    assert "the new server" in retired.next
    assert "systemctl start" not in str(found)


async def test_a_daemon_that_does_not_run_while_work_waits_is_a_failure(tmp_path: Path) -> None:
    """Faults row 1: nobody else would say so; without work it is a warning."""
    loaded = _loaded(tmp_path)
    create(loaded.settings.database_url, rehearsal=False, now=NOW)
    store = await open_store(loaded.settings.database_url, clock=CLOCK, daemon=True)
    await World(store).order("A-1", "RB123456785CN")
    running = await database(loaded, FixedClock(NOW + timedelta(hours=2)))
    await store.close()
    assert _one(running, "daemon").level is Level.OK
    assert _one(await database(loaded, FixedClock(NOW + timedelta(hours=2))), "daemon").level is Level.FAIL
    assert _one(await database(loaded, CLOCK), "daemon").level is Level.WARN


async def test_a_missed_backup_and_one_that_failed(tmp_path: Path) -> None:
    loaded = _loaded(tmp_path)
    create(loaded.settings.database_url, rehearsal=False, now=NOW)
    store = await open_store(loaded.settings.database_url, clock=CLOCK, daemon=True)
    await store.finish_errand("backup", "2026-02-27", NOW - timedelta(hours=37), "written")
    assert _one(await database(loaded, CLOCK), "backup").level is Level.FAIL
    await store.finish_errand("backup", "2026-03-01", NOW - timedelta(hours=2), "written")
    assert _one(await database(loaded, CLOCK), "backup").level is Level.OK
    await store.fail_errand("backup", NOW, "no space left")
    assert "no space left" in _one(await database(loaded, CLOCK), "backup").says
    await store.close()


@pytest.mark.parametrize(
    ("clock", "level"),
    [(timedelta(0), Level.OK), (timedelta(minutes=9), Level.WARN)],
    ids=["answers, even to refuse", "a clock that is apart"],
)
async def test_a_source_is_called_for_real(clock: timedelta, level: Level, tmp_path: Path) -> None:
    """Any answer will do: the key is tried by the first question; its Date is held beside our clock."""
    answer = http(401, b"{}", Date=format_datetime(NOW + clock, usegmt=True))
    async with serving(lambda *_: answer) as url:
        [found] = await hosts(_loaded(tmp_path, _source(url), KEY="k"), CLOCK)
    assert found.level is level


async def test_a_host_that_is_down_is_a_failure(tmp_path: Path) -> None:
    [found] = await hosts(_loaded(tmp_path, _source("http://127.0.0.1:9"), KEY="k"), CLOCK)
    assert found.level is Level.FAIL
    assert "127.0.0.1" in found.says


async def test_the_mail_server_is_tried_without_a_message(serve: Serve, tmp_path: Path) -> None:
    server = Handler()
    async with serve(server) as port:
        text = f'[smtp]\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\nfrom = "care@lume.example"\n'
        [found] = await hosts(_loaded(tmp_path, text), CLOCK)
    assert found.level is Level.OK
    assert server.envelopes == []
    [gone] = await hosts(_loaded(tmp_path, text), CLOCK)
    assert gone.level is Level.FAIL
    assert "[smtp]" in gone.next
