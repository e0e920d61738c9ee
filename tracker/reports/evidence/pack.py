"""The evidence of an order as a folder named by it, and as one archive; pictures within what the marketplace takes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from PIL.Image import Image

from tracker.reports.evidence import picture
from tracker.reports.evidence.page import page
from tracker.reports.evidence.record import Bytes, Record, file_name
from tracker.rules import Evidence

_LONG_AGO = (2020, 1, 1, 0, 0, 0)
"""The time of every file in an archive: the same record gives the same bytes."""

_QUALITIES = (80, 60, 45, 30)


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    """What was written: the folder, its files, and those of them that go to the marketplace."""

    order: str
    folder: str
    files: tuple[str, ...]
    to_send: tuple[str, ...]


class TooLarge(Exception):  # noqa: N818 - what it is
    """The record does not fit into what the marketplace takes, however small its pictures."""


def archive(record: Record, copies: Sequence[Bytes]) -> bytes:
    """The page, the record as JSON and the copies of the answers in one zip, byte for byte the same for the same record."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as zipped:
        for each in _plain(record, copies):
            zipped.writestr(zipfile.ZipInfo(each.name, _LONG_AGO), each.body, zipfile.ZIP_DEFLATED)
    return body.getvalue()


def write_folder(
    out: Path, record: Record, copies: Sequence[Bytes], limits: Evidence, font: Path | None = None, *, name: str | None = None
) -> Packed:
    """Write `out`/ORDER/ (or `name`): page, record, answers, archive, and what the marketplace takes below `to-send/`.

    What an earlier run left in its folders of answers and pictures goes first: nobody sends pages of last week. Page and archive
    are there even where the pictures fail.

    Raises OSError, TooLarge, picture.FontMissing, ImportError (without the extra `evidence`, where pictures are wanted).
    """
    folder = out / file_name(name or record.order)
    for old in (*folder.glob("to-send/evidence*"), *folder.glob("answers/*.txt")):
        old.unlink()
    whole = [*_plain(record, copies), Bytes("evidence.zip", archive(record, copies))]
    _write(folder, whole)
    sent = [Bytes(f"to-send/{each.name}", each.body) for each in pictures(record, limits, font)]
    _write(folder, sent)
    whole += sent
    return Packed(
        order=record.order,
        folder=str(folder),
        files=tuple(each.name for each in whole),
        to_send=tuple(each.name for each in sent) or ("evidence.zip",),
    )


def _write(folder: Path, files: Sequence[Bytes]) -> None:
    for each in files:
        place = folder / each.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(each.body)


def pictures(record: Record, limits: Evidence, font: Path | None) -> list[Bytes]:
    """The record in the first kind that the marketplace takes and that fits its limits; none where it takes anything."""
    if not limits.kinds or "html" in limits.kinds:
        return []
    pages = picture.Pages(font).draw(record)
    if "pdf" in limits.kinds and _fits([body := picture.pdf(pages)], limits):
        return [Bytes("evidence.pdf", body)]
    for kind, bodies in _renderings(pages, limits):
        if _fits(bodies, limits):
            return [Bytes(f"evidence-{place}.{kind}", body) for place, body in enumerate(bodies, 1)]
    raise TooLarge(
        f"the record of order {record.order} takes {len(pages)} pages: more than the {limits.files} files of "
        f"{limits.total} bytes that may be sent; choose pages of evidence.html by hand"
    )


def _renderings(pages: Sequence[Image], limits: Evidence) -> Iterator[tuple[str, list[bytes]]]:
    """One after the other, the sharpest first: what fits is the last that is made. More pages than files fit in no form."""
    if limits.files is not None and len(pages) > limits.files:
        return
    if "png" in limits.kinds:
        yield "png", picture.pngs(pages)
    if "jpg" in limits.kinds:
        yield from (("jpg", picture.jpegs(pages, quality)) for quality in _QUALITIES)


def _fits(bodies: Sequence[bytes], limits: Evidence) -> bool:
    few = limits.files is None or len(bodies) <= limits.files
    return few and (limits.total is None or sum(len(body) for body in bodies) <= limits.total)


def _plain(record: Record, copies: Sequence[Bytes]) -> list[Bytes]:
    told = msgspec.json.format(msgspec.json.encode(record), indent=1)
    return [Bytes("evidence.html", page(record).encode()), Bytes("evidence.json", told), *copies]
