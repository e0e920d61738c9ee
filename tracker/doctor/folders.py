"""Folders: what people and other programs put files into, and what we must be able to write."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tracker.config import Loaded
from tracker.doctor.finding import Finding, fail, ok, warn
from tracker.intake.inbox import failed_files

_DROP = "drop:"


def folders(loaded: Loaded) -> list[Finding]:
    """The inbox, the drop folders of sources, the folder of the send journal."""
    settings = loaded.settings
    found = [_looked("send journal", settings.journal.parent, _writable)]
    if settings.inbox is not None:
        found += [_looked("inbox", settings.inbox, _inbox), *_left(settings.inbox)]
    drops = {source.id: source.base_url.removeprefix(_DROP) for source in settings.sources if source.base_url.startswith(_DROP)}
    return found + [_looked(f"scan sheets of {name}", Path(folder), _readable) for name, folder in drops.items()]


def _looked(about: str, folder: Path, look: Callable[[str, Path], Finding]) -> Finding:
    """A folder that does not even let itself be looked at is a finding, too; the other lines are told all the same."""
    try:
        return look(about, folder)
    except OSError as error:
        return fail(about, f"{folder} cannot be looked at: {error.strerror}", "be a member of tracker-ops")


def _left(inbox: Path) -> list[Finding]:
    """What waits in failed/."""
    try:
        left = failed_files(inbox)
    except OSError as error:
        return [fail("inbox", f"{inbox}/failed cannot be looked at: {error.strerror}", "be a member of tracker-ops")]
    says = f"{len(left)} files could not be read: {', '.join(left[:3])}"
    return [warn("inbox", says, f"look into {inbox}/failed")] if left else []


def _inbox(about: str, folder: Path) -> Finding:
    """The daemon makes it where it is missing; a clerk who looks for it should know."""
    if not folder.exists():
        return warn(about, f"there is no folder {folder} yet", "the daemon makes it at its first look")
    return _writable(about, folder)


def _writable(about: str, folder: Path) -> Finding:
    if not folder.is_dir():
        return fail(about, f"there is no folder {folder}", f"mkdir {folder}, or: tracker init")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return fail(about, f"{folder} cannot be written by you ({_owner(folder)})", "be a member of tracker-ops, mode 2770")
    return ok(about, str(folder))


def _readable(about: str, folder: Path) -> Finding:
    if not folder.is_dir():
        return warn(about, f"there is no folder {folder} yet", f"mkdir {folder}")
    if not os.access(folder, os.R_OK | os.X_OK):
        return fail(about, f"{folder} cannot be read by you ({_owner(folder)})", "be a member of tracker-ops")
    return ok(about, str(folder))


def _owner(folder: Path) -> str:
    """Owner, group and mode; a number where the machine has no name for it."""
    status = folder.stat()
    try:
        names = f"{folder.owner()}:{folder.group()}"
    except KeyError:
        names = f"{status.st_uid}:{status.st_gid}"
    return f"{names}, mode {status.st_mode & 0o7777:04o}"
