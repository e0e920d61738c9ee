"""XML bodies: read without entities, names without their namespaces, never an exception that is not a CarrierError."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from carriers.errors import CarrierError, ErrorKind

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_STARTS = (b"<!doctype html", b"<html", b"<head", b"<body")


def root(body: bytes) -> Element:
    """The root of `body`, all names local. Raises CarrierError(bad_response): HTML, no XML, entities, an unknown encoding."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    start = body[:64].lstrip().lower()
    if not start:
        raise CarrierError(ErrorKind.BAD_RESPONSE, "an empty body")
    if start.startswith(_STARTS):
        raise CarrierError(ErrorKind.BAD_RESPONSE, "an HTML page instead of data")
    try:
        found: Element = fromstring(body)
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError):
        raise CarrierError(ErrorKind.BAD_RESPONSE, "not readable as XML, perhaps cut off") from None
    for element in found.iter():
        element.tag = element.tag.rpartition("}")[2]
    return found


def all_of(element: Element, name: str) -> Iterator[Element]:
    """Every `name` below `element`, however deep, in document order; `element` itself too where it is one."""
    return element.iter(name)


def text(element: Element | None, path: str = ".") -> str | None:
    """The text at `path` (`Status/Condition`), without blanks around it; None where there is none or it is empty."""
    found = None if element is None else element.find(path)
    return (found.text or "").strip() or None if found is not None else None
