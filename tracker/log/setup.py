"""Where log lines go and how they look: stderr always; JSON off a terminal, readable text on one (facts/systemd.md 8)."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, Literal, TextIO, cast

import msgspec
import structlog

from tracker.clock import Clock, SystemClock
from tracker.log.events import Event
from tracker.log.redact import redact

Line = MutableMapping[str, Any]
Format = Literal["json", "console", "auto"]

_PRIORITY = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
_ALWAYS = frozenset({"event", "level", "time", "exception"})
_CHATTY = ("httpx", "httpcore", "apscheduler", "aiosmtplib", "psycopg.pool")
_INDISCREET = ("apprise", "procrastinate")
"""Their errors hold whole addresses, keys included, or arguments and tracebacks; what went wrong is said by our own line."""
_CATALOGUE = {event.value: event for event in Event}
_LONGEST = 2000
"""Characters of one field: journald splits lines at 48K."""


def get_logger() -> structlog.typing.FilteringBoundLogger:
    """The logger: `log.info(Event.POLL_BATCH, source=…)`. Safe at import time; `configure` decides later where it writes."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger


def configure(format: Format = "auto", stream: TextIO | None = None, *, clock: Clock | None = None, strict: bool = False) -> None:  # noqa: A002
    """Set up logging for this process.

    `stream` is stderr, `clock` the machine's. `strict` (tests) refuses a line whose name, level or
    field the catalogue does not know.
    """
    out = stream or sys.stderr
    console = format == "console" or (format == "auto" and out.isatty())
    chain: list[structlog.typing.Processor] = [structlog.processors.add_log_level]
    if strict:
        chain.append(check_catalogue)
    chain += [_stamp(clock or SystemClock()), structlog.processors.format_exc_info, redact, _shorten]
    if console:
        # Plain tracebacks: the pretty ones print local variables, and with them what redaction cannot see.
        chain.append(structlog.dev.ConsoleRenderer(timestamp_key="time", exception_formatter=structlog.dev.plain_traceback))
    else:
        chain += [_order, structlog.processors.JSONRenderer(serializer=_json)]
        if _is_journal(out):
            chain.append(_prefix)
    structlog.configure(
        processors=chain,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", _Steady(out))),
        cache_logger_on_first_use=False,
    )
    _adopt_libraries()


class _Steady:
    """The stream of the log. Where it cannot be written (a full disk, a pipe that nobody reads), the work matters more (fault 4).

    Past Python's own buffer: what that cannot get rid of, it tries once more at the exit, and spoils the exit code.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        try:
            self._fd: int | None = out.fileno()
        except (OSError, ValueError):
            self._fd = None

    def write(self, text: str) -> None:
        with suppress(OSError):
            if self._fd is None:
                self._out.write(text)
                return
            left = text.encode(errors="backslashreplace")
            while left:
                left = left[os.write(self._fd, left) :]

    def flush(self) -> None:
        with suppress(OSError):
            self._out.flush()


def check_catalogue(_logger: object, method: str, line: Line) -> Line:
    """Processor for tests. Raises LookupError for an event, a level or a field that is not in the catalogue."""
    event = _CATALOGUE.get(line["event"])
    if event is None:
        raise LookupError(f"{line['event']!r} is not in the catalogue of tracker.log")
    if method not in {event.level, "exception" if event.level == "error" else event.level}:
        raise LookupError(f"{event.value} is logged as {method}, the catalogue says {event.level}")
    if extra := line.keys() - _ALWAYS - {"exc_info"} - set(event.fields):
        raise LookupError(f"{event.value} has no field {', '.join(sorted(extra))} in the catalogue")
    return line


def _stamp(clock: Clock) -> structlog.typing.Processor:
    def stamp(_logger: object, _method: str, line: Line) -> Line:
        line["time"] = clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line["event"] = str.__str__(line["event"])
        return line

    return stamp


def _shorten(_logger: object, _method: str, line: Line) -> Line:
    for key, value in line.items():
        if isinstance(value, str) and len(value) > _LONGEST and key != "exception":
            line[key] = value[:_LONGEST] + "…"
    return line


def _order(_logger: object, _method: str, line: Line) -> Line:
    head = {key: line.pop(key) for key in ("time", "level", "event")}
    return {**head, **line}


def _json(line: Line, **_: object) -> str:
    return msgspec.json.encode(line, enc_hook=str).decode()


def _is_journal(out: TextIO) -> bool:
    """Whether `out` is the pipe to journald: $JOURNAL_STREAM names its device and inode."""
    try:
        stat = os.fstat(out.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{stat.st_dev}:{stat.st_ino}"


def _prefix(_logger: object, method: str, rendered: Any) -> str:  # noqa: ANN401 -- what the renderer made
    """`<n>` before the line, so that `journalctl -p err` works."""
    return f"<{_PRIORITY.get('error' if method == 'exception' else method, 6)}>{rendered}"


class _LibraryHandler(logging.Handler):
    """Warnings of libraries become lines of ours, with our redaction."""

    def emit(self, record: logging.LogRecord) -> None:
        get_logger().warning(Event.LIBRARY_MESSAGE, logger=record.name, text=record.getMessage())


def _adopt_libraries() -> None:
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _LibraryHandler)]:
        root.removeHandler(handler)
    root.addHandler(_LibraryHandler(level=logging.WARNING))
    for name in _CHATTY:
        # httpx's INFO line holds whole URLs, keys included; the others tell what our own lines tell.
        logging.getLogger(name).setLevel(logging.ERROR)
    for name in _INDISCREET:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
