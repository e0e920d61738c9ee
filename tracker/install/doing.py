"""Each kind of step, done: look first, then do what is missing. A dry run only looks."""

from __future__ import annotations

import os
import tempfile
from datetime import datetime
from functools import singledispatch
from pathlib import Path

import msgspec

from tracker import config
from tracker.config import ConfigError
from tracker.install import steps
from tracker.install.machine import Machine
from tracker.install.outcome import Did, Outcome
from tracker.install.steps import Rights, Step
from tracker.install.units import Verdict, judge
from tracker.keeping.beside import no_new_one
from tracker.store import SchemaVerdict, StoreError, create, schema_state

_UNIT_RIGHTS = Rights(steps.ROOT, 0o644)
_DATABASE_RIGHTS = Rights(steps.SERVICE_OWNER, 0o660)

HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108 - where the unit looks away, nothing is written there
"""ProtectHome= and PrivateTmp= of the unit: what lies here the service cannot see."""

_BY_HAND = (
    f"there is no systemd-sysusers; make them: groupadd --system {steps.GROUP}; useradd --system --home-dir {steps.STATE} "
    f"--shell /usr/sbin/nologin --groups {steps.GROUP} {steps.USER}; then run this again"
)


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Where, whether for real, and at which time."""

    machine: Machine
    dry_run: bool
    now: datetime


@singledispatch
def do(step: Step, job: Job) -> Outcome:  # noqa: ARG001 - the functions below take it
    """Do one step. Raises OSError."""
    raise TypeError(f"{step!r} is no step")


@do.register
def _program(step: steps.Program, job: Job) -> Outcome:
    real = job.machine.root / step.path.lstrip("/")
    hidden = hidden_by_unit(step.path) or hidden_by_unit(_interpreter(real))
    if hidden:
        note = f"the service cannot see {hidden}: install with a Python of the system, make install PYTHON=/usr/bin/python3"
        return Outcome(did=Did.NEEDS_YOU, path=step.path, note=note)
    return Outcome(did=Did.KEPT, path=step.path)


@do.register
def _accounts(step: steps.Accounts, job: Job) -> Outcome:
    if job.machine.has_accounts():
        return Outcome(did=Did.KEPT, path=step.path)
    if job.dry_run:
        return Outcome(did=Did.WOULD, path=step.path)
    job.machine.real("/etc/passwd").parent.mkdir(parents=True, exist_ok=True)
    where = [] if job.machine.live else [f"--root={job.machine.root}"]
    if job.machine.ask(["systemd-sysusers", *where, "-"], steps.SYSUSERS) is None:
        return Outcome(did=Did.NEEDS_YOU, path=step.path, note=_BY_HAND)
    return Outcome(did=Did.DONE, path=step.path, note="user, and group of those who work with it")


@do.register
def _folder(step: steps.Folder, job: Job) -> Outcome:
    real = job.machine.real(step.path)
    if real.is_symlink() or (real.exists() and not real.is_dir()):
        return Outcome(did=Did.NEEDS_YOU, path=step.path, note="is no folder; it was left as it is")
    if real.exists():
        return _settled(step.path, real, step.rights, job)
    if job.dry_run:
        return Outcome(did=Did.WOULD, path=step.path, note=_told(step.rights))
    real.parent.mkdir(parents=True, exist_ok=True)
    real.mkdir(mode=0o700)
    return _made(step.path, real, step.rights, job)


@do.register
def _file(step: steps.File, job: Job) -> Outcome:
    real = job.machine.real(step.path)
    if real.exists() and (not step.ours or _text(real) == step.text):
        return _settled(step.path, real, step.rights, job)
    return _written(step.path, real, step.text, step.rights, job)


@do.register
def _unit(step: steps.UnitFile, job: Job) -> Outcome:
    real, beside = job.machine.real(step.path), job.machine.real(f"{step.path}.new")
    verdict = judge(_text(real), step.text) if real.exists() else Verdict.OLDER
    if verdict is Verdict.SAME:
        return _settled(step.path, real, _UNIT_RIGHTS, job)
    if verdict is Verdict.OLDER:
        return _written(step.path, real, step.text, _UNIT_RIGHTS, job)
    if not job.dry_run:
        _written(step.path, beside, step.text, _UNIT_RIGHTS, job)
    name = Path(step.path).name
    note = f"edited here, so it stays; this version's is {beside.name}. Keep your lines by systemctl edit {name}, then replace it"
    return Outcome(did=Did.NEEDS_YOU, path=step.path, note=note)


@do.register
def _link(step: steps.Link, job: Job) -> Outcome:
    real = job.machine.real(step.path)
    if real.is_symlink() and str(real.readlink()) == step.target:
        return Outcome(did=Did.KEPT, path=step.path)
    if real.exists() or real.is_symlink():
        note = f"is something else, so it stays; the command is {step.target}"
        return Outcome(did=Did.NEEDS_YOU, path=step.path, note=note)
    if job.dry_run:
        return Outcome(did=Did.WOULD, path=step.path, note=f"-> {step.target}")
    real.parent.mkdir(parents=True, exist_ok=True)
    real.symlink_to(step.target)
    return Outcome(did=Did.DONE, path=step.path, note=f"-> {step.target}")


@do.register
def _database(step: steps.Database, job: Job) -> Outcome:
    """Made aside and moved into its place whole; at what is there nothing is done but give it its owner."""
    file = job.machine.real(f"{steps.CONFIG}/tracker.toml")
    if job.dry_run and not file.exists():
        return Outcome(did=Did.WOULD, path=step.path)
    try:
        settings = config.load(file, environ={"STATE_DIRECTORY": steps.STATE}).settings
    except ConfigError as error:
        note = f"not looked at, the configuration has errors: {error.problems[0]}"
        return Outcome(did=Did.NEEDS_YOU, path=step.path, note=note)
    if not settings.database_url.startswith("sqlite:///"):
        return Outcome(did=Did.KEPT, path="database", note="another server's: tracker db upgrade makes its tables")
    path = settings.database_url.removeprefix("sqlite:///")
    real = job.machine.real(path)
    if real.is_symlink():
        # Its folder belongs to the service: what root opened through a link would be chosen by whoever made the link.
        return _settled(path, real, _DATABASE_RIGHTS, job)
    if real.exists():
        return _present(path, real, job)
    refusal = no_new_one(job.machine.real(str(settings.journal)))
    if refusal is not None:
        return Outcome(did=Did.NEEDS_YOU, path=path, note=refusal)
    if job.dry_run:
        return Outcome(did=Did.WOULD, path=path)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=real.parent) as aside:
        made = Path(aside) / real.name
        create(f"sqlite:///{made}", rehearsal=False, now=job.now)
        outcome = _made(path, made, _DATABASE_RIGHTS, job)
        os.link(made, real, follow_symlinks=False)
    return outcome


def _present(path: str, real: Path, job: Job) -> Outcome:
    try:
        state = schema_state(f"sqlite:///{real}")
    except StoreError as error:
        return Outcome(did=Did.NEEDS_YOU, path=path, note=str(error))
    if state.verdict is not SchemaVerdict.CURRENT:
        help_ = f"sudo -u {steps.USER} tracker db upgrade" if state.verdict is SchemaVerdict.TOO_OLD else "tracker db check"
        note = f"has schema {state.found}, this version needs {state.needed}: {help_}"
        return Outcome(did=Did.NEEDS_YOU, path=path, note=note)
    return _settled(path, real, _DATABASE_RIGHTS, job)


@do.register
def _reload(step: steps.Reload, job: Job) -> Outcome:
    if job.dry_run:
        return Outcome(did=Did.WOULD, path=step.path)
    job.machine.ask(["systemctl", "daemon-reload"])
    return Outcome(did=Did.DONE, path=step.path)


@do.register
def _enable(step: steps.Enable, job: Job) -> Outcome:
    if job.dry_run:
        return Outcome(did=Did.WOULD, path=step.path)
    how = ["--now"] if job.machine.live else [f"--root={job.machine.root}"]
    if job.machine.ask(["systemctl", "enable", *how, steps.SERVICE]) is None:
        return Outcome(did=Did.NEEDS_YOU, path=step.path, note="there is no systemctl here")
    return Outcome(did=Did.DONE, path=step.path)


def hidden_by_unit(path: str | Path | None) -> str | None:
    """The path, when it lies where the service cannot see it."""
    return str(path) if path is not None and any(Path(path).is_relative_to(place) for place in HIDDEN) else None


def _interpreter(program: Path) -> str | None:
    """The folder of the Python that an environment was made from: `home = ...` of its pyvenv.cfg. None without one."""
    try:
        lines = (program.parent.parent / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((line.partition("=")[2].strip() for line in lines if line.partition("=")[0].strip() == "home"), None)


def _text(real: Path) -> str:
    """What a file holds; bytes that are no UTF-8 are somebody's own, and differ from every text of ours."""
    return real.read_text(encoding="utf-8", errors="surrogateescape")


