"""`run --once`: one full pass, from the inbox to the mail server; a source that is down fails nothing and is named."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from tests import house
from tests.conftest import Lines
from tests.daemon.conftest import NOW, Home
from tracker import config
from tracker.clock import FixedClock, instant
from tracker.once import PassReport, run_once
from tracker.store import open_store
from tracker.wiring import next_due


async def one_pass(home: Home, at: datetime = NOW) -> PassReport:
    clock = FixedClock(at)
    loaded = config.load(home.config, environ={"TRACKS_KEY": house.TOKEN})
    store = await open_store(loaded.settings.database_url, clock=clock, daemon=True)
    try:
        return await run_once(loaded, store, clock)
    finally:
        await store.close()


async def test_a_pass_settles_all_that_is_due_and_a_second_one_finds_nothing(home: Home) -> None:
    """Ask, decide, send, and decide again with the message in sight: one call."""
    first = await one_pass(home)
    assert (first.asked, first.unasked, first.dispatched, first.down) == (1, 0, 1, ())
    assert first.decided >= 1
    assert len(home.mailbox.ids) == 1
    again = await one_pass(home)
    assert (again.asked, again.dispatched) == (0, 0)
    assert len(home.mailbox.ids) == 1


async def test_a_source_that_is_down_is_named_and_nothing_is_decided_on_old_facts(home: Home, log_lines: Lines) -> None:
    """R8, D20: no answer, no message, no error of ours."""
    home.config.write_text(re.sub(r"http://127.0.0.1:\d+", "http://127.0.0.1:1", home.config.read_text()))
    report = await one_pass(home)
    assert report.down == ("tracks",)
    assert (report.asked, report.unasked) == (0, 1), "who was not reached was not asked"
    assert home.mailbox.ids == []
    assert "poll.failed" in {line["event"] for line in log_lines()}


async def test_parcels_without_a_source_are_not_called_asked(home: Home) -> None:
    """R8: nobody is configured who could be asked; the parcel is due, and put off."""
    (home.config.parent / "carriers.toml").write_text("default_sources = []\n")
    home.config.write_text(home.config.read_text().partition("[[source]]")[0])
    report = await one_pass(home)
    assert (report.asked, report.unasked, report.down) == (0, 1, ())


async def test_files_of_the_inbox_are_taken_at_once(home: Home, log_lines: Lines) -> None:
    inbox = home.folder / "inbox"
    inbox.mkdir()
    (inbox / "broken.csv").write_text("what is this\n")
    report = await one_pass(home)
    assert report.imported == 1
    assert [path.name for path in (inbox / "failed").glob("*.csv")] == ["broken.csv"]
    assert "inbox.failed" in {line["event"] for line in log_lines()}


async def test_the_next_due_instant_is_the_smallest_of_the_rows_and_the_world(home: Home) -> None:
    """What the simulated engine jumps to."""
    await one_pass(home)
    async with home.store() as store:
        rows = (await store.next_due()).first
        assert rows is not None
        assert await next_due(store)() == instant(rows)
        early = NOW - timedelta(days=1)
        assert await next_due(store, lambda: early)() == early
