"""The schedule: by local time, once an occasion, missed ones made up for once (facts/faults.md row 14)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tracker.clock import SimulatedClock
from tracker.errands import AGAIN, Errand, Errands, due_occasion
from tracker.store import EpochLost, Store, Unwritable, create, open_store

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)


class Work:
    """What an errand does: it remembers, and fails on request."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.error: Exception | None = None

    async def __call__(self, occasion: str, now: datetime) -> str:
        if self.error is not None:
            raise self.error
        self.done.append(occasion)
        return f"done at {now:%H:%M}"


def errand(work: Work, name: str = "backup", at: time = time(3, 40), zone: str = "UTC", **rest: object) -> Errand:
    return Errand(**{"name": name, "at": at, "zone": zone, "every": "day", "run": work} | rest)  # type: ignore[arg-type]


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(START)


async def _open(folder: Path, clock: SimulatedClock, *, rehearsal: bool = False) -> Store:
    url = f"sqlite:///{folder / 'tracker.db'}"
    create(url, rehearsal=rehearsal, now=clock.now())
    return await open_store(url, clock=clock, daemon=True)


@pytest.fixture
async def store(tmp_path: Path, clock: SimulatedClock) -> AsyncIterator[Store]:
    opened = await _open(tmp_path, clock)
    yield opened
    await opened.close()


@pytest.mark.parametrize(
    ("every", "zone", "now", "last", "due"),
    [
        ("day", "UTC", "2026-11-22T03:40", None, "2026-11-22"),
        ("day", "UTC", "2026-11-22T03:39", None, "2026-11-21"),
        ("day", "UTC", "2026-11-22T03:40", "2026-11-22", None),
        ("day", "UTC", "2026-11-22T23:59", "2026-11-01", "2026-11-22"),  # three weeks of downtime: the newest, once
        ("day", "UTC", "2026-11-22T12:00", "2026-11-23", None),  # the clock went back a day
        ("day", "UTC", "2026-11-22T12:00", "2027-06-01", "2026-11-22"),  # the clock had been months ahead
        ("day", "Asia/Shanghai", "2026-11-21T19:40", "2026-11-21", "2026-11-22"),
        ("month", "UTC", "2026-11-01T03:39", "2026-10", None),
        ("month", "UTC", "2026-11-01T03:40", "2026-10", "2026-11"),
        ("month", "America/Sao_Paulo", "2026-12-01T05:00", "2026-11", None),
        (6, "UTC", "2026-11-22T03:40", "2026-11-21T21", "2026-11-22T03"),
        (6, "UTC", "2026-11-22T09:39", "2026-11-22T03", None),
        (6, "UTC", "2026-11-22T03:39", "2026-11-21T15", "2026-11-21T21"),
    ],
)
def test_what_is_due(every: object, zone: str, now: str, last: str | None, due: str | None) -> None:
    """An occasion is a local day, month or hour; missed ones are made up for by the newest."""
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert due_occasion(errand(Work(), zone=zone, every=every), at, last) == due


@pytest.mark.parametrize("zone", ["Europe/Berlin", "US/Pacific", "America/Santiago", "Asia/Shanghai"])
@pytest.mark.parametrize("at", [time(0, 0), time(0, 30), time(2, 30)])
def test_every_local_day_comes_once_across_summer_time(zone: str, at: time) -> None:
    """facts/engine.md 5: the scheduler's own cron triggers skip a day in March and double one in October; we do neither."""
    last, seen = "2025-12-31", []
    now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    while now.year == 2026:
        occasion = due_occasion(errand(Work(), at=at, zone=zone), now, last)
        if occasion is not None:
            seen.append(occasion)
            last = occasion
        now += timedelta(minutes=30)
    first = date.fromisoformat(seen[0])
    assert seen == [(first + number * DAY).isoformat() for number in range(len(seen))]
    assert len(seen) >= 364
    assert now.astimezone(ZoneInfo(zone)).date() - first >= 364 * DAY


