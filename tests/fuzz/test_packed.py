"""Bodies that are small only as long as they are packed: compressed answers, and workbooks of a drop folder."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zipfile
from random import Random

import pytest

from carriers import registry
from carriers.base import Response
from carriers.errors import CarrierError, ErrorKind
from carriers.http.bodies import Inflated
from carriers.sheet import size
from tests.fuzz import corpus

CAP = 1024 * 1024
SHEETS = "xl/worksheets/"


def inflate(data: bytes, rng: Random, cap: int = CAP) -> tuple[bytes | CarrierError, int]:
    """`data` in chunks of random sizes through the transport's reader: the body or the error, and the peak of memory."""
    tracemalloc.start()
    try:
        reader, at = Inflated(cap), 0
        while at < len(data):
            step = rng.randint(1, 70_000)
            reader.feed(data[at : at + step])
            at += step
        return reader.whole(), tracemalloc.get_traced_memory()[1]
    except CarrierError as error:
        return error, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("level", [1, 9])
def test_a_compressed_bomb_is_never_inflated_beyond_the_cap(members: int, level: int) -> None:
    """Issue, bad input: zip bombs; facts, faults 10."""
    bomb = b"".join(gzip.compress(bytes(64 * CAP // members), level) for _ in range(members))
    told, peak = inflate(bomb, Random(1))  # noqa: S311 - a search, no secret
    assert isinstance(told, CarrierError)
    assert told.kind is ErrorKind.BAD_RESPONSE
    assert peak <= 3 * CAP


def test_a_broken_stream_is_an_error_and_a_whole_one_what_it_was() -> None:
    """Whatever is flipped, cut or added: an error or a body within the cap."""
    rng = Random(1)  # noqa: S311 - a search, no secret
    plain = max((response.body for response in corpus.of("royal_mail").responses), key=len)
    packed = gzip.compress(plain)
    assert inflate(packed, rng)[0] == plain
    kinds = set()
    for _ in range(400):
        data = bytearray(packed)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        told, _peak = inflate(bytes(data[: rng.choice((len(data), rng.randrange(len(data))))]), rng, cap=len(plain))
        assert isinstance(told, CarrierError) or len(told) <= len(plain)
        kinds.add(isinstance(told, CarrierError))
    assert True in kinds


def workbook(sheet: bytes, extra: str | None = None) -> bytes:
    """A workbook of the samples with other sheets."""
    good = next(response.body for response in corpus.of("sheet").responses if response.body.startswith(b"PK"))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good)) as given, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in given.namelist():
            packed.writestr(name, sheet if name.startswith(SHEETS) else given.read(name))
        if extra is not None:
            packed.writestr(extra, b"")
    return out.getvalue()


def rows(*refs: str, cell: str = '<c r="{}" t="inlineStr"><is><t>x</t></is></c>') -> bytes:
    """A sheet with a cell at each place."""
    lines = "".join(f'<row r="{ref.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")}">{cell.format(ref)}</row>' for ref in refs)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<worksheet xmlns="{main}"><sheetData>{lines}</sheetData></worksheet>'.encode()


def refusal(body: bytes) -> str:
    with pytest.raises(CarrierError) as refused:
        registry.get("sheet").split(Response(status=200, body=body), ())
    assert refused.value.kind is ErrorKind.BAD_RESPONSE
    return refused.value.message


def test_two_cells_in_opposite_corners_do_not_end_the_process() -> None:
    """Issue, bad input: five kilobytes that ask for a rectangle of seventeen billion cells."""
    assert "cells" in refusal(workbook(rows("A1", "XFD1048576")))
    assert "cells" in refusal(workbook(rows("A1", "XFD1048576").replace(b'r="XFD1048576"', b"  x='>\"/>' r = 'XFD1048576'")))
    assert "cells" in refusal(workbook(rows("A1", "XFD9999").replace(b"<c ", b"<x:c ").replace(b"</c>", b"</x:c>")))


def test_a_far_cell_without_a_content_is_no_reason_to_refuse_a_sheet() -> None:
    """Whoever formats whole columns leaves empty cells at the end of the sheet."""
    assert size.cells(workbook(rows("A1", "XFD1048576", cell='<c r="{}" s="1"/>'))) == 0
    assert size.cells(workbook(rows("A1", "C7"))) == 21


def test_cells_without_a_place_stand_one_behind_the_other() -> None:
    body = rows("A1").replace(b"<row", b'<row r="4"><c><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c></row><row', 1)
    assert size.cells(workbook(body)) == 5 * 2


def test_a_tag_that_falls_between_two_chunks_is_read_all_the_same() -> None:
    """The files of a workbook are looked through a megabyte at a time."""
    for pad in range(size._CHUNK - 48, size._CHUNK + 2, 7):
        head, place, tail = rows("A1", "D9").partition(b'<row r="9">')
        assert size.cells(workbook(head + b"<!--" + b"x" * (pad - len(head)) + b"-->" + place + tail)) == 36
    assert "opened" in refusal(workbook(b"<c " + b"x" * 3 * size._CHUNK))


def test_a_workbook_that_grows_beyond_the_cap_is_refused_before_it_does() -> None:
    """Issue, bad input: zip bombs."""
    body = bytearray(workbook(rows("A1")))
    # What the directory says of the first file: more than it holds, which nobody who trusts it notices in time.
    at = body.rfind(b"PK\x01\x02", 0, body.find(b"PK\x01\x02") + 4)
    body[at + 24 : at + 28] = (257 * 1024 * 1024).to_bytes(4, "little")
    assert "larger" in refusal(bytes(body))


@pytest.mark.parametrize("extra", ["xl/workbook.bin", "content.xml"])
def test_other_packed_workbooks_are_none_of_ours(extra: str) -> None:
    """Only of an XLSX is it known how large it becomes."""
    assert "opened" in refusal(workbook(rows("A1"), extra))


def test_a_workbook_with_a_broken_file_is_refused() -> None:
    """Its directory is whole, what lies behind it is not."""
    body = bytearray(workbook(rows("A1")))
    start = body.find(SHEETS.encode())
    body[start + 30 : start + 34] = b"\xff\xff\xff\xff"
    assert "opened" in refusal(bytes(body))
