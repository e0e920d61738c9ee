"""The machine that is set up, or a folder that stands for one (`--root`): paths, accounts, owners, systemd's own programs.

Below a root folder nothing outside of it is written, and accounts are those of its own etc/passwd.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tracker.install.steps import GROUP, USER, Rights

_PROGRAMS = "/usr/sbin:/usr/bin:/sbin:/bin"
_TIMEOUT = 120
_NOBODY = ("nologin", "false")
_ZERO = {"root": 0}
"""Whose number is known without a passwd, in a root folder that has none yet."""

_BOOTED = Path("/run/systemd/system")
"""There when systemd runs as the first process: sd_booted(3)."""


class Account(msgspec.Struct, frozen=True):
    """A line of passwd."""

    uid: int
    gid: int
    shell: str

    @property
    def can_log_in(self) -> bool:
        """An empty shell means /bin/sh."""
        return self.uid == 0 or Path(self.shell).name not in _NOBODY


class Settled(msgspec.Struct, frozen=True):
    """What became of a path's rights: whether any was changed, and the owner that could not be given."""

    changed: bool
    owner: str | None = None


class Machine:
    """`root` is `/`, or a folder that stands for it."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    @property
    def live(self) -> bool:
        """This very machine."""
        return self.root == Path("/")

    @property
    def booted(self) -> bool:
        """Whether a systemd runs here that can be told about units."""
        return self.live and _BOOTED.is_dir()

    @property
    def is_root(self) -> bool:
        """Whether owners can be given, and system folders written."""
        return os.geteuid() == 0

    def real(self, path: str) -> Path:
        """Where a path of the system lies. Raises OSError when a link leads out of the root folder."""
        place = self.root / path.lstrip("/")
        if not place.parent.resolve().is_relative_to(self.root):
            raise OSError(f"{place.parent} leads out of {self.root}")
        return place

    def account(self, name: str) -> Account | None:
        """A user; below a root folder that of its own etc/passwd."""
        if self.live:
            try:
                found = pwd.getpwnam(name)
            except KeyError:
                return None
            return Account(found.pw_uid, found.pw_gid, found.pw_shell)
        for fields in self._table("etc/passwd", 7):
            if fields[0] == name:
                return Account(int(fields[2]), int(fields[3]), fields[6])
        return None

    def group(self, name: str) -> tuple[int, frozenset[str]] | None:
        """A group's number and the names of its members."""
        if self.live:
            try:
                found = grp.getgrnam(name)
            except KeyError:
                return None
            return found.gr_gid, frozenset(found.gr_mem)
        for fields in self._table("etc/group", 4):
            if fields[0] == name:
                return int(fields[2]), frozenset(fields[3].split(","))
        return None

    def has_accounts(self) -> bool:
        """Whether user and group are there, and the user is in the group."""
        user, group = self.account(USER), self.group(GROUP)
        return user is not None and group is not None and (USER in group[1] or user.gid == group[0])

    def enough(self, path: Path, rights: Rights) -> bool:
        """Whether a path has the rights it should have, or, where they are not exact, lets the group read."""
        found = path.stat(follow_symlinks=False)
        mode = stat.S_IMODE(found.st_mode)
        wanted = self._numbers(rights)
        if rights.exact or wanted is None:
            return (found.st_uid, found.st_gid) == wanted and mode == rights.mode
        needed = rights.mode & stat.S_IRWXO << 3
        return (found.st_gid == wanted[1] and mode & needed == needed) or mode & needed >> 3 == needed >> 3

    def settle(self, path: Path, rights: Rights) -> Settled:
        """Give a path its rights, never through a link. Without root the owner stays, and is told."""
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            found, wanted = os.fstat(handle), self._numbers(rights)
            other = (found.st_uid, found.st_gid) != wanted
            left = str(rights.owner) if other and (wanted is None or not self._give(handle, wanted)) else None
            moded = stat.S_IMODE(os.fstat(handle).st_mode) != rights.mode
            if moded:
                os.fchmod(handle, rights.mode)
            return Settled(changed=moded or (other and left is None), owner=left)
        finally:
            os.close(handle)

    def ask(self, words: Sequence[str], told: str = "") -> str | None:
        """Run one of the system's own programs, `told` on its stdin. None when it is not there. Raises OSError when it fails."""
        program = shutil.which(words[0], path=_PROGRAMS)
        if program is None:
            return None
        try:
            done = subprocess.run(  # noqa: S603 - fixed words, an absolute program
                [program, *words[1:]],
                input=told,
                capture_output=True,
                text=True,
                check=False,
                timeout=_TIMEOUT,
                env={"PATH": _PROGRAMS, "LC_ALL": "C.UTF-8"},
            )
        except subprocess.TimeoutExpired:
            raise OSError(f"{' '.join(words)}: no answer in {_TIMEOUT} s") from None
        if done.returncode:
            raise OSError(f"{' '.join(words)}: {(done.stderr or done.stdout).strip() or f'exit code {done.returncode}'}")
        return done.stdout

    def _give(self, handle: int, wanted: tuple[int, int]) -> bool:
        try:
            os.fchown(handle, *wanted)
        except PermissionError:
            return False
        return True

    def _numbers(self, rights: Rights) -> tuple[int, int] | None:
        user, group = self.account(rights.owner.user), self.group(rights.owner.group)
        uid = user.uid if user else _ZERO.get(rights.owner.user)
        gid = group[0] if group else _ZERO.get(rights.owner.group)
        return None if uid is None or gid is None else (uid, gid)

    def _table(self, file: str, fields: int) -> list[list[str]]:
        try:
            text = (self.root / file).read_text(encoding="utf-8", errors="surrogateescape")
        except FileNotFoundError:
            return []
        return [line for line in (each.split(":") for each in text.splitlines()) if len(line) == fields]
