"""Signatures of pushes: over the raw bytes, compared in constant time (facts: faults, 28)."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from hmac import compare_digest, new

from carriers.errors import CarrierError, ErrorKind


def hmac_hex(secret: bytes, message: bytes) -> str:
    """HMAC-SHA256 as lower-case hex."""
    return new(secret, message, sha256).hexdigest()


def hmac_base64(secret: bytes, message: bytes) -> str:
    """HMAC-SHA256 as base64."""
    return b64encode(new(secret, message, sha256).digest()).decode()


def demand(said: str | None, *expected: str) -> None:
    """Go on where `said` is one of `expected`. Raises CarrierError(auth) otherwise, after the same time for every wrong one."""
    given = (said or "").strip().encode()
    # All are compared: the time tells nobody which one was nearly right.
    if sum([compare_digest(given, each.encode()) for each in expected]) == 0 or not given:
        raise CarrierError(ErrorKind.AUTH, "the push is not signed with this account's secret")
