"""What Prometheus is told, and how: the names are a contract with dashboards and alert rules."""

from __future__ import annotations

import asyncio
import http.client
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from tests.desk.world import NOW, World
from tracker import config
from tracker.clock import FixedClock
from tracker.config import Loaded
from tracker.config.settings import MetricsSettings
from tracker.health import Freshness, Heartbeat
from tracker.metrics import Publisher, Reporter, count, deadlines, families
from tracker.model import Case, CaseKind, DateSource, Pause
from tracker.store import Store, create, open_store
from tracker.store.rows import Breaker, StatusCounts

CLOCK = FixedClock(NOW)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    url = f"sqlite:///{tmp_path / 'tracker.db'}"
    create(url, rehearsal=True, now=NOW)
    opened = await open_store(url, clock=CLOCK, daemon=True)
    yield opened
    await opened.close()


def _loaded(folder: Path) -> Loaded:
    (folder / "stores").mkdir()
    shop = 'platform = "aliexpress"\nname = "Lume"\nzone = "UTC"\ncurrency = "USD"\nmode = "live"\nfiles_every_h = 24\n'
    (folder / "stores" / "lume.toml").write_text(shop, encoding="utf-8")
    source = '[[source]]\nid = "scans"\nadapter = "sheet"\nbase_url = "drop:scans"\n'
    (folder / "tracker.toml").write_text(source, encoding="utf-8")
    return config.load(folder / "tracker.toml", environ={})


async def _told(store: Store, loaded: Loaded) -> dict[str, float]:
    counted = await count(store, loaded, NOW)
    told = families(counted, version="1.2.3", reload_good=True, ticks={"poll": 5.0})
    return {
        sample.name + "".join(f"/{value}" for value in sample.labels.values()): sample.value
        for family in told
        for sample in family.samples
    }


async def test_pushes_are_counted_as_they_came_as_they_wait_and_as_they_were_refused(store: Store, tmp_path: Path) -> None:
    """Faults row 28: a door that somebody tries shows in a graph, whatever the log leaves out."""
    loaded = _loaded(tmp_path)
    for number, at in (("1", NOW - timedelta(days=2)), ("2", NOW - timedelta(hours=1)), ("3", NOW)):
        await store.keep_push("scans", number.encode() * 32, [(number, b"{}")], at)
    counted = await count(store, loaded, NOW)
    told = families(counted, version="1", reload_good=True, ticks={}, refused={("scans", "signature"): 4})
    found = {sample.name: (sample.labels, sample.value) for family in told for sample in family.samples if "push" in sample.name}
    assert found == {
        "tracker_pushes_waiting": ({}, 3),
        "tracker_pushes_day": ({"name": "scans"}, 2),
        "tracker_pushes_refused_total": ({"name": "scans", "reason": "signature"}, 4),
    }


async def test_everything_that_status_shows_is_a_number(store: Store, tmp_path: Path) -> None:
    """Held, doubtful and refused things are what somebody is woken for."""
    world = World(store)
    order = await world.order("A-1", "RB123456785CN")
    await world.refund(order)
    await store.change_breaker(
        "scans", lambda _: Breaker(failures=3, open_until=NOW + timedelta(hours=1), since=NOW, kind="unavailable")
    )
    await store.pause(Pause(id=0, reason="strike", by="mei", since=NOW, country="BR"), NOW)
    told = await _told(store, _loaded(tmp_path))
    assert told["tracker_orders"] == 1
    assert told["tracker_parcels/unknown"] == 1
    assert told["tracker_reviews"] == 1
    assert told["tracker_outbox/held"] == 1
    assert told["tracker_outbox/unknown"] == 0, "a series that is there before it rises can be alerted on"
    assert told["tracker_source_stale/scans"] == 1
    assert told["tracker_order_file_stale/lume"] == 0
    assert told["tracker_pauses"] == 1
    assert told["tracker_config_last_reload_successful"] == 1
    assert told["tracker_unit_tick_timestamp_seconds/poll"] == 5


