"""Tracking numbers: their written form, the UPU S10 check digit, and hints which carrier they may belong to.

Everything here is a hint, never a verdict: carriers print numbers whose check digit is wrong, and patterns overlap. The carrier
column of an order always wins (facts: numbers and standards).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import msgspec

from carriers import codes

_S10 = re.compile(r"([A-Z])[A-Z](\d{8})(\d)([A-Z]{2})")
_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_SPECIAL = {10: 0, 11: 5}
"""UPU S10: a check value of 10 is written 0, of 11 is written 5."""


class S10Check(msgspec.Struct, frozen=True, kw_only=True):
    """What UPU S10 says about a number. A failed check digit is a warning, never a rejection.

    `service_letter` is the first letter (R registered, L tracked letter, U untracked, …), `country` the *issuing* post, not the
    destination, and not always an ISO country (YP is Yanwen).
    """

    valid_form: bool
    check_digit_ok: bool
    service_letter: str | None = None
    country: str | None = None

    @property
    def warning(self) -> str | None:
        """The sentence for an import preview, or None when there is nothing to warn about."""
        if self.valid_form and not self.check_digit_ok:
            return (
                "the check digit is wrong: a typing error, or a number that the post printed wrongly; it is followed all the same"
            )
        return None


class Hint(msgspec.Struct, frozen=True):
    """A carrier whose numbers look like this one. `confidence` is `likely` or `possible`."""

    carrier: str
    confidence: str


def normalise(number: str) -> str:
    """The form in which numbers are compared: NFKC, upper case, no white space, format characters or leading apostrophe."""
    if number.isascii() and number.isalnum():
        return number.upper()
    folded = unicodedata.normalize("NFKC", number).upper()
    kept = "".join(c for c in folded if not c.isspace() and unicodedata.category(c)[0] != "C")
    # Once more: what stood apart may combine now.
    return unicodedata.normalize("NFKC", kept.lstrip("'"))


def check_digit(serial: str) -> int:
    """The check digit of eight digits by UPU S10 (weights 8 6 4 2 3 5 9 7, modulo 11)."""
    value = 11 - sum(int(digit) * weight for digit, weight in zip(serial, _WEIGHTS, strict=True)) % 11
    return _SPECIAL.get(value, value)


def s10(number: str) -> S10Check:
    """Check `number` against UPU S10 (two letters, eight digits, check digit, two letters)."""
    found = _S10.fullmatch(normalise(number))
    if found is None or not found[2].isascii():
        return S10Check(valid_form=False, check_digit_ok=False)
    return S10Check(
        valid_form=True, check_digit_ok=check_digit(found[2]) == int(found[3]), service_letter=found[1], country=found[4]
    )


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Hint], ...]:
    return tuple(
        (re.compile(row["pattern"], re.ASCII), Hint(row["carrier"], row["confidence"])) for row in codes.rows("number_hints")
    )


@cache
def _letters() -> dict[str, str]:
    return {row["letter"]: row["tracking"] for row in codes.rows("service_letters")}


def hint(number: str) -> tuple[Hint, ...]:
    """Carriers that `number` may belong to, the likely ones first; empty when no pattern knows it."""
    written = normalise(number)
    found = {h.carrier: h for pattern, h in reversed(_patterns()) if pattern.search(written)}
    return tuple(sorted(found.values(), key=lambda h: (h.confidence != "likely", h.carrier)))


def capability(number: str) -> str | None:
    """How far a postal number can be followed, by its first letter: export_only, arrival_and_delivery, end_to_end, or None.

    An `export_only` number never gets a delivery scan: its silence says nothing (facts: transit, Brazil).
    """
    letter = s10(number).service_letter
    return _letters().get(letter) if letter else None
