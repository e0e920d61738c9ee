"""docs/reference/metrics.md: every number that Prometheus can be told, from what makes them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client.core import Metric

from tests.docs.markdown import code, codes, table
from tracker.metrics import Count, families
from tracker.store.rows import StatusCounts

HEAD = """\
# Metrics

Made from `tracker/metrics/families.py` by `python -m tests.docs`; do not edit.

`[metrics]` in [tracker.toml](config.md) switches them on: a text file, an endpoint of this machine, or both. Names and labels
stay as they are. Alert rules to begin with: [be told](../how-to/be-told.md).

"""

_NOTHING = Count(
    at=datetime(2026, 3, 1, tzinfo=UTC),
    counts=StatusCounts(
        orders=0,
        shipments=0,
        shipments_by_status={},
        followed=0,
        due_to_ask=0,
        due_to_decide=0,
        oldest_ask_due=None,
        oldest_decide_due=None,
        parked=0,
        unanswered=0,
        unanswered_sample=None,
        outbox={},
        tasks={},
        holds={},
        reviews=0,
        claims={},
        leak={},
        leaked=0,
        orphans=0,
        unmatched_texts=0,
        sources=(),
        daemon_since=None,
        rehearsal=False,
    ),
    sources=(),
    order_files=(),
    pauses=(),
    errands={},
    sent={},
    config="",
    rules_wait=None,
)
"""An empty house still names every metric."""

_ENDINGS = {"counter": "_total", "info": "_info"}


def told() -> Iterator[Metric]:
    """Every family, without a number."""
    yield from families(_NOTHING, version="", reload_good=True, ticks={})


def name_of(metric: Metric) -> str:
    """Its name as it is scraped."""
    return metric.name + _ENDINGS.get(metric.type, "")


def page() -> str:
    """The whole page."""
    rows = [(code(name_of(each)), _labels(each), each.documentation) for each in told()]
    return HEAD + table(("metric", "labels", "meaning"), rows)


def _labels(metric: Metric) -> str:
    given = [name for sample in metric.samples for name in sample.labels]
    return codes(dict.fromkeys([*given, *getattr(metric, "_labelnames", ())]))
