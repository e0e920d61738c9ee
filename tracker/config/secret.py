"""Secrets by reference: `file:/path`, `env:NAME`, `credential:NAME` ($CREDENTIALS_DIRECTORY). Never in a log or a repr.

A credential is a file of that name in the folder that systemd gives the service, or else a key of `secrets.toml` in there: one
`LoadCredential=` line then hands over all of them (facts/systemd.md section 7).
"""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path

TABLE = "secrets.toml"
"""The credential that holds many: one key a secret."""

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
        raise UnresolvedError(
            f"credential {name}: only the service sees it, to which systemd gives $CREDENTIALS_DIRECTORY "
            f"(line LoadCredential={TABLE}:... of its unit)",
            here_only=True,
        )
    if (Path(directory) / name).exists():
        return _read(Path(directory) / name, check_mode=False)
    return _from_table(Path(directory) / TABLE, name), None


def _from_table(file: Path, name: str) -> Secret:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UnresolvedError(f"no credential {name}, nor {TABLE} with such a key, is in {file.parent}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UnresolvedError(f"{file} cannot be read: {_reason(error)}") from error
    except tomllib.TOMLDecodeError as error:
        raise UnresolvedError(f"{file} is not valid TOML: {error}") from error
    value = table.get(name)
    if not isinstance(value, str) or not value:
        wrong = f"holds no text as {name}" if value else f"has no {name}"
        raise UnresolvedError(f'{file.name} {wrong}: write {name} = "..." into it, then restart the service')
    return Secret(value)


def _read(file: Path, *, check_mode: bool) -> tuple[Secret, str | None]:
    try:
        value = file.read_text(encoding="utf-8").rstrip("\r\n")
        mode = stat.S_IMODE(file.stat().st_mode)
    except (OSError, UnicodeDecodeError) as error:
        raise UnresolvedError(f"{file} cannot be read: {_reason(error)}") from error
    if not value:
        raise UnresolvedError(f"{file} is empty")
    open_to_all = check_mode and mode & _TOO_OPEN
    warning = f"{file} is open to others (mode {mode:04o}): chmod 0640, or less" if open_to_all else None
    return Secret(value), warning


def _reason(error: OSError | UnicodeDecodeError) -> str | None:
    return error.strerror if isinstance(error, OSError) else "not UTF-8"
