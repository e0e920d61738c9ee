"""Texts of a source without the persons in them (facts: rules across carriers, 14)."""

from __future__ import annotations

import re

_SIGNED = re.compile("signed (?:for )?by", re.IGNORECASE)


def without_signer(text: str | None) -> str | None:
    """A text without what stands behind "signed for by" or "signed by": DHL and last-mile carriers write a name there."""
    if text is None or not ("igned" in text or "IGNED" in text):
        # Aggregators pass every text of every answer through here.
        return text
    found = _SIGNED.search(text)
    return text if found is None else text[: found.start()].rstrip(" -:,;.")


def without_street(place: str | None) -> str | None:
    """A place without the parts that have a number: at the last scan they are the buyer's street and postcode."""
    if place is None or not any(map(str.isdigit, place)):
        return place
    parts = (part.strip() for part in place.split(","))
    return ", ".join(part for part in parts if not any(map(str.isdigit, part)))
