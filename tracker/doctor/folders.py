"""Folders: what people and other programs put files into, and what we must be able to write."""

from __future__ import annotations

import os
from pathlib import Path

from tracker.config import Loaded
from tracker.doctor.finding import Finding, fail, ok, warn
from tracker.intake.inbox import failed_files

_DROP = "drop:"


def folders(loaded: Loaded) -> list[Finding]:
    """The inbox, the drop folders of sources, the folder of the send journal."""
    settings = loaded.settings
    found = [_writable("send journal", settings.journal.parent)]
    if settings.inbox is not None:
        found.append(_writable("inbox", settings.inbox))
        left = failed_files(settings.inbox) if settings.inbox.is_dir() else []
        if left:
            found.append(
                warn("inbox", f"{len(left)} files could not be read: {', '.join(left[:3])}", f"look into {settings.inbox}/failed")
            )
    drops = {source.id: source.base_url.removeprefix(_DROP) for source in settings.sources if source.base_url.startswith(_DROP)}
    return found + [_readable(f"scan sheets of {name}", Path(folder)) for name, folder in drops.items()]


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
