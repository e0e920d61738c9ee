"""The whole installation: refuse what cannot become a service, then one step after the other."""

from __future__ import annotations

import re
import sys
from datetime import datetime
from pathlib import Path

import msgspec

from tracker import config
from tracker.config import example
from tracker.install import steps
from tracker.install.doing import Job, do, hidden_by_unit
from tracker.install.machine import Machine
from tracker.install.outcome import Did, Outcome
from tracker.install.steps import Step, plan
from tracker.install.units import NAMES, is_installed, rendered

_PLAIN = re.compile(r"/[\w.+/-]*[\w.+-]")
"""What may stand in an ExecStart= line and in a shebang as it is."""


class Refused(Exception):  # noqa: N818 - what happened, said plainly
    """This machine, or this call, cannot lead to a service; nothing was done. The message says what to do instead."""


class StepFailed(Exception):  # noqa: N818 - what happened, said plainly
    """A step could not be done; those before it are, and may be repeated."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was done. `first`: the configuration is new. `program`: it is there already, at `prefix` of the system set up."""

    prefix: str
    outcomes: tuple[Outcome, ...]
    first: bool
    program: bool

    @property
    def needs_you(self) -> bool:
        """Whether a person has something left to do before the service can work."""
        return any(outcome.did is Did.NEEDS_YOU for outcome in self.outcomes)


def install(machine: Machine, *, prefix: str | None, enable: bool, dry_run: bool, now: datetime) -> Report:
    """Set the machine up, or tell what would be done. Raises Refused, StepFailed."""
    program = prefix or default_prefix(machine)
    try:
        _refuse(machine, program, dry_run=dry_run)
    except OSError as error:
        raise StepFailed(f"{error.filename}: {error.strerror}") from error
    job = Job(machine=machine, dry_run=dry_run, now=now)
    outcomes: list[Outcome] = []
    for step in _plan(machine, program, enable=enable):
        if isinstance(step, steps.Reload) and not _units_changed(outcomes):
            outcomes.append(Outcome(did=Did.KEPT, path=step.path))
            continue
        if step.path.startswith(steps.STATE) and machine.real(steps.STATE).is_symlink():
            outcomes.append(Outcome(did=Did.KEPT, path=step.path, note="systemd keeps it (DynamicUser=)"))
            continue
        try:
            outcomes.append(do(step, job))
        except OSError as error:
            raise StepFailed(f"{step.path}: {error.strerror or error}") from error
    first = any(each.path == f"{steps.CONFIG}/tracker.toml" and each.did in {Did.DONE, Did.WOULD} for each in outcomes)
    return Report(
        prefix=program,
        outcomes=(*outcomes, *_owners(outcomes)),
        first=first,
        program=has_program(machine, program),
    )


def default_prefix(machine: Machine) -> str:
    """The environment that runs this, when it is an installed one that this machine's services can see; else the usual place."""
    here = Path(sys.prefix)
    ours = machine.live and is_installed() and (here / "bin/tracker").exists() and not hidden_by_unit(here)
    return str(here) if ours else steps.PREFIX


def has_program(machine: Machine, prefix: str) -> bool:
    """Whether there is something to start."""
    return (machine.root / prefix.lstrip("/") / "bin/tracker").exists()


def _plan(machine: Machine, prefix: str, *, enable: bool) -> tuple[Step, ...]:
    schema = msgspec.json.format(msgspec.json.encode(config.schema()), indent=2).decode() + "\n"
    return plan(
        prefix=prefix,
        has_program=has_program(machine, prefix),
        files=example(rehearsal=False, state_dir=steps.STATE).files,
        schema=schema,
        units={name: rendered(name, prefix) for name in NAMES},
        reload=machine.booted,
        enable=enable,
    )


def _refuse(machine: Machine, prefix: str, *, dry_run: bool) -> None:
    if not _PLAIN.fullmatch(prefix):
        raise Refused(f"{prefix}: a service needs an absolute path of letters, digits and . _ + - for --prefix")
    if machine.live and not machine.booted:
        raise Refused(
            "no systemd runs here, so nothing was done. Another supervisor can start the daemon: make its folder with "
            "`tracker init DIR`, let it start `tracker run` as a user of its own, again after every exit code but 0, 64 and 78, "
            "and name secrets by file: instead of credential:. To prepare the disk of another machine: --root DIR"
        )
    if machine.live and not machine.is_root and not dry_run:
        raise Refused("only root can set up a service: sudo tracker init --system (--dry-run shows what it would do)")
    if machine.live and not dry_run and not has_program(machine, prefix):
        raise Refused(f"there is no {prefix}/bin/tracker to start: run `make install` first, or name its place with --prefix")
    account = machine.account(steps.USER)
    if account is not None and account.can_log_in:
        raise Refused(
            f"the account {steps.USER} is there already and can log in (uid {account.uid}, shell {account.shell or '/bin/sh'}): "
            f"if it is meant for the daemon, take its shell away (usermod --shell /usr/sbin/nologin {steps.USER}); "
            "if it is a person's, rename it"
        )


def _units_changed(outcomes: list[Outcome]) -> bool:
    return any(each.path.startswith(steps.UNITS) and each.did in {Did.DONE, Did.WOULD} for each in outcomes)


def _owners(outcomes: list[Outcome]) -> list[Outcome]:
    left = [each for each in outcomes if each.owner is not None]
    if not left:
        return []
    note = f"{len(left)} files and folders have yours instead of their own: run this again as root"
    return [Outcome(did=Did.NEEDS_YOU, path="owners", note=note)]
