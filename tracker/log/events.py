"""The catalogue of log events: every line that the product writes has its name, level, fields, meaning and "what to do" here.

`docs/events.md` is made from it. Log changes of state, not states; one outcome line per unit of work; never one per parcel.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Event(StrEnum):
    """A log event. The value is its name in the log; `level`, `fields`, `meaning` and `todo` explain it."""

    level: str
    fields: tuple[str, ...]
    meaning: str
    todo: str

    def __new__(cls, name: str, level: str, fields: str, meaning: str, todo: str) -> Self:
        """`fields` is a list of words."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.level, member.fields, member.meaning, member.todo = level, tuple(fields.split()), meaning, todo
        return member

    # ---- daemon
    DAEMON_STARTED = (
        "daemon.started",
        "info",
        "version config database epoch",
        "The daemon holds the database and begins to work.",
        "Nothing.",
    )
    DAEMON_STOPPING = (
        "daemon.stopping",
        "info",
        "signal",
        "Asked to stop: no new work is taken, work in hand is finished.",
        "Nothing.",
    )
    DAEMON_STOPPED = (
        "daemon.stopped",
        "info",
        "exit_code seconds",
        "Work in hand is finished; `seconds` is how long that took.",
        "Nothing after a stop you asked for. Else see the line before it.",
    )
    DAEMON_FAILED = (
        "daemon.failed",
        "error",
        "exit_code reason",
        "The daemon cannot go on. `reason` says why and names the next command.",
        "Do what `reason` says. Code 75 is started again by systemd, 64 and 78 are not.",
    )
    METRICS_FAILED = (
        "metrics.failed",
        "warning",
        "error",
        "The numbers for Prometheus could not be counted or told; said once until it changes.",
        "Look at [metrics] in tracker.toml: is the port taken, may the file be written? The work itself goes on.",
    )
    DAEMON_STUCK = (
        "daemon.stuck",
        "error",
        "unit seconds",
        "A unit of work has made no progress for so long that the watchdog is no longer fed.",
        "systemd restarts the daemon and writes a traceback; report it together with that.",
    )
    ENGINE_DRAIN_TIMEOUT = (
        "engine.drain_timeout",
        "warning",
        "units",
        "Work in hand did not end in time at the stop and was cut off; polls repeat, an unfinished send becomes `unknown`.",
        "Look at `tracker outbox list --state unknown` after the next start.",
    )
    ENGINE_TICK_LATE = (
        "engine.tick_late",
        "warning",
        "unit seconds",
        "No tick came for three intervals (the wall clock was set back, or the machine stood still); the unit was woken.",
        "Nothing if it happens once. Otherwise look at the machine's clock and load.",
    )
    UNIT_FAILED = (
        "unit.failed",
        "error",
        "unit error",
        "A unit of work failed; it is tried again at every tick, everything else goes on. Said once until the error changes.",
        "Do what `error` says; report it if there is a traceback.",
    )
    CLOCK_JUMPED = (
        "clock.jumped",
        "error",
        "seconds",
        "The wall clock ran away from the monotonic one (a day ahead, or five minutes back): outreach waits, polling goes on.",
        "Mend the clock. If the new time is right: `tracker hold release --reason time_guard` confirms it and lets go what waited.",
    )
    LIBRARY_MESSAGE = (
        "library.message",
        "warning",
        "logger text",
        "A library warned about something.",
        "Read `text`; nothing if work goes on.",
    )

    # ---- config
    CONFIG_RELOADED = (
        "config.reloaded",
        "info",
        "config",
        "SIGHUP: the new configuration is valid and in force.",
        "Nothing.",
    )
    CONFIG_RELOAD_REJECTED = (
        "config.reload_rejected",
        "error",
        "problems first",
        "SIGHUP: the new configuration has mistakes; the old one stays in force.",
        "Run `tracker config check`, mend every line, send SIGHUP again.",
    )

    CONFIG_CHANGED = (
        "config.changed",
        "info",
        "config before changes changed",
        "What differs from the configuration before: `section.key: old -> new`, forty at most; secrets are masked.",
        "Nothing if you know it. Else put the old files back and reload.",
    )
    RULES_COMPARED = (
        "rules.compared",
        "info",
        "config before touched open_parcels new seconds",
        "New rules were compared with those before over all open orders: few parcels get new effects, so nothing waits.",
        "Nothing.",
    )
    RULES_WAIT = (
        "rules.wait",
        "warning",
        "config before touched open_parcels new seconds",
        "New rules are in force, but they act on so many parcels that what only they would do is held. `new` counts by intent.",
        "Look at `tracker decisions list --config HASH`; then `tracker config accept HASH`, or put the old files back.",
    )
    RULES_ACCEPTED = (
        "rules.accepted",
        "info",
        "config",
        "A person has accepted the rules that waited: their effects go out as a ramp.",
        "Nothing.",
    )
    RULES_NOT_COMPARABLE = (
        "rules.not_comparable",
        "warning",
        "config before reason",
        "This version cannot build the rules of before any more: what orders were not yet due for counts as new.",
        "See what `rules.wait` or `rules.compared` says next; if they wait, messages and refunds do, deadlines never.",
    )

    # ---- polling
    POLL_BATCH = (
        "poll.batch",
        "info",
        "source asked changed unchanged errors new_events seconds",
        "One conversation with a source: how many numbers were asked, how many answers brought news.",
        "Nothing.",
    )
    POLL_FAILED = (
        "poll.failed",
        "warning",
        "source asked kind message retry_in",
        "A whole request failed. No parcel changes or ages because of it; it is asked again after `retry_in` seconds.",
        "Nothing if it passes. Once `source.down` was said, further failures are silent until `source.up`.",
    )
    POLL_NUMBER_ERRORS = (
        "poll.number_errors",
        "warning",
        "source kind count sample message",
        "The source answered, but with an error for some numbers of a batch; these parcels keep their state.",
        "For `invalid_number`: correct the number in the order. Else nothing if it passes.",
    )
    POLL_PARKED = (
        "poll.parked",
        "error",
        "source shipment error",
        "The answer for one parcel could not be processed; it is asked again in a day, the others went on.",
        "Report it with `tracker explain NUMBER`.",
    )
    POLL_UNMAPPED_CODE = (
        "poll.unmapped_code",
        "warning",
        "source code shipment",
        "A source sent a status code that no table knows. The parcel is `unknown`, never guessed.",
        "Add the code to the source's table, or report it; once per code and run.",
    )
    POLL_NO_SOURCE = (
        "poll.no_source",
        "warning",
        "carrier count sample",
        "No source is configured for the carrier of these parcels, so nobody can be asked.",
        "Name a source in carriers.toml for this carrier (or for `*`), or set up its account in tracker.toml.",
    )
    SOURCE_DOWN = (
        "source.down",
        "error",
        "source kind message",
        "A source has failed three times in a row. It is tried now and then; no parcel ages meanwhile.",
        "`auth`: check the account's key. `quota_exhausted`: buy quota or wait. Else wait for the source.",
    )
    SOURCE_UP = ("source.up", "info", "source down_seconds", "The source answers again.", "Nothing.")

    # ---- sweep
    SWEEP_DONE = (
        "sweep.done",
        "info",
        "dossiers decisions withdrawn seconds",
        "Dossiers were decided; `decisions` new effects were written to the outbox.",
        "Nothing.",
    )
    SWEEP_PARKED = (
        "sweep.parked",
        "error",
        "order error",
        "One order could not be decided; it is looked at again in a day, the others went on.",
        "Report it with `tracker explain ORDER`.",
    )

    # ---- dispatch
    OUTBOX_SENT = ("outbox.sent", "info", "key channel store", "A message was handed over to its channel.", "Nothing.")
    OUTBOX_TASK_OPENED = (
        "outbox.task_opened",
        "info",
        "key store task",
        "An effect became a task for a person.",
        "See `tracker tasks list`.",
    )
    OUTBOX_CLAIM_OPENED = (
        "outbox.claim_opened",
        "info",
        "key earliest_on latest_on",
        "A compensation claim was entered into the register.",
        "File it with the carrier between the two days.",
    )
    OUTBOX_HELD = (
        "outbox.held",
        "info",
        "key store reason",
        "An effect waits for a person.",
        "See `tracker review list` and `tracker hold list`.",
    )
    OUTBOX_CANCELLED = ("outbox.cancelled", "info", "key reason", "The facts no longer want this effect.", "Nothing.")
    OUTBOX_REFUSED = (
        "outbox.refused",
        "warning",
        "key channel reason retry_in",
        "The channel refused for now (greylisting, too fast); the message waits and is tried again. It has not been sent.",
        "Nothing if it passes.",
    )
    OUTBOX_FAILED = (
        "outbox.failed",
        "error",
        "key channel reason",
        "The message cannot be sent: the channel refused for good, or the template does not render.",
        "See `tracker outbox show`; mend the address or the template.",
    )
    OUTBOX_UNKNOWN = (
        "outbox.unknown",
        "error",
        "key channel reason",
        "Nobody knows whether the message left (timeout or crash after it was handed over). It is never sent again by itself.",
        "Look into the mailbox or ask the provider, then `tracker outbox resolve`.",
    )
    OUTBOX_PARKED = (
        "outbox.parked",
        "error",
        "key error",
        "One row of the outbox could not be worked on; it is tried again in an hour, the others went on.",
        "Report it with `tracker outbox show`.",
    )
    OUTBOX_LINT_HIT = (
        "outbox.lint_hit",
        "warning",
        "key rule words",
        "The finished text must not leave by itself (forbidden words, an unreviewed language, too long); it became a task.",
        "See `tracker tasks list`; change the template (config/messages) or the word list (lint.toml).",
    )
    JOURNAL_UNWRITABLE = (
        "journal.unwritable",
        "error",
        "path error",
        "The send journal cannot be written, so nothing is sent.",
        "Free disk space or mend the permissions; sending goes on by itself.",
    )

    DATABASE_BEHIND = (
        "database.behind",
        "error",
        "keys newest journal",
        "The send journal knows sends that the database does not: a backup was put back by hand. Nothing goes out meanwhile.",
        "Stop the daemon and run `tracker db restore` with the backup, or with the database's own file if there is none.",
    )

    # ---- errands
    ERRAND_DONE = (
        "errand.done",
        "info",
        "errand occasion result",
        "Work of the schedule was done (a backup, the handover ...); `occasion` is the local day, month or hour it was for.",
        "Nothing.",
    )
    ERRAND_FAILED = (
        "errand.failed",
        "error",
        "errand occasion error",
        "Work of the schedule could not be done. It is tried again every hour; said once until the error changes.",
        "Do what `error` says.",
    )

    # ---- what is withheld
    STORE_MODE = (
        "store.mode",
        "info",
        "store mode observes approves pauses",
        "At a start: the types of message that this store's mode withholds, and the pauses that concern it. What is in `observes` is "
        "decided and shown, what is in `approves` waits for review.",
        "Raise `mode` or one of `modes` in the store's file once you trust it; `tracker hold list` shows what waited.",
    )
    PAUSE_STANDING = (
        "pause.standing",
        "info",
        "pause scope by reason until",
        "At a start: the brake is on for `scope`; `until` null means until somebody resumes.",
        "`tracker pause` lists them; `tracker resume --all --dry-run` shows what would go out.",
    )
    PAUSE_ENDED = (
        "pause.ended",
        "info",
        "pause scope by reason until",
        "The time of a pause is over. What it withheld goes out: what is more than a day late as a ramp.",
        "Nothing. `tracker pause` pulls the brake again.",
    )
    HOLD_MODE_RAISED = (
        "hold.mode_raised",
        "info",
        "store count",
        "Messages waited because the store observed; its mode was raised, so each is decided afresh.",
        "In mode `approve` see `tracker review list`; in mode `live` what is days late stands in `tracker hold list`.",
    )

    # ---- inbox
    INBOX_STRANGE_FOLDER = (
        "inbox.strange_folder",
        "warning",
        "folder files",
        "A folder of the inbox holds files and is called like no store: nobody reads it. Said once a start.",
        "Rename it to the id of a store, or move its files into the inbox.",
    )
    INBOX_PROFILES_REJECTED = (
        "inbox.profiles_rejected",
        "error",
        "problems first",
        "A layout in profiles/ was changed and has mistakes: the inbox goes on with the layouts it knew.",
        "Run `tracker config check` and mend every line.",
    )
    INBOX_IMPORTED = (
        "inbox.imported",
        "info",
        "file rows new updated unchanged rejected",
        "A file of the inbox was read and moved to done/.",
        "If rows were rejected: the file beside it says why.",
    )
    INBOX_FAILED = (
        "inbox.failed",
        "error",
        "file reason",
        "A file of the inbox could not be read and was moved to failed/.",
        "Do what `reason` says and put the file into the inbox again.",
    )

    # ---- alerts
    ALERT_RAISED = (
        "alert.raised",
        "warning",
        "kind count sample",
        "Something new needs a person; those who are to be told are told once a shift and kind.",
        "`tracker status` lists what needs a person, with the command that shows it.",
    )
    ALERT_UNTOLD = (
        "alert.untold",
        "warning",
        "target kind reason",
        "A target did not take a message; it is tried again, at least hourly. Said once until the reason changes.",
        "Look at its [[target]] in tracker.toml, or the person's address in team.toml; `tracker doctor` tries the hosts.",
    )
