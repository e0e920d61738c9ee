"""`[database]`: where it is, and the password that lies elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from tracker.config.secret import Secret
from tracker.config.shape_tracker import Database

_SQLITE = "sqlite:///"

_IN_THE_OPEN = (
    'the password stands in the address: write the address without it, and password = "credential:database" (or "file:/path")'
)


class Vault(Protocol):
    """Who opens references to secrets, and keeps what is to be warned of."""

    def open(self, reference: str, path: tuple[str, ...]) -> Secret | None:
        """What a reference leads to; None where it leads nowhere, which is a problem by then."""
        ...

    def warn(self, path: tuple[str, ...], why: str) -> None:
        """A warning about a place of the file."""
        ...


def database_url(shape: Database, state: Path, vault: Vault) -> str:
    """The address with all that belongs to it: a file's whole path, or the password that lies elsewhere."""
    url = shape.url
    if url.startswith(_SQLITE):
        path = url.removeprefix(_SQLITE)
        return f"{_SQLITE}{state / path}" if path else url
    parts = urlsplit(url)
    if parts.password:
        vault.warn(("database", "url"), _IN_THE_OPEN)
    password = vault.open(shape.password, ("database", "password")) if shape.password else None
    if password is None:
        return url
    user, host = quote(unquote(parts.username or ""), safe=""), parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password.reveal(), safe='')}@{host}"))
