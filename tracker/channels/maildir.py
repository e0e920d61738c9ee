"""The embedded default: each message a real mail file in a Maildir, which any mail client opens."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

from tracker.channels.base import Ambiguous, Delivered, Refused
from tracker.channels.mail import compose
from tracker.clock import Clock
from tracker.model import Outgoing


class MaildirChannel:
    """Writes into `folder/new`. The file's name comes from the dedup key: the same row never becomes two files."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock

    async def deliver(self, message: Outgoing) -> Delivered:
        """Write one file, synced. `provider_id` is its name. A full or missing disk is `Refused` with retry."""
        mail = compose(message, self._clock.now())
        return Delivered(provider_id=self._store(_name(message.key), mail.as_bytes()))

    def _store(self, name: str, content: bytes) -> str:
        new, draft = self._folder / "new" / name, self._folder / "tmp" / name
        try:
            for part in ("tmp", "new", "cur"):
                (self._folder / part).mkdir(parents=True, exist_ok=True)
            if self._already(name):
                return name
            _write_synced(draft, content)
            with contextlib.suppress(FileExistsError):
                os.link(draft, new)  # unlike rename, link never overwrites
        except OSError as error:
            raise Refused(f"cannot write the mail file: {error}", retry=True) from error
        finally:
            with contextlib.suppress(OSError):  # the outcome is known already; a draft in tmp/ is nobody's mail
                draft.unlink(missing_ok=True)
        try:
            _sync_folder(new.parent)
        except OSError as error:
            raise Ambiguous(f"the mail file was written but may not survive a power cut: {error}") from error
        return name

    def _already(self, name: str) -> bool:
        # A mail client moves what it has shown to cur/ and appends flags to the name.
        return (self._folder / "new" / name).exists() or any((self._folder / "cur").glob(f"{name}*"))


def _name(key: str) -> str:
    # No ":" and no "/": the first separates flags in a Maildir name, the second folders.
    return f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.eml"


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