def _written(path: str, real: Path, text: str, rights: Rights, job: Job) -> Outcome:
    """A whole file or none: written beside, then moved into its place."""
    if job.dry_run:
        return Outcome(did=Did.WOULD, path=path, note=_told(rights))
    real.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(prefix=f".{real.name}-", dir=real.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        outcome = _made(path, Path(beside), rights, job)
        Path(beside).replace(real)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    return outcome


def _made(path: str, real: Path, rights: Rights, job: Job) -> Outcome:
    return Outcome(did=Did.DONE, path=path, note=_told(rights), owner=job.machine.settle(real, rights).owner)


def _settled(path: str, real: Path, rights: Rights, job: Job) -> Outcome:
    """What is there keeps its content; its rights are mended where the service or a secret needs that."""
    if real.is_symlink():
        # A person's own arrangement; whether the service can read it, its start will tell.
        return Outcome(did=Did.KEPT, path=path, note=f"a link to {real.readlink()}")
    if job.machine.enough(real, rights):
        return Outcome(did=Did.KEPT, path=path)
    if job.dry_run:
        return Outcome(did=Did.WOULD, path=path, note=_told(rights))
    settled = job.machine.settle(real, rights)
    if settled.changed:
        return Outcome(did=Did.DONE, path=path, note=f"mended: {_told(rights)}", owner=settled.owner)
    return Outcome(did=Did.KEPT, path=path, owner=settled.owner)


def _told(rights: Rights) -> str:
    return f"{rights.owner} {rights.mode:04o}"
