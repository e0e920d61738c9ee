"""From a count to metrics in Prometheus' own words. Names and labels are a contract: dashboards and alert rules use them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric

from tracker.health import Freshness
from tracker.metrics.count import Count, Watched
from tracker.model import OutboxState


def families(
    count: Count,
    *,
    version: str,
    reload_good: bool,
    ticks: Mapping[str, float],
    refused: Mapping[tuple[str, str], int] = MappingProxyType({}),
    failing: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Metric]:
    """Every metric of a count. `ticks`: unit -> epoch seconds of its last tick; `reload_good`: the last reload was accepted.

    `refused`: (source, reason) -> pushes that were turned away since the start; `failing`: unit -> the error with which it
    fails at every tick.
    """
    counts = count.counts
    yield InfoMetricFamily("tracker", "What runs here.", value={"version": version, "config": count.config})
    yield _gauge("tracker_counted_timestamp_seconds", "When these numbers were counted.", count.at.timestamp())
    yield _gauge("tracker_config_last_reload_successful", "1 unless the last new configuration was refused.", int(reload_good))
    yield _gauge("tracker_config_waits", "1 while effects of new rules wait for: tracker config accept.", int(count.config_waits))
    yield _gauge("tracker_pauses", "Pauses that stand.", len(count.pauses))
    yield _labelled("tracker_unit_tick_timestamp_seconds", "Last tick of a unit of work.", "unit", ticks)
    yield _labelled("tracker_unit_failing", "1 while a unit of work fails at every tick.", "unit", dict.fromkeys(failing, 1))
    yield _gauge("tracker_orders", "Orders that are known.", counts.orders)
    yield _labelled("tracker_parcels", "Parcels by status.", "status", counts.shipments_by_status)
    yield _labelled("tracker_due", "Rows that are due now.", "to", {"ask": counts.due_to_ask, "decide": counts.due_to_decide})
    oldest = {"ask": counts.oldest_ask_due, "decide": counts.oldest_decide_due}
    yield _labelled(
        "tracker_oldest_due_timestamp_seconds",
        "Since when the oldest row is due.",
        "to",
        {name: at for name, at in oldest.items() if at is not None},
    )
    yield _gauge("tracker_parked", "Orders that could not be decided.", counts.parked)
    outbox = {state.value: counts.outbox.get(state.value, 0) for state in OutboxState}
    yield _labelled("tracker_outbox", "Effects by state; unknown is for a person.", "state", outbox)
    yield _labelled("tracker_held", "Effects that a guard holds, by reason.", "reason", counts.holds)
    yield _gauge("tracker_reviews", "Recommendations and texts that wait for a person's word.", counts.reviews)
    yield _labelled("tracker_tasks", "People's tasks by state.", "state", counts.tasks)
    yield _labelled("tracker_claims", "Claims against carriers by state.", "state", counts.claims)
    yield _sent(count.sent)
    yield from _inputs("source", "a source's answers", count.sources)
    heard = [(f"{each.account}/{each.capability}", each.last) for each in count.marketplaces if each.last is not None]
    yield _times("tracker_marketplace_last_timestamp_seconds", "When a marketplace's API did it last.", "name", heard)
    off = {f"{each.account}/{each.capability}": int(each.stopped_at is not None) for each in count.marketplaces}
    yield _labelled("tracker_marketplace_stopped", "1 while people do by hand what the API no longer does.", "name", off)
    yield from _inputs("order_file", "a store's order files", count.order_files)
    used = {source.account: source.used_today for source in counts.sources}
    yield _labelled("tracker_source_quota_used", "Used of the day's quota.", "name", used)
    yield from _pushes(count, refused)
    done = {name: each.at for name, each in count.errands.items() if each.occasion}
    yield _times("tracker_errand_timestamp_seconds", "When an errand of the schedule was done last.", "errand", done.items())
    failed = {name: int(each.error is not None) for name, each in count.errands.items()}
    yield _labelled("tracker_errand_failed", "1 while an errand has failed since then.", "errand", failed)


def _inputs(kind: str, what: str, watched: Iterable[Watched]) -> Iterator[Metric]:
    each = tuple(watched)
    heard = [(one.name, one.last) for one in each if one.last is not None]
    yield _times(f"tracker_{kind}_last_timestamp_seconds", f"When {what} came last.", "name", heard)
    stale = {one.name: int(one.state in {Freshness.LATE, Freshness.DOWN}) for one in each}
    yield _labelled(f"tracker_{kind}_stale", f"1 while {what} are late, refused or absent.", "name", stale)


def _pushes(count: Count, refused: Mapping[tuple[str, str], int]) -> Iterator[Metric]:
    yield _gauge("tracker_pushes_waiting", "What sources pushed and nobody has heard yet.", count.pushes.waiting)
    yield _labelled("tracker_pushes_day", "Pushes of the last 24 hours; the same one counts once.", "name", count.pushes.received)
    family = CounterMetricFamily("tracker_pushes_refused", "Pushes that were turned away.", labels=("name", "reason"))
    for (name, reason), number in sorted(refused.items()):
        family.add_metric((name, reason), number)
    yield family


def _sent(sent: Mapping[tuple[str, str], int]) -> Metric:
    family = CounterMetricFamily("tracker_messages_sent", "Messages that left.", labels=("store", "channel"))
    for (store, channel), number in sorted(sent.items()):
        family.add_metric((store, channel), number)
    return family


def _gauge(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(name, says, value=value)


def _labelled(name: str, says: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, says, labels=(label,))
    for key, value in sorted(values.items()):
        family.add_metric((key,), value)
    return family


def _times(name: str, says: str, label: str, times: Iterable[tuple[str, datetime]]) -> Metric:
    return _labelled(name, says, label, {key: at.timestamp() for key, at in times})