async def test_an_input_that_is_late_shows_in_the_count(store: Store, tmp_path: Path) -> None:
    """D20: an order file expected every 24 h is late at 36 h, and outreach waits from 72 h."""
    loaded = _loaded(tmp_path)
    world = World(store)
    await world.order("A-1", "RB123456785CN")
    [read] = (await store.order_files()).values()
    at = datetime.fromtimestamp(read, UTC)
    states = {
        hours: (await count(store, loaded, at + timedelta(hours=hours))).order_files[0].state for hours in (24, 36, 37, 72, 73)
    }
    assert states == {
        24: Freshness.UP,
        36: Freshness.UP,
        37: Freshness.LATE,
        72: Freshness.LATE,
        73: Freshness.DOWN,
    }


async def test_what_failed_and_is_not_scheduled_any_more_is_nobodys_concern(store: Store, tmp_path: Path) -> None:
    """A handover that nobody took, switched off since: status would want a person for ever."""
    for name in ("handover", "backup", "quota", "transit"):
        await store.fail_errand(name, CLOCK.now(), "nobody took it")
    assert set((await count(store, _loaded(tmp_path), CLOCK.now())).errands) == {"backup", "quota", "transit"}


async def test_the_text_file_is_whole_and_in_prometheus_own_words(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "metrics.prom"
    publisher = Publisher(MetricsSettings(file=file, listen=None, every_s=60))
    publisher.publish(families(await count(store, _loaded(tmp_path), NOW), version="1.2.3", reload_good=False, ticks={}))
    read = {family.name: family for family in text_string_to_metric_families(file.read_text(encoding="utf-8"))}
    assert read["tracker_config_last_reload_successful"].samples[0].value == 0
    assert all(family.documentation for family in read.values())
    assert _names(tmp_path) == ["metrics.prom", "stores", "tracker.toml"], "no half-written file stays"


async def test_the_endpoint_answers_on_this_machine_and_lets_its_port_go(store: Store, tmp_path: Path) -> None:
    publisher = Publisher(MetricsSettings(file=None, listen=("127.0.0.1", 0), every_s=60))
    publisher.publish(families(await count(store, _loaded(tmp_path), NOW), version="1.2.3", reload_good=True, ticks={}))
    port = publisher.port
    assert port is not None
    body = await asyncio.to_thread(_get, port)
    publisher.close()
    assert "tracker_orders 0.0" in body
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))


def _names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir() if not each.name.startswith("tracker.db"))


