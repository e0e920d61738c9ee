"""A drop folder as a source: files that somebody puts there are answered like HTTP bodies.

`drop:NAME` is one file, `drop:*` all of them, newest first, packed by `pack`. Only regular files directly in the folder are read:
no symlinks, no path out of it, no half-written or hidden ones, none beyond the size cap (facts: faults, 31).
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from carriers.base import Request, Response
from carriers.errors import CarrierError, ErrorKind

LISTING = "application/x-drop-listing"
"""Content type of the answer to `drop:*`."""

_SCHEME = "drop:"
_UNFINISHED = (".part", ".tmp", ".crdownload", "~")
_IGNORED_STARTS = (".", "~$")


class DropFile(msgspec.Struct, frozen=True):
    """One file: its name, when it was last written (epoch seconds), its bytes. `problem` says why there are none."""

    name: str
    modified: int
    body: bytes
    problem: str | None = None


_LISTING = msgspec.msgpack.Decoder(list[DropFile])


def pack(files: Sequence[DropFile]) -> bytes:
    """Several files as one body."""
    return msgspec.msgpack.encode(files)


def unpack(response: Response) -> list[DropFile]:
    """The files of an answer: a packed listing, or a single body as a file without a name. Raises CarrierError(bad_response)."""
    if response.headers.get("content-type") != LISTING:
        return [DropFile("", 0, response.body)]
    try:
        return _LISTING.decode(response.body)
    except msgspec.MsgspecError:
        raise CarrierError(ErrorKind.BAD_RESPONSE, "not a listing of a drop folder") from None


class DropTransport:
    """A `carriers.base.Transport` over the folder `root`. `max_files` newest files and `max_bytes` a file are read at most."""

    def __init__(self, root: Path, *, max_bytes: int = 32 * 1024 * 1024, max_files: int = 200) -> None:
        self._root = root
        self._cap = max_bytes
        self._most = max_files

    async def send(self, request: Request) -> Response:
        """Read a file (404 where there is none) or all. Raises CarrierError(unavailable) when the folder cannot be read."""
        name = request.url.removeprefix(_SCHEME)
        if not request.url.startswith(_SCHEME) or "/" in name or "\\" in name or "\0" in name or name.startswith("."):
            raise CarrierError(ErrorKind.INVALID_REQUEST, "a drop folder answers drop:NAME and drop:* only")
        return await asyncio.to_thread(self._all if name == "*" else self._one, name)

    async def close(self) -> None:
        """Nothing is kept open."""

    def _one(self, name: str) -> Response:
        folder = self._open_folder()
        try:
            file = self._file(folder, name)
        finally:
            os.close(folder)
        if file is None:
            return Response(status=404, body=b"")
        if file.problem is not None:
            raise CarrierError(ErrorKind.BAD_RESPONSE, f"{name}: {file.problem}")
        return _ok(file.body)

    def _all(self, _: str) -> Response:
        folder = self._open_folder()
        try:
            names = [
                name
                for name in os.listdir(folder)  # noqa: PTH208 - relative to the open folder
                if not name.startswith(_IGNORED_STARTS) and not name.endswith(_UNFINISHED)
            ]
            dated = sorted(((_modified(folder, name), name) for name in names), reverse=True)[: self._most]
            files = [file for _, name in dated if (file := self._file(folder, name)) is not None]
        finally:
            os.close(folder)
        return _ok(pack(files), {"content-type": LISTING})

    def _open_folder(self) -> int:
        try:
            return os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise CarrierError(ErrorKind.UNAVAILABLE, f"the drop folder {self._root} cannot be read: {error.strerror}") from None

    def _file(self, folder: int, name: str) -> DropFile | None:
        """One file, relative to the open folder; None for what is gone or no regular file. Never blocks on a pipe."""
        try:
            handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except OSError:
            return None
        told = os.fstat(handle)
        if not stat.S_ISREG(told.st_mode):
            os.close(handle)
            return None
        with os.fdopen(handle, "rb") as file:
            body = file.read(self._cap + 1)
        if len(body) > self._cap:
            return DropFile(name, int(told.st_mtime), b"", f"larger than {self._cap} bytes")
        return DropFile(name, int(told.st_mtime), body)


def _modified(folder: int, name: str) -> float:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime
    except OSError:
        return 0.0


def _ok(body: bytes, headers: Mapping[str, str] | None = None) -> Response:
    return Response(status=200, body=body, headers=headers or {})
