"""Bytes of a file that somebody else wrote: regular, not a link where that matters, not too large (faults 31)."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import msgspec

from tracker.intake.errors import FileError

MOST_BYTES = 64 * 1024 * 1024


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """A file's name, bytes and SHA-256 (hex)."""

    name: str
    data: bytes
    digest: str


def read_contents(path: Path, *, follow_links: bool = True) -> Contents:
    """The file's bytes.

    Raises:
        FileError: a directory, a pipe, a link (unless followed), empty, too large, or not readable.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | (0 if follow_links else os.O_NOFOLLOW)
    try:
        handle = os.open(path, flags)
    except OSError as error:
        raise FileError(_why_not_opened(path, error)) from error
    try:
        data = _read(handle, path)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}") from error
    finally:
        os.close(handle)
    if len(data) > MOST_BYTES:
        raise FileError(f"{path} is larger than {MOST_BYTES // 1024 // 1024} MiB: export a shorter period")
    if not data.strip():
        raise FileError(f"{path} is empty: export it again")
    return Contents(name=path.name, data=data, digest=hashlib.sha256(data).hexdigest())


def _read(handle: int, path: Path) -> bytes:
    status = os.fstat(handle)
    if stat.S_ISDIR(status.st_mode):
        raise FileError(f"{path} is a directory: name the files in it")
    if not stat.S_ISREG(status.st_mode):
        raise FileError(f"{path} is not a regular file: copy what it holds into one")
    with os.fdopen(handle, "rb", closefd=False) as file:
        return file.read(MOST_BYTES + 1)


def _why_not_opened(path: Path, error: OSError) -> str:
    if path.is_symlink():
        return f"{path} is a link, or a link to nothing: put the file itself here"
    return f"{path} cannot be opened: {error.strerror}"
