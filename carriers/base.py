"""The adapter protocol: a conversation without I/O.

An adapter yields `Request`s and is sent `Response`s, so that registration, tickets, tokens and batches need no special cases
and every adapter can be tested without a network. The shell (tracker.polling) does the I/O, keeps the memory and skips `read`
where the digest of a slice is unchanged.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

import msgspec

from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking


class Query(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One number to ask about, with hints.

    `carrier_code` is the source's own code for the carrier (17TRACK: 3011 = China Post).
    """

    number: str
    carrier_code: str | None = None
    postcode: str | None = None
    phone: str | None = None
    country: str | None = None
    ship_date: str | None = None


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Credentials and settings of one account at one source. `secrets` never appear in a log, a repr or an error text."""

    id: str
    base_url: str
    secrets: Mapping[str, str] = {}
    options: Mapping[str, Any] = {}

    def __repr__(self) -> str:
        """The id alone: secrets stay out of tracebacks."""
        return f"Account({self.id!r})"


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What an adapter wants to find again: one JSON value for the account, one for each number. The store keeps both."""

    account: Mapping[str, Any] = {}
    numbers: Mapping[str, Mapping[str, Any]] = {}


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One call. `url` is absolute (`https://…`, or `drop:NAME` for a file of the account's drop folder)."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """One answer; header names in lower case, the body decompressed and within the size cap."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a conversation: per number a raw slice or an error, and the memory to keep.

    `memory` holds only what changed: a number's value replaces the kept one as a whole, so does a non-empty `account`.
    """

    answers: Mapping[str, bytes | CarrierError]
    memory: Memory = Memory()


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """What an account may still spend at its source, in the source's own unit (17TRACK: registrations); None: not told.

    `left` of what was bought, `used_today`, and `daily`, the most that one day allows.
    """

    left: int | None = None
    used_today: int | None = None
    daily: int | None = None


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """One pushed slice, ready for the same `read()` that polling uses."""

    number: str
    slice: bytes


class Adapter(Protocol):
    """One source. Stateless: one instance serves every account."""

    name: str
    batch_size: int
    """Numbers per conversation at most."""

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """Hold the conversation about `queries`. Raises CarrierError when the whole request failed.

        When a later request fails after something was learnt, its error stands for every number still open.
        """
        ...

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut an answer into one raw slice (or error) per number, joined by number, never by position.

        A number of `asked` that is missing from the answer is a `bad_response`, never "not found". With `asked` empty the
        answer is
        taken as it is, under "" where the body names no number. Raises CarrierError when the whole request failed.
        """
        ...

    def read(self, raw: bytes) -> Tracking:
        """Read one slice. Skipped by the caller when the slice's digest is unchanged. Raises CarrierError(bad_response)."""
        ...

    def read_push(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> Sequence[Push]:
        """The webhook's door to the same `read()`. Raises CarrierError(auth) on a bad signature, invalid_request without push."""
        ...


@runtime_checkable
class Metered(Protocol):
    """What an adapter has besides where its source tells how much of an account is left. `isinstance` finds it."""

    def quota(self, account: Account) -> Generator[Request, Response, Quota]:
        """Hold the conversation about what is left; it costs nothing. Raises CarrierError."""
        ...


@runtime_checkable
class Discreet(Protocol):
    """An adapter whose slices hold fields that nobody asked for, because it cuts them without reading them."""

    def discreet(self, raw: bytes) -> bytes:
        """The slice with the allowed fields alone, as it may be kept (facts: rules across carriers, 14).

        Raises CarrierError(bad_response) where `read` does.
        """
        ...


class Pushless:
    """For adapters of sources that never call us."""

    name: str

    def read_push(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> Sequence[Push]:
        """Refuse."""
        raise CarrierError(ErrorKind.INVALID_REQUEST, f"{self.name} sends no pushes")


class Transport(Protocol):
    """Whoever performs a Request: `carriers.http.HttpTransport`, `carriers.drop.DropTransport`, or a test."""

    async def send(self, request: Request) -> Response:
        """Perform the call. Raises CarrierError (unavailable, rate_limited, bad_response) instead of any transport exception."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...
