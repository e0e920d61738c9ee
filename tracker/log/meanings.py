"""What each log event means, and what to do: written for whoever reads the log at three in the morning."""

from __future__ import annotations

from collections.abc import Mapping

MEANINGS: Mapping[str, tuple[str, str]] = {
    # ---- daemon
    "daemon.started": (
        "The daemon holds the database and begins to work.",
        "Nothing.",
    ),
    "daemon.stopping": (
        "Asked to stop: no new work is taken, work in hand is finished.",
        "Nothing.",
    ),
    "daemon.stopped": (
        "Work in hand is finished; `seconds` is how long that took.",
        "Nothing after a stop you asked for. Else see the line before it.",
    ),
    "daemon.failed": (
        "The daemon cannot go on. `reason` says why and names the next command.",
        "Do what `reason` says. Code 75 is started again by systemd, 64 and 78 are not.",
    ),
    "database.awaited": (
        "The database server does not answer at the start; it is tried again for so many seconds, then the daemon ends with 75.",
        "Nothing while the server restarts. Else look whether it is up, and takes connections from this host.",
    ),
    "metrics.failed": (
        "The numbers for Prometheus could not be counted or told; said once until it changes.",
        "Look at [metrics] in tracker.toml: is the port taken, may the file be written? The work itself goes on.",
    ),
    "daemon.stuck": (
        "A unit of work has made no progress for so long that the watchdog is no longer fed.",
        "systemd restarts the daemon and writes a traceback; report it together with that.",
    ),
    "engine.drain_timeout": (
        "Work in hand did not end in time at the stop and was cut off; polls repeat, an unfinished send becomes `unknown`.",
        "Look at `tracker outbox list --state unknown` after the next start.",
    ),
    "engine.tick_late": (
        "No tick came for three intervals (the wall clock was set back, or the machine stood still); the unit was woken.",
        "Nothing if it happens once. Otherwise look at the machine's clock and load.",
    ),
    "clock.apart": (
        "This host's clock differs from the database server's by so many seconds; the worker goes by the server's.",
        "Set the host's clock by NTP; nothing else depends on it here.",
    ),
    "queue.reaped": (
        "A worker of the fleet died with this in hand; the queue's row was tidied away. Its rows are due again by themselves.",
        "Nothing. Where it comes again and again, look why workers die: journalctl -u 'tracker@*'.",
    ),
    "daemon.blocked": (
        "The event loop stood still: a call of ours blocked it, or the machine was overloaded. `units` had work in hand then.",
        "Nothing if it happens once. Otherwise look at the machine's load and disk; report it with the line.",
    ),
    "unit.failed": (
        "A unit of work failed; it is tried again at every tick, everything else goes on. Said once until the error changes.",
        "Do what `error` says; report it if there is a traceback.",
    ),
    "clock.jumped": (
        "The wall clock ran away from the monotonic one (a day ahead, or five minutes back): outreach waits, polling goes on.",
        "Mend the clock. Is the new time right: `tracker hold release --reason time_guard` confirms it and lets go what waited.",
    ),
    "library.message": (
        "A library warned about something.",
        "Read `text`; nothing if work goes on.",
    ),
    # ---- config
    "config.reloaded": (
        "SIGHUP: the new configuration is valid and in force.",
        "Nothing.",
    ),
    "config.reload_rejected": (
        "SIGHUP: the new configuration has mistakes; the old one stays in force.",
        "Run `tracker config check`, mend every line, send SIGHUP again.",
    ),
    "config.changed": (
        "What differs from the configuration before: `section.key: old -> new`, forty at most; secrets are masked.",
        "Nothing if you know it. Else put the old files back and reload.",
    ),
    "rules.compared": (
        "New rules were compared with those before over all open orders: few parcels get new effects, so nothing waits.",
        "Nothing.",
    ),
    "rules.wait": (
        "New rules are in force, but they act on so many parcels that what only they would do is held. `new` counts by intent.",
        "Look at `tracker decisions list --config HASH`; then `tracker config accept HASH`, or put the old files back.",
    ),
    "rules.accepted": (
        "A person has accepted the rules that waited: their effects go out as a ramp.",
        "Nothing.",
    ),
    "rules.not_comparable": (
        "This version cannot build the rules of before any more: what orders were not yet due for counts as new.",
        "See what `rules.wait` or `rules.compared` says next; if they wait, messages and refunds do, deadlines never.",
    ),
    # ---- polling
    "poll.batch": (
        "One conversation with a source: how many numbers were asked, how many answers brought news.",
        "Nothing.",
    ),
    "poll.failed": (
        "A whole request failed. No parcel changes or ages because of it; it is asked again after `retry_in` seconds.",
        "Nothing if it passes. Once `source.down` was said, further failures are silent until `source.up`.",
    ),
    "poll.number_errors": (
        "The source answered, but with an error for some numbers of a batch; these parcels keep their state.",
        "For `invalid_number`: correct the number in the order. Else nothing if it passes.",
    ),
    "poll.parked": (
        "The answer for one parcel could not be processed; it is asked again in a day, the others went on.",
        "Report it with `tracker explain NUMBER`.",
    ),
    "poll.unmapped_code": (
        "A source sent a status code that no table knows. The parcel is `unknown`, never guessed.",
        "Add the code to the source's table, or report it. Said once per code; `tracker carriers status` lists them all.",
    ),
    "poll.waits": (
        "A source's daily quota does not suffice for all parcels: some wait, which is no failure. Said once a day and source.",
        "`tracker carriers status` shows who waits. Buy a larger plan (`daily_quota`), or add a second source.",
    ),
    "poll.no_source": (
        "No source is configured for the carrier of these parcels, so nobody can be asked.",
        "Name a source in carriers.toml for this carrier (or for `*`), or set up its account in tracker.toml.",
    ),
    "source.down": (
        "A source has failed three times in a row. It is tried now and then; no parcel ages meanwhile.",
        "`auth`: check the account's key. `quota_exhausted`: buy quota or wait. Else wait for the source.",
    ),
    "source.up": (
        "The source answers again.",
        "Nothing.",
    ),
    # ---- pushes
    "receiver.open": (
        "The push door listens there: sources may call.",
        "Nothing.",
    ),
    "receiver.failed": (
        "The push door cannot listen: the port is taken, or not this machine's. Polling goes on; it is tried again.",
        "Choose another port in [receiver] listen of tracker.toml, and in the web server in front of it.",
    ),
    "push.heard": (
        "What a source pushed was heard like an answer; about `asked` parcels it is asked, as that push may be an old one.",
        "Nothing.",
    ),
    "push.unfollowed": (
        "A source pushed numbers that nobody follows here. Said once an hour; `count` since the last line.",
        "Nothing if the account serves others too. Else import their orders.",
    ),
    "push.refused": (
        "Pushes were turned away: `count` for this reason since the last line, one an hour. Nothing of them was kept.",
        "`signature`: is push_secret the one of the source's dashboard? Else a stranger tries the door. Else look at [receiver].",
    ),
    "push.failed": (
        "A signed push could not be kept; the source was told to come again. Said once an hour; `count` since the last line.",
        "Do what `error` says; report it if there is a traceback. Polling asks for what is lost.",
    ),
    # ---- marketplaces
    "market.read": (
        "A marketplace was read: windows and how many changed, open cases and news among them, doubtful extensions settled.",
        "Nothing.",
    ),
    "market.failed": (
        "A marketplace did not answer; it is asked again later, and nothing is taken for known. Said once until it changes.",
        "Nothing if it comes back. Else do what `reason` says.",
    ),
    "market.stopped": (
        "A marketplace's API cannot do this any more: `gone`, or the account is refused (`auth`). Extensions become tasks.",
        "`auth`: write a new token where the account's secrets lie, restart. `gone`: take it out of the account's `api = [...]`.",
    ),
    "market.works": (
        "A capability that was switched off works again.",
        "Nothing.",
    ),
    "market.strange_case": (
        "A marketplace lists a case of an order that is not known here, or whose order it does not name. Said once.",
        "Import the orders of that shop; or enter the case: `tracker cases add`.",
    ),
    # ---- sweep
    "sweep.done": (
        "Dossiers were decided; `decisions` new effects were written to the outbox.",
        "Nothing.",
    ),
    "sweep.parked": (
        "One order could not be decided; the others went on. It is looked at again in a day, in an hour if its shop has no file.",
        "Where the line names a file: put it back. Else report it with `tracker explain ORDER`.",
    ),
    # ---- dispatch
    "outbox.sent": (
        "A message was handed over to its channel.",
        "Nothing.",
    ),
    "outbox.task_opened": (
        "An effect became a task for a person.",
        "See `tracker tasks list`.",
    ),
    "outbox.claim_opened": (
        "A compensation claim was entered into the register.",
        "File it with the carrier between the two days.",
    ),
    "outbox.held": (
        "An effect waits for a person.",
        "See `tracker review list` and `tracker hold list`.",
    ),
    "outbox.cancelled": (
        "The facts no longer want this effect.",
        "Nothing.",
    ),
    "outbox.fell_back": (
        "A channel refused the message for good; the same message goes to the next one of the store's `fallback`.",
        "Nothing. Look at the buyer's address if it happens to many.",
    ),
    "outbox.refused": (
        "The channel refused for now (greylisting, too fast); the message waits and is tried again. It has not been sent.",
        "Nothing if it passes.",
    ),
    "outbox.failed": (
        "The message cannot be sent: the channel refused for good, or the template does not render.",
        "See `tracker outbox show`; mend the address or the template.",
    ),
    "outbox.unknown": (
        "Nobody knows whether the message left (timeout or crash after it was handed over). It is never sent again by itself.",
        "Look into the mailbox or ask the provider, then `tracker outbox resolve`.",
    ),
    "outbox.parked": (
        "One row of the outbox could not be worked on; it is tried again in an hour, the others went on.",
        "Report it with `tracker outbox show`.",
    ),
    "outbox.by_hand": (
        "A marketplace's call cannot do it, or refused it for good: it has become a task, with the reason among its facts.",
        "Do the task. Where `reason` names the account or the method, see `tracker status`.",
    ),
    "extension.shorter": (
        "The marketplace does not allow so many more days; fewer are asked for at once.",
        "Nothing.",
    ),
    "outbox.lint_hit": (
        "The finished text must not leave by itself (forbidden words, an unreviewed language, too long); it became a task.",
        "See `tracker tasks list`; change the template (config/messages) or the word list (lint.toml).",
    ),
    "journal.unwritable": (
        "The send journal cannot be written, so nothing is sent.",
        "Free disk space or mend the permissions; sending goes on by itself.",
    ),
    "database.behind": (
        "The send journal knows sends that the database does not: a backup was put back by hand. Nothing goes out meanwhile.",
        "Stop the daemon; `tracker db restore` the backup, or the database's own file. Rehearsal begun anew: move the journal.",
    ),
    # ---- errands
    "errand.done": (
        "Work of the schedule was done (a backup, the handover ...); `occasion` is the local day, month or hour it was for.",
        "Nothing.",
    ),
    "errand.failed": (
        "Work of the schedule could not be done. It is tried again every hour; said once until the error changes.",
        "Do what `error` says.",
    ),
    # ---- what is withheld
    "store.mode": (
        "At a start: what the store's mode withholds, only shown (`observes`) or up for review (`approves`), and its pauses.",
        "Raise `mode` or one of `modes` in the store's file once you trust it; `tracker hold list` shows what waited.",
    ),
    "pause.standing": (
        "At a start: the brake is on for `scope`; `until` null means until somebody resumes.",
        "`tracker pause` lists them; `tracker resume --all --dry-run` shows what would go out.",
    ),
    "pause.ended": (
        "The time of a pause is over. What it withheld goes out: what is more than a day late as a ramp.",
        "Nothing. `tracker pause` pulls the brake again.",
    ),
    "hold.mode_raised": (
        "Messages waited because the store observed; its mode was raised, so each is decided afresh.",
        "In mode `approve` see `tracker review list`; in mode `live` what is days late stands in `tracker hold list`.",
    ),
    # ---- inbox
    "inbox.strange_folder": (
        "A folder of the inbox holds files and is called like no store: nobody reads it. Said once a start.",
        "Rename it to the id of a store, or move its files into the inbox.",
    ),
    "inbox.profiles_rejected": (
        "A layout in profiles/ was changed and has mistakes: the inbox goes on with the layouts it knew.",
        "Run `tracker config check` and mend every line.",
    ),
    "inbox.imported": (
        "A file of the inbox was read and moved to done/.",
        "If rows were rejected: the file beside it says why.",
    ),
    "inbox.failed": (
        "A file of the inbox could not be read and was moved to failed/.",
        "Do what `reason` says and put the file into the inbox again.",
    ),
    # ---- alerts
    "alert.raised": (
        "Something new needs a person; those who are to be told are told once a shift and kind.",
        "`tracker status` lists what needs a person, with the command that shows it.",
    ),
    "alert.untold": (
        "A target did not take a message; it is tried again, at least hourly. Said once until the reason changes.",
        "Look at its [[target]] in tracker.toml, or the person's address in team.toml; `tracker doctor` tries the hosts.",
    ),
}
"""Event -> what it means, what to do."""
