"""Bytes of a file that somebody else wrote: regular, not a link where that matters, not too large (faults 31)."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path

import msgspec

from tracker.intake.errors import FileError

MOST_BYTES = 64 * 1024 * 1024
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """A file's name, bytes and SHA-256 (hex)."""

    name: str
    data: bytes
    digest: str


def read_contents(path: Path, *, inside: Path | None = None) -> Contents:
    """The file's bytes. `inside`: a folder above it into which strangers write: below it no link is followed, on any step.

    Raises:
        FileError: a directory, a pipe, a link (below `inside`), empty, too large, or not readable.
    """
    try:
        handle = os.open(path, _FLAGS) if inside is None else _open_below(inside, path.relative_to(inside).parts)
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


def _open_below(folder: Path, parts: tuple[str, ...]) -> int:
    """Step by step from one open folder to the next: whatever is put in the place of a step meanwhile leads nowhere."""
    if os.pardir in parts:
        raise FileError(f"{'/'.join(parts)} leads out of {folder}")
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = below
        return os.open(parts[-1], _FLAGS | os.O_NOFOLLOW, dir_fd=at)
    finally:
        os.close(at)


def _read(handle: int, path: Path) -> bytes:
    status = os.fstat(handle)
    if stat.S_ISDIR(status.st_mode):
        raise FileError(f"{path} is a directory: name the files in it")
    if not stat.S_ISREG(status.st_mode):
        raise FileError(f"{path} is not a regular file: copy what it holds into one")
    with os.fdopen(handle, "rb", closefd=False) as file:
        return file.read(MOST_BYTES + 1)


def _why_not_opened(path: Path, error: OSError) -> str:
    if path.is_symlink() or error.errno in {errno.ELOOP, errno.ENOTDIR}:
        return f"{path} is a link, or a link to nothing: put the file itself here"
    return f"{path} cannot be opened: {error.strerror}"
