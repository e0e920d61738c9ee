"""Errors of a source. They have two axes: may we try again, and whose fault is it. *Not found* is an answer, not an error."""

from __future__ import annotations

from enum import StrEnum


class ErrorKind(StrEnum):
    """The eleven ways in which a source does not answer (facts/carriers.md section 2)."""

    NOT_REGISTERED = "not_registered"
    ALREADY_REGISTERED = "already_registered"
    NOT_READY = "not_ready"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXHAUSTED = "quota_exhausted"
    AUTH = "auth"
    INVALID_NUMBER = "invalid_number"
    INVALID_REQUEST = "invalid_request"
    REQUEST_EXPIRED = "request_expired"
    UNAVAILABLE = "unavailable"
    BAD_RESPONSE = "bad_response"


class Fault(StrEnum):
    """Whose fault an error is."""

    CARRIER = "carrier"
    ACCOUNT = "account"
    NUMBER = "number"
    OURS = "ours"


_TRAITS: dict[ErrorKind, tuple[bool, Fault]] = {
    ErrorKind.NOT_REGISTERED: (True, Fault.OURS),
    ErrorKind.ALREADY_REGISTERED: (True, Fault.OURS),
    ErrorKind.NOT_READY: (True, Fault.CARRIER),
    ErrorKind.RATE_LIMITED: (True, Fault.ACCOUNT),
    ErrorKind.QUOTA_EXHAUSTED: (False, Fault.ACCOUNT),
    ErrorKind.AUTH: (False, Fault.ACCOUNT),
    ErrorKind.INVALID_NUMBER: (False, Fault.NUMBER),
    ErrorKind.INVALID_REQUEST: (False, Fault.OURS),
    ErrorKind.REQUEST_EXPIRED: (True, Fault.CARRIER),
    ErrorKind.UNAVAILABLE: (True, Fault.CARRIER),
    ErrorKind.BAD_RESPONSE: (True, Fault.CARRIER),
}


_LONGEST_TEXT = 400
_LONGEST_CODE = 100
"""Characters. Sources fill both texts, logs and the database keep them."""


class CarrierError(Exception):
    """A source did not answer: for one number, or (raised from `split` or the transport) for the whole request.

    `kind` says what happened, `retry` whether asking again later can help, `fault` whose fault it is, `code` the source's own
    code,
    `retry_after` the seconds the source asked us to wait. It never says anything about the parcel.
    """

    def __init__(self, kind: ErrorKind, message: str, *, code: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message[:_LONGEST_TEXT])
        self.kind = kind
        self.message = message[:_LONGEST_TEXT]
        self.code = code and code[:_LONGEST_CODE]
        self.retry_after = retry_after
        self.retry, self.fault = _TRAITS[kind]

    def __repr__(self) -> str:
        """Kind, code and text, for tests and logs."""
        return f"CarrierError({self.kind.value}, {self.message!r}, code={self.code!r})"