def _get(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


async def test_a_taken_port_is_said_once_and_stops_nothing(store: Store, tmp_path: Path) -> None:
    """Operators live in the log: one line for one state."""
    loaded = _loaded(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        host, port = taken.getsockname()
        (tmp_path / "tracker.toml").write_text(f'[metrics]\nlisten = "{host}:{port}"\nevery_s = 1\n', encoding="utf-8")
        loaded = config.load(tmp_path / "tracker.toml", environ={})
        # The fixed clock's sleep ends at once: hundreds of tries fit into a moment.
        reporter = Reporter(loaded, store, CLOCK, heartbeat=Heartbeat(CLOCK), reload_good=lambda: True)
        with capture_logs() as logs:
            task = asyncio.create_task(reporter.run())
            await asyncio.sleep(0.2)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        reporter.close()
    assert [line["event"] for line in logs] == ["metrics.failed"]


async def test_what_cannot_be_counted_now_is_counted_later(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults row 33: one odd row ends no loop; the numbers come back by themselves."""
    (tmp_path / "tracker.toml").write_text('[metrics]\nfile = "m.prom"\nevery_s = 1\n', encoding="utf-8")
    loaded = config.load(tmp_path / "tracker.toml", environ={})
    status, tries, counted = store.status, [0], asyncio.Event()

    async def odd(now: datetime) -> StatusCounts:
        tries[0] += 1
        if tries[0] < 3:
            raise ValueError("no state of ours")
        if tries[0] > 3:
            counted.set()  # the third one was published
        return await status(now)

    monkeypatch.setattr(store, "status", odd)
    reporter = Reporter(loaded, store, CLOCK, heartbeat=Heartbeat(CLOCK), reload_good=lambda: True)
    with capture_logs() as logs:
        task = asyncio.create_task(reporter.run())
        await asyncio.wait_for(counted.wait(), 10)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    reporter.close()
    assert [line["event"] for line in logs] == ["metrics.failed"]
    assert (tmp_path / "m.prom").exists()


@pytest.mark.parametrize("listen", ["0.0.0.0:9464", "9464", "example.com:9464", "127.0.0.1:x"])
def test_the_endpoint_is_for_this_machine_alone(listen: str, tmp_path: Path) -> None:
    """Orders and stores stand in the labels: nobody else reads them."""
    (tmp_path / "tracker.toml").write_text(f'[metrics]\nlisten = "{listen}"\n', encoding="utf-8")
    with pytest.raises(config.ConfigError, match=r"tracker.toml:2: metrics.listen"):
        config.load(tmp_path / "tracker.toml", environ={})


async def test_a_case_that_is_overdue_stays_among_the_dates_to_meet(store: Store, tmp_path: Path) -> None:
    """R33, R75: what was not answered in time still wants an answer; it stands first."""
    loaded = _loaded(tmp_path)
    order = await World(store).order("A-1", "RB123456785CN", window_end=NOW + timedelta(days=3))
    late = Case(id="C-1", kind=CaseKind.INQUIRY, opened_at=NOW - timedelta(days=5), due_at=NOW - timedelta(hours=2))
    await store.save_case(order, late, NOW)
    found = await deadlines(store, loaded.rules, NOW + timedelta(days=14), NOW)
    assert [(each.kind, each.subject) for each in found] == [("case", "A-1"), ("window", "A-1")]
    await store.save_case(order, msgspec.structs.replace(late, closed_at=NOW), NOW)
    found = await deadlines(store, loaded.rules, NOW + timedelta(days=14), NOW)
    assert [each.kind for each in found] == ["window"]


@pytest.mark.parametrize(
    ("platform", "kind", "change", "due"),
    [
        ("amazon", CaseKind.A_TO_Z, {}, timedelta(hours=72)),
        ("amazon", CaseKind.CHARGEBACK, {}, timedelta(days=7)),
        ("amazon", CaseKind.RETURN_REQUEST, {}, timedelta(hours=48)),
        ("amazon", CaseKind.BUYER_MESSAGE, {}, timedelta(hours=24)),
        ("taobao", CaseKind.BUYER_MESSAGE, {}, timedelta(minutes=5)),
        ("ebay", CaseKind.INQUIRY, {}, timedelta(days=3)),
        ("ebay", CaseKind.INQUIRY, {"due_at": NOW + timedelta(days=9), "due_source": DateSource.API}, timedelta(days=9)),
        ("ebay", CaseKind.INQUIRY, {"answered_at": NOW}, None),
        ("ebay", CaseKind.BAD_REVIEW, {}, None),
    ],
)
async def test_r33_r69_r75_r79_the_marketplaces_own_clock_is_a_date_to_meet(
    store: Store, tmp_path: Path, platform: str, kind: CaseKind, change: dict[str, Any], due: timedelta | None
) -> None:
    """R33, R55, R69, R75, R79, R82, D3: the table's date where nobody told one, an API's where it did; none once answered."""
    loaded = _loaded(tmp_path)
    order = await World(store).order("A-1", platform=platform)
    await store.save_case(order, Case(id="C-1", kind=kind, opened_at=NOW, **change), NOW)
    found = await deadlines(store, loaded.rules, NOW + timedelta(days=30), NOW)
    assert [(each.kind, each.what, each.at - NOW) for each in found] == ([("case", kind.value, due)] if due is not None else [])
