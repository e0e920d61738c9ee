"""docs/reference says what the code says: made anew it is the same, and nothing that exists is missing from it (style 13)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector, CollectorRegistry
from pydantic import BaseModel

from carriers import registry
from tests.docs import commands, configuration, measures, words
from tests.docs.allowed import hints, nested
from tests.docs.pages import DOCS, PAGES
from tracker.config.load import SHAPES
from tracker.config.shape_market import StoreFile
from tracker.log.events import Event
from tracker.messages import MESSAGE_TYPES
from tracker.model import DecisionReason, HoldReason, OutboxState, TaskState
from tracker.model.alerts import AlertKind
from tracker.policy.release import PAUSED

ROOT = DOCS.parent
TRACKER = [path for path in (ROOT / "tracker").rglob("*.py") if path.parent.name not in {"config", "rules"}]


def _page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_has_not_drifted(name: str) -> None:
    assert _page(name) == PAGES[name](), "run: make docs"


@pytest.mark.parametrize("name", [name for name, _ in commands.commands()])
def test_every_command_is_there_with_what_it_takes(name: str) -> None:
    """Beside the generator's own words: each option of the help stands in the section."""
    section = _page("reference/commands.md").split(f"\n## tracker {name}\n")[1].split("\n## ")[0]
    app = dict(commands.commands())[name]
    for argument in commands.arguments(app):
        assert f"`{argument.name}`" in section or argument.name == "--at"
    assert "|  |" not in section, "a thing without a meaning"
    assert f"Example: `tracker {name}" in section


def test_exit_codes_are_told_of_commands_that_exist() -> None:
    assert set(commands.FINDINGS) <= {name for name, _ in commands.commands()}


def _keys(shape: type[BaseModel]) -> Iterator[str]:
    for key, hint in hints(shape).items():
        yield key
        inner = nested(hint)
        if inner is not None:
            yield from _keys(inner)


@pytest.mark.parametrize("name", [*SHAPES, "stores/&lt;id&gt;"])
def test_every_key_of_the_configuration_is_there(name: str) -> None:
    shape = SHAPES.get(name, StoreFile)
    section = _page("reference/config.md").split(f"\n## {name}.toml\n")[1].split("\n## ")[0]
    missing = {key for key in _keys(shape) if f"`{key}`" not in section and f"[{key}]" not in section}
    assert missing == set()


@pytest.mark.parametrize(("file", "key"), [(file, key) for file, keys in configuration.NOT_YET.items() for key in sorted(keys)])
def test_a_key_that_is_said_to_wait_is_really_read_by_nothing(file: str, key: str) -> None:
    """When something begins to act on it, the page has to stop saying otherwise."""
    readers = [path.name for path in TRACKER if re.search(rf"\.{key}\b", path.read_text(encoding="utf-8"))]
    assert readers == []


def test_every_reason_and_state_is_there_in_a_sentence() -> None:
    page = _page("reference/reasons.md")
    for word in (*DecisionReason, *HoldReason, *OutboxState, *TaskState, *AlertKind):
        assert f"`{word.value}`" in page
    assert set(words.HOLDS) == set(HoldReason)
    assert set(words.ALERTS) == set(AlertKind)


def test_every_word_with_which_a_row_is_deferred_is_there() -> None:
    """What the last guard can say, as it stands in its source."""
    source = (ROOT / "tracker" / "policy" / "release.py").read_text(encoding="utf-8")
    plain = set(re.findall(r'_defer\("(\w+)"', source))
    named = {DecisionReason[name].value for name in re.findall(r"_defer\(DecisionReason\.(\w+)\.value", source)}
    assert plain | named | {PAUSED} == set(words.DEFERRED)


def test_every_metric_is_there_as_it_is_scraped() -> None:
    """Names are a contract with dashboards: the page writes them as Prometheus sees them."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told())
    scraped = set(re.findall(r"^# TYPE (\w+)", generate_latest(registry).decode(), re.MULTILINE))
    assert scraped == {measures.name_of(each) for each in measures.told()}
    page = _page("reference/metrics.md")
    assert all(f"| `{name}` |" in page for name in scraped)


class _Told(Collector):
    def collect(self) -> Iterator[Metric]:
        return measures.told()


def test_every_source_carrier_event_and_message_is_there() -> None:
    for name in registry.names():
        assert f"| `{name}` |" in _page("reference/carriers.md")
    for event in Event:
        assert f"`{event.value}`" in _page("events.md")
    for key in MESSAGE_TYPES:
        assert f"`{key}`" in _page("reference/messages.md")


def test_every_variable_in_front_of_a_key_is_one_of_the_texts_blanks() -> None:
    """A text of the shipped languages names nothing that the page does not offer."""
    offered = set(re.findall(r"`(\w+)`", _page("reference/messages.md")))
    files = list(Path(ROOT / "config" / "messages").glob("*/*.txt"))
    assert files
    for file in files:
        also = {"extra_days", "cause", "buyer_action"}
        assert set(re.findall(r"\{\{ (\w+)", file.read_text(encoding="utf-8"))) <= offered | also, file
