"""The catalogue of log events: every line that the product writes has its name, level and fields here.

What each means and what to do stands in tracker/log/meanings.py; `docs/events.md` is made from both. Log changes of state, not
states; one outcome line per unit of work; never one per parcel.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Event(StrEnum):
    """A log event. The value is its name in the log; `level` and `fields` describe its lines."""

    level: str
    fields: tuple[str, ...]

    def __new__(cls, name: str, level: str, fields: str) -> Self:
        """`fields` is a list of words."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.level, member.fields = level, tuple(fields.split())
        return member

    # ---- daemon
    DAEMON_STARTED = ("daemon.started", "info", "version config database epoch worker")
    DAEMON_STOPPING = ("daemon.stopping", "info", "signal")
    DAEMON_STOPPED = ("daemon.stopped", "info", "exit_code seconds")
    DAEMON_FAILED = ("daemon.failed", "error", "exit_code reason")
    DATABASE_AWAITED = ("database.awaited", "warning", "reason seconds")
    METRICS_FAILED = ("metrics.failed", "warning", "error")
    DAEMON_STUCK = ("daemon.stuck", "error", "unit seconds")
    ENGINE_DRAIN_TIMEOUT = ("engine.drain_timeout", "warning", "units")
    CLOCK_APART = ("clock.apart", "warning", "seconds")
    QUEUE_REAPED = ("queue.reaped", "warning", "task job")
    ENGINE_TICK_LATE = ("engine.tick_late", "warning", "unit seconds")
    LOOP_BLOCKED = ("daemon.blocked", "warning", "seconds units")
    UNIT_FAILED = ("unit.failed", "error", "unit error")
    CLOCK_JUMPED = ("clock.jumped", "error", "seconds")
    LIBRARY_MESSAGE = ("library.message", "warning", "logger text")

    # ---- config
    CONFIG_RELOADED = ("config.reloaded", "info", "config")
    CONFIG_RELOAD_REJECTED = ("config.reload_rejected", "error", "problems first")
    CONFIG_CHANGED = ("config.changed", "info", "config before changes changed")
    RULES_COMPARED = ("rules.compared", "info", "config before touched open_parcels new seconds")
    RULES_WAIT = ("rules.wait", "warning", "config before touched open_parcels new seconds")
    RULES_ACCEPTED = ("rules.accepted", "info", "config")
    RULES_NOT_COMPARABLE = ("rules.not_comparable", "warning", "config before reason")

    # ---- polling
    POLL_BATCH = ("poll.batch", "info", "source asked changed unchanged errors new_events seconds")
    POLL_FAILED = ("poll.failed", "warning", "source asked kind message retry_in")
    POLL_NUMBER_ERRORS = ("poll.number_errors", "warning", "source kind count sample message")
    POLL_PARKED = ("poll.parked", "error", "source shipment error")
    POLL_UNMAPPED_CODE = ("poll.unmapped_code", "warning", "source code shipment")
    POLL_WAITS = ("poll.waits", "warning", "source count classes until")
    POLL_NO_SOURCE = ("poll.no_source", "warning", "carrier count sample")
    SOURCE_DOWN = ("source.down", "error", "source kind message")
    SOURCE_UP = ("source.up", "info", "source down_seconds")

    # ---- pushes
    RECEIVER_OPEN = ("receiver.open", "info", "listen")
    RECEIVER_FAILED = ("receiver.failed", "error", "listen error")
    PUSH_HEARD = ("push.heard", "info", "source heard changed unchanged asked new_events")
    PUSH_UNFOLLOWED = ("push.unfollowed", "info", "source count sample")
    PUSH_REFUSED = ("push.refused", "warning", "source reason count")
    PUSH_FAILED = ("push.failed", "error", "source error count")

    # ---- marketplaces
    MARKET_READ = ("market.read", "info", "account windows changed cases news settled")
    MARKET_FAILED = ("market.failed", "warning", "account capability fault reason")
    MARKET_STOPPED = ("market.stopped", "error", "account capability fault reason")
    MARKET_WORKS = ("market.works", "info", "account capability")
    MARKET_STRANGE_CASE = ("market.strange_case", "warning", "account case")

    # ---- sweep
    SWEEP_DONE = ("sweep.done", "info", "dossiers decisions withdrawn seconds")
    SWEEP_PARKED = ("sweep.parked", "error", "order error")

    # ---- dispatch
    OUTBOX_SENT = ("outbox.sent", "info", "key channel store")
    OUTBOX_TASK_OPENED = ("outbox.task_opened", "info", "key store task")
    OUTBOX_CLAIM_OPENED = ("outbox.claim_opened", "info", "key earliest_on latest_on")
    OUTBOX_HELD = ("outbox.held", "info", "key store reason")
    OUTBOX_CANCELLED = ("outbox.cancelled", "info", "key reason")
    OUTBOX_REFUSED = ("outbox.refused", "warning", "key channel reason retry_in")
    OUTBOX_FELL_BACK = ("outbox.fell_back", "warning", "key channel reason next")
    OUTBOX_FAILED = ("outbox.failed", "error", "key channel reason")
    OUTBOX_UNKNOWN = ("outbox.unknown", "error", "key channel reason")
    OUTBOX_PARKED = ("outbox.parked", "error", "key error")
    OUTBOX_BY_HAND = ("outbox.by_hand", "warning", "key channel reason")
    EXTENSION_SHORTER = ("extension.shorter", "info", "key days reason")
    OUTBOX_LINT_HIT = ("outbox.lint_hit", "warning", "key rule words")
    JOURNAL_UNWRITABLE = ("journal.unwritable", "error", "path error")
    DATABASE_BEHIND = ("database.behind", "error", "keys newest journal")

    # ---- errands
    ERRAND_DONE = ("errand.done", "info", "errand occasion result")
    ERRAND_FAILED = ("errand.failed", "error", "errand occasion error")

    # ---- what is withheld
    STORE_MODE = ("store.mode", "info", "store mode observes approves pauses")
    PAUSE_STANDING = ("pause.standing", "info", "pause scope by reason until")
    PAUSE_ENDED = ("pause.ended", "info", "pause scope by reason until")
    HOLD_MODE_RAISED = ("hold.mode_raised", "info", "store count")

    # ---- inbox
    INBOX_STRANGE_FOLDER = ("inbox.strange_folder", "warning", "folder files")
    INBOX_PROFILES_REJECTED = ("inbox.profiles_rejected", "error", "problems first")
    INBOX_IMPORTED = ("inbox.imported", "info", "file rows new updated unchanged rejected")
    INBOX_FAILED = ("inbox.failed", "error", "file reason")

    # ---- alerts
    ALERT_RAISED = ("alert.raised", "warning", "kind count sample")
    ALERT_UNTOLD = ("alert.untold", "warning", "target kind reason")