async def test_an_errand_runs_once_an_occasion_and_a_restart_repeats_nothing(store: Store, clock: SimulatedClock) -> None:
    work = Work()
    for _ in range(2):  # the second one is another process
        errands = Errands([errand(work)], store, clock)
        await errands.run_once()
        await errands.run_once()
    clock.advance_to(START + 5 * DAY)
    await Errands([errand(work)], store, clock).run_once()
    assert work.done == ["2026-11-22", "2026-11-27"]
    done = (await store.errands())["backup"]
    assert (done.occasion, done.at, done.result, done.error) == ("2026-11-27", START + 5 * DAY, "done at 12:00", None)


async def test_a_failing_errand_rests_an_hour_and_stops_nobody(store: Store, clock: SimulatedClock) -> None:
    """STYLE habit 3: a bad one is put aside, the next goes on."""
    bad, good = Work(), Work()
    bad.error = OSError("no space left")
    errands = Errands([errand(bad, "backup"), errand(good, "handover")], store, clock)
    first = await errands.run_once()
    assert (first.worked, first.more) == (0, True)
    assert (await errands.run_once()).worked == 1
    assert not (await errands.run_once()).more
    told = (await store.errands())["backup"]
    assert (told.occasion, told.error, told.failed_at) == ("", "no space left", START)
    bad.error = None
    clock.advance_to(START + AGAIN)
    assert (await errands.run_once()).worked == 1
    mended = (await store.errands())["backup"]
    assert (mended.occasion, mended.error) == ("2026-11-22", None)


async def test_a_fleet_tries_a_failing_errand_once_an_hour_and_a_fresh_start_at_once(store: Store, clock: SimulatedClock) -> None:
    """Faults row 4: three workers take turns at the schedule; the failure of one is that of all, until somebody starts anew."""
    work, tries = Work(), list[datetime]()

    async def failing(_occasion: str, now: datetime) -> str:
        tries.append(now)
        raise OSError("no space left")

    workers = [Errands([errand(work, run=failing)], store, clock) for _ in range(3)]
    for minute in range(121):
        clock.advance_to(START + timedelta(minutes=minute))
        await workers[minute % 3].run_once()
    assert tries == [START, START + AGAIN, START + 2 * AGAIN]
    clock.advance_to(START + 2 * AGAIN + timedelta(minutes=5))
    await Errands([errand(work)], store, clock).run_once()
    assert work.done == ["2026-11-22"]


async def test_a_failure_keeps_what_was_done_before(store: Store, clock: SimulatedClock) -> None:
    work = Work()
    errands = Errands([errand(work)], store, clock)
    await errands.run_once()
    clock.advance_to(START + DAY)
    work.error = ValueError("odd")
    await errands.run_once()
    told = (await store.errands())["backup"]
    assert (told.occasion, told.error) == ("2026-11-22", "ValueError('odd')")


async def test_a_lost_epoch_ends_the_daemon(store: Store, clock: SimulatedClock) -> None:
    """Fault 21: it is not an errand's failure."""
    work = Work()
    work.error = EpochLost("another daemon")
    with pytest.raises(EpochLost):
        await Errands([errand(work)], store, clock).run_once()


async def test_a_rehearsal_has_no_schedule_but_what_asks_for_it(tmp_path: Path, clock: SimulatedClock) -> None:
    store = await _open(tmp_path, clock, rehearsal=True)
    real, rehearsed = Work(), Work()
    errands = Errands([errand(real), errand(rehearsed, "handover", rehearses=True)], store, clock)
    reports = [await errands.run_once(), await errands.run_once()]
    await store.close()
    assert (real.done, rehearsed.done) == ([], ["2026-11-22"])
    assert [report.worked for report in reports] == [1, 0]


async def test_an_errand_that_is_done_is_not_done_again_because_it_could_not_be_written_down(
    store: Store, clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults row 4: on a full disk a handover would else be told every minute."""
    work, write = Work(), store.finish_errand

    async def full(*_: object) -> None:
        raise Unwritable("the disk is full")

    errands = Errands([errand(work, "handover")], store, clock)
    monkeypatch.setattr(store, "finish_errand", full)
    for _ in range(3):
        with pytest.raises(Unwritable):
            await errands.run_once()
    monkeypatch.setattr(store, "finish_errand", write)
    await errands.run_once()
    assert work.done == ["2026-11-22"]
    assert (await store.errands())["handover"].occasion == "2026-11-22"
