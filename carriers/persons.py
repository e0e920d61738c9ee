"""Texts of a source without the persons in them (facts: rules across carriers, 14)."""

from __future__ import annotations

_SIGNED = "signed for by"


def without_signer(text: str | None) -> str | None:
    """A text without what stands behind "signed for by": DHL writes a name there."""
    if text is None:
        return None
    at = text.casefold().find(_SIGNED)
    return text if at < 0 else text[:at].rstrip(" -:")


def without_street(place: str | None) -> str | None:
    """A place without the parts that have a number: at the last scan they are the buyer's street and postcode."""
    if place is None or not any(map(str.isdigit, place)):
        return place
    parts = (part.strip() for part in place.split(","))
    return ", ".join(part for part in parts if not any(map(str.isdigit, part)))
