"""Why a marketplace did not do what was asked: six classes, each with its own reaction (facts/marketplaces.md section 2)."""

from __future__ import annotations

from enum import StrEnum

from carriers.errors import CarrierError, ErrorKind
from tracker.log.redact import masked


class Fault(StrEnum):
    """What went wrong. Reads are tried again after `throttled` and `transient`; a write never is after `ambiguous`."""

    AUTH = "auth"
    """The token is refused, and refreshing it did not help, or could not be tried."""
    THROTTLED = "throttled"
    """Definitely not done: wait what it says, then repeat."""
    TRANSIENT = "transient"
    """Down, slow, or rubbish: nothing is known."""
    AMBIGUOUS = "ambiguous"
    """A write that may or may not have been done: only reading the state back can tell."""
    REFUSED = "refused"
    """A definite no: repeating it changes nothing."""
    GONE = "gone"
    """The method itself has vanished: the capability is switched off, people do it by hand."""


_AS_SOURCE = {
    Fault.AUTH: ErrorKind.AUTH,
    Fault.THROTTLED: ErrorKind.RATE_LIMITED,
    Fault.TRANSIENT: ErrorKind.UNAVAILABLE,
    Fault.AMBIGUOUS: ErrorKind.UNAVAILABLE,
    Fault.REFUSED: ErrorKind.INVALID_REQUEST,
    Fault.GONE: ErrorKind.INVALID_REQUEST,
}


class MarketplaceError(Exception):
    """A call without the wished answer. `code` is the platform's own, `retry_after` seconds it asked us to wait.

    The message names no secret and no person, even where the platform repeats what it was sent.
    """

    def __init__(self, fault: Fault, message: str, *, code: str | None = None, retry_after: float | None = None) -> None:
        self.message = masked(message)
        super().__init__(self.message)
        self.fault = fault
        self.code = code
        self.retry_after = retry_after

    @property
    def as_source_error(self) -> CarrierError:
        """The same for the circuit breaker, which knows the kinds of sources."""
        return CarrierError(_AS_SOURCE[self.fault], self.message, code=self.code, retry_after=self.retry_after)
