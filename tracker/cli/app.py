"""The list of commands, and the one place where an exception becomes a message and an exit code."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Mapping, Sequence

from cyclopts import App, CycloptsError

from tracker.cli.errors import Failure, failure_of
from tracker.cli.output import print_json

COMMANDS: Mapping[str, tuple[str, str]] = {
    "init": ("tracker.cli.init:init", "Write a first configuration, folders and the database."),
    "demo": ("tracker.cli.demo:demo", "Tell a whole story on a simulated clock, through the real pipeline."),
    "run": ("tracker.cli.run:run", "Run the daemon, or one full pass with --once."),
    "import": ("tracker.cli.imports:import_files", "Read order and shipping files."),
    "carriers": ("tracker.cli.carriers:app", "The sources that can be asked, and what their answers mean."),
    "services": ("tracker.cli.services:services", "Texts of shipping services and what they map to."),
    "explain": ("tracker.cli.explain:explain_", "Why an order is treated as it is, at any date."),
    "plan": ("tracker.cli.plan:plan", "What will happen, or what other rules would change; reads only."),
    "apply": ("tracker.cli.apply:apply", "Let exactly that happen which a saved plan found due."),
    "test": ("tracker.cli.test:try_rules", "Rules on trial: cases with what must be decided, and what must not."),
    "backtest": ("tracker.cli.backtest:backtest", "Past orders under today's rules, or under two sets of them."),
    "decisions": ("tracker.cli.decisions:app", "Decisions by rule, configuration and time; taking back those of a wrong rule."),
    "review": ("tracker.cli.review:app", "Recommendations that wait for a person's word."),
    "tasks": ("tracker.cli.tasks:app", "Work that only a person can do."),
    "claims": ("tracker.cli.claims:app", "What carriers owe: filing, answers, statements, the money."),
    "cases": ("tracker.cli.cases:app", "Cases of buyers and marketplaces, and until when each wants its answer."),
    "outbox": ("tracker.cli.outbox:app", "Everything that was decided, and the doubtful sends."),
    "hold": ("tracker.cli.hold:app", "What a guard holds back."),
    "backlog": ("tracker.cli.backlog:app", "What a cut-over, an outage, a pause or a restore left behind."),
    "pause": ("tracker.cli.brake:pause", "Pull the brake: by store, country, carrier, rule, template, channel."),
    "resume": ("tracker.cli.brake:resume", "Let go of the brake, and show what goes out."),
    "advisory": ("tracker.cli.advisory:app", "Parcels somewhere are slow for a while: silence gains days, buyers are told."),
    "order": ("tracker.cli.order:app", "Facts from outside: refunded, received, opted out, on hold."),
    "status": ("tracker.cli.status:status", "What is due, what waits, what needs a person."),
    "doctor": ("tracker.cli.doctor:doctor", "Whether everything around the daemon is as it should be."),
    "logs": ("tracker.cli.logs:logs", "The story of one parcel or order, as it was written down."),
    "worker": ("tracker.cli.worker:app", "The workers of a fleet: say that one will not come back."),
    "config": ("tracker.cli.config:app", "Check, show, describe and accept the configuration."),
    "db": ("tracker.cli.db:app", "The database: schema, check, backup and restore, retirement."),
    "report": ("tracker.cli.report:app", "Registers and worksheets as files."),
}
"""Name -> where it lives, and what the list of commands says about it."""

DAEMON_USAGE = 64
"""Wrong usage of the resident `tracker run`, which speaks to systemd; all its other codes are tracker.daemon's."""

EXIT_CODES = (
    "Exit codes: 0 done · 1 failed, or something needs a person · 2 usage or configuration · 3 done in part.  \n"
    "Every command takes --json (one document on stdout) and --config PATH."
)


def build(called: str | None = None) -> App:
    """The application: names now, modules when they are called. The command that is `called` tells its own, longer help."""
    app = App(
        name="tracker",
        help="Follows cross-border parcels, writes to buyers in time, and keeps every deadline a marketplace or carrier sets.",
        help_epilogue=EXIT_CODES,
        version=_version,
        result_action="return_value",
        exit_on_error=False,
        suppress_keyboard_interrupt=False,
        print_error=False,
    )
    for name, (where, text) in COMMANDS.items():
        app.command(where, name=name, help=None if name == called else text)
    return app


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. `argv` without the program's name, the process's own by default."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        code = build(next(iter(words), None))(words)
    except CycloptsError as error:
        failure = Failure(kind="usage", message=f"{error}\nSee: tracker {_command_of(error)}--help", code=2)
    except BrokenPipeError:
        _give_up_stdout()  # the reader has gone (`| head`)
        return 1
    except KeyboardInterrupt:
        failure = Failure(kind="interrupted", message="stopped by the keyboard", code=1)
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC and not error.filename:
            # No file is named: it was stdout itself, redirected to a disk that is full.
            _give_up_stdout()
            print("tracker: the output could not be written: no space left on the disk", file=sys.stderr)
            return 1
        found = failure_of(error)
        if found is None:
            raise
        failure = found
    else:
        return code if isinstance(code, int) else 0
    return _report(failure, words)


def _give_up_stdout() -> None:
    """The interpreter's own last flush needs somewhere to go, else it complains."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report(failure: Failure, words: Sequence[str]) -> int:
    if "--json" in words:
        print_json({"error": {"kind": failure.kind, "message": failure.message, **failure.details}})
    else:
        print(f"tracker: {failure.message}", file=sys.stderr)
    return DAEMON_USAGE if _resident(words) and failure.kind == "usage" else failure.code


def _resident(words: Sequence[str]) -> bool:
    """Whether these words start the daemon, which speaks to systemd in other codes (facts/systemd.md section 6)."""
    return list(words[:1]) == ["run"] and "--once" not in words


def _command_of(error: CycloptsError) -> str:
    """The command whose help tells more: as many words as were understood."""
    return "".join(f"{word} " for word in error.command_chain or ())


def _version() -> str:
    from importlib.metadata import version

    return version("logistics-tracker")
