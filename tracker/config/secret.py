"""Secrets by reference: `file:/path`, `env:NAME`, `credential:NAME` ($CREDENTIALS_DIRECTORY). Never in a log or a repr."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

_TOO_OPEN = stat.S_IRWXO | stat.S_IXGRP | stat.S_IWGRP


class Secret:
    """A secret value that does not show itself: only `reveal()` gives it away."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self._value

    def __hash__(self) -> int:
        return hash(self._value)


class UnresolvedError(Exception):
    """A reference that leads nowhere. `here_only` says that another environment (systemd) may well resolve it."""

    def __init__(self, message: str, *, here_only: bool = False) -> None:
        super().__init__(message)
        self.here_only = here_only


def resolve(reference: str, environ: Mapping[str, str], folder: Path) -> tuple[Secret, str | None]:
    """The secret, and a warning about where it lies. A relative file is looked for in `folder`. Raises UnresolvedError."""
    kind, _, name = reference.partition(":")
    if kind == "env":
        if not environ.get(name):
            raise UnresolvedError(f"the environment has no {name}")
        return Secret(environ[name]), None
    if kind == "file":
        return _read(folder / Path(name).expanduser(), check_mode=True)
    directory = environ.get("CREDENTIALS_DIRECTORY")
    if not directory:
        raise UnresolvedError(f"credential {name} can be read only where systemd gives $CREDENTIALS_DIRECTORY", here_only=True)
    return _read(Path(directory) / name, check_mode=False)


def _read(file: Path, *, check_mode: bool) -> tuple[Secret, str | None]:
    try:
        value = file.read_text(encoding="utf-8").rstrip("\r\n")
        mode = stat.S_IMODE(file.stat().st_mode)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise UnresolvedError(f"{file} cannot be read: {reason}") from error
    if not value:
        raise UnresolvedError(f"{file} is empty")
    open_to_all = check_mode and mode & _TOO_OPEN
    warning = f"{file} is open to others (mode {mode:04o}): chmod 0640, or less" if open_to_all else None
    return Secret(value), warning
