"""The log: names from the catalogue only, JSON off a terminal, `<n>` for journald, nothing secret in any line (faults 26, 27)."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conftest import Lines
from tracker import log
from tracker.clock import FixedClock
from tracker.log import Event, configure, events_markdown, get_logger, register_secret
from tracker.log.meanings import MEANINGS

ROOT = Path(__file__).resolve().parents[2]
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def fail(text: str) -> None:
    raise RuntimeError(text)


def test_one_json_object_a_line_with_time_level_event_first() -> None:
    out = io.StringIO()
    configure("json", out, clock=FixedClock(AT))
    get_logger().info(Event.SOURCE_UP, source="seventeen_track", down_seconds=60)
    assert out.getvalue() == (
        '{"time":"2026-03-01T12:00:00.000Z","level":"info","event":"source.up","source":"seventeen_track","down_seconds":60}\n'
    )


def test_auto_means_json_off_a_terminal_and_readable_text_on_one() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    pipe, screen = io.StringIO(), Terminal()
    for out in (pipe, screen):
        configure("auto", out)
        get_logger().info(Event.SOURCE_UP, source="x", down_seconds=1)
    assert json.loads(pipe.getvalue())["event"] == "source.up"
    assert "source.up" in screen.getvalue()
    assert not screen.getvalue().startswith("{")


@pytest.mark.parametrize(("event", "prefix"), [(Event.SOURCE_UP, "<6>"), (Event.POLL_FAILED, "<4>"), (Event.SOURCE_DOWN, "<3>")])
def test_journald_gets_the_priority_before_the_line(event: Event, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryFile("w+") as journal:
        stat = os.fstat(journal.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{stat.st_dev}:{stat.st_ino}")
        configure("json", journal)
        getattr(get_logger(), event.level)(event)
        journal.seek(0)
        assert journal.read().startswith(prefix + "{")


def test_no_prefix_when_stderr_is_not_the_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "1:1")
    with tempfile.TemporaryFile("w+") as other:
        configure("json", other)
        get_logger().info(Event.SOURCE_UP)
        other.seek(0)
        assert other.read().startswith("{")


@pytest.mark.parametrize(
    ("level", "event", "fields", "complaint"),
    [
        ("info", "poll.invented", {}, "not in the catalogue"),
        ("error", Event.SOURCE_UP, {}, "the catalogue says info"),
        ("info", Event.SOURCE_UP, {"colour": "red"}, "no field colour"),
    ],
)
def test_tests_refuse_what_the_catalogue_does_not_know(level: str, event: str, fields: dict[str, str], complaint: str) -> None:
    with pytest.raises(LookupError, match=complaint):
        getattr(get_logger(), level)(event, **fields)


def test_secrets_and_personal_data_never_reach_a_line(log_lines: Lines) -> None:
    register_secret("tok-canary-9173")
    logger = get_logger()
    logger.warning(
        Event.POLL_FAILED, message="header 17token: tok-canary-9173", asked={"api_key": "abcdefgh", "n": ["tok-canary-9173"]}
    )
    logger.error(Event.OUTBOX_FAILED, reason="maria.silva@example.com, CPF 529.982.247-25 or 52998224725, refused")
    try:
        fail("tok-canary-9173 to maria.silva@example.com")
    except RuntimeError as error:
        logger.exception(Event.UNIT_FAILED, unit="poll", error=error)
    text = json.dumps(log_lines())
    for canary in ("tok-canary-9173", "abcdefgh", "maria.silva", "529.982.247-25", "52998224725"):
        assert canary not in text
    assert "***@example.com" in text


def test_identifiers_stay_readable(log_lines: Lines) -> None:
    """Eleven digits can be an order's number: it must stay findable in the log."""
    get_logger().error(Event.SWEEP_PARKED, order="39053344705", error="x")
    assert log_lines()[0]["order"] == "39053344705"


def test_a_traceback_shows_no_local_variables() -> None:
    out = io.StringIO()
    configure("console", out)
    address = "rua secreta 5"
    try:
        fail("broken")
    except RuntimeError:
        get_logger().exception(Event.UNIT_FAILED, unit="poll", error="broken")
    assert "RuntimeError: broken" in out.getvalue()
    assert f"'{address}'" not in out.getvalue()


def test_long_fields_are_cut_because_journald_splits_lines(log_lines: Lines) -> None:
    get_logger().warning(Event.POLL_FAILED, message="x" * 60_000)
    assert len(log_lines()[0]["message"]) < 3000


def test_libraries_speak_through_our_log_and_httpx_is_silent(log_lines: Lines) -> None:
    """Its INFO line has whole URLs, keys included."""
    logging.getLogger("asyncio").warning("Executing %s took %s seconds", "task", 2)
    logging.getLogger("httpx").info("HTTP Request: POST https://x.example/?key=abc")
    logging.getLogger("httpx").warning("HTTP Request: POST https://x.example/?key=abc")
    logging.getLogger("apprise").error("Unsupported URL: wecombot://abc")
    (line,) = log_lines()
    assert (line["event"], line["logger"], line["text"]) == ("library.message", "asyncio", "Executing task took 2 seconds")


def test_every_event_explains_itself() -> None:
    for event in Event:
        assert re.fullmatch(r"[a-z]+\.[a-z_]+", event.value), event
        assert event.level in {"info", "warning", "error"}, event
        assert all(sentence.endswith(".") for sentence in MEANINGS[event.value]), event
    assert set(MEANINGS) == set(Event)


def test_every_event_is_used_and_every_use_is_known() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "tracker").rglob("*.py") if path.name != "events.py")
    used = set(re.findall(r"\bEvent\.([A-Z][A-Z_]+)\b", code))
    assert used == {event.name for event in Event}


def test_the_page_of_events_is_up_to_date() -> None:
    assert (ROOT / "docs" / "events.md").read_text() == events_markdown(), "run: python -m tracker.log > docs/events.md"


def test_the_public_names_are_there() -> None:
    assert {"Event", "configure", "get_logger"} <= set(log.__all__)
