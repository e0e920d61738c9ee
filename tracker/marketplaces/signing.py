"""Signatures of the Open Platform gateways (facts/marketplaces.md section 3; vectors in tests/samples/marketplaces)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping


def joined(params: Mapping[str, str]) -> str:
    """Keys and values one after the other, sorted by the ASCII of the key; `sign` itself is never signed."""
    return "".join(f"{key}{params[key]}" for key in sorted(params) if key != "sign")


def iop(secret: str, params: Mapping[str, str], path: str = "") -> str:
    """HMAC-SHA256 in upper-case hex. `path` stands in front for /rest calls, nothing does for /sync."""
    return hmac.new(secret.encode(), f"{path}{joined(params)}".encode(), hashlib.sha256).hexdigest().upper()


def top_md5(secret: str, params: Mapping[str, str]) -> str:
    """TOP's older form: MD5 over secret + pairs + secret, in upper-case hex."""
    return hashlib.md5(f"{secret}{joined(params)}{secret}".encode(), usedforsecurity=False).hexdigest().upper()


def top_hmac(secret: str, params: Mapping[str, str]) -> str:
    """TOP's `sign_method=hmac`: HMAC-MD5 over the pairs, in upper-case hex."""
    return hmac.new(secret.encode(), joined(params).encode(), hashlib.md5).hexdigest().upper()
