"""The record as pictures and PDF, for marketplaces that take nothing else (D10). Needs the extra `evidence`.

The letters come from fonts: Latin, Cyrillic and Greek from the font that the extra brings, Chinese and all others from a font of
the machine (Noto Sans CJK, WenQuanYi ...) or the one that [evidence] font names. A letter that no font has is never left out: it
is an error that names the letter.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

from tracker.reports.evidence.record import Fact, Record

WIDTH, HEIGHT = 1240, 1754
"""A4 at 150 dots an inch."""

MARGIN = 70
SIZE, LEADING = 21, 30
_INDENT = "    "
_LETTERS_OF_THE_MACHINE = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "NotoSansSC-Regular.otf",
    "NotoSansSC-Regular.ttf",
    "SourceHanSansSC-Regular.otf",
    "SourceHanSansCN-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "msyh.ttc",
    "PingFang.ttc",
    "DejaVuSans.ttf",
)
_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts", "C:/Windows/Fonts")


class FontMissing(Exception):  # noqa: N818 - it is the name of what is missing
    """A letter of the record is in no font here. The message says which, and how to mend it."""


class Pages:
    """Lays lines on pages. Raises ImportError without the extra, FontMissing."""

    def __init__(self, font: Path | None = None) -> None:
        self._fonts = list(_fonts(font))
        self._known: dict[str, FreeTypeFont] = {}

    def draw(self, record: Record) -> list[Image]:
        """The record on as many pages as it takes."""
        from PIL import Image as Images
        from PIL import ImageDraw

        lines = [wrapped for line in text_lines(record) for wrapped in self._wrap(line)]
        most = (HEIGHT - 2 * MARGIN) // LEADING
        pages = []
        for first in range(0, len(lines), most):
            sheet = Images.new("L", (WIDTH, HEIGHT), 255)
            pen = ImageDraw.Draw(sheet)
            for place, line in enumerate(lines[first : first + most]):
                x = float(MARGIN)
                for font, run in self._runs(line):
                    pen.text((x, MARGIN + place * LEADING), run, font=font, fill=0)
                    x += font.getlength(run)
            pages.append(sheet)
        return pages

    def _wrap(self, line: str) -> Iterator[str]:
        """Lines that fit: broken at spaces, inside a word only where it alone is too long."""
        indent, rest = "", line
        while (fits := self._fits(indent + rest, WIDTH - 2 * MARGIN) - len(indent)) < len(rest):
            space = rest.rfind(" ", 1, fits + 1)
            cut = space if space > 0 else max(fits, 1)
            yield indent + rest[:cut].rstrip()
            indent, rest = _INDENT, rest[cut:].lstrip()
        yield indent + rest

    def _fits(self, line: str, room: float) -> int:
        used = 0.0
        for place, letter in enumerate(line):
            used += self._font_of(letter).getlength(letter)
            if used > room:
                return max(place, 1)
        return len(line)

    def _runs(self, line: str) -> Iterator[tuple[FreeTypeFont, str]]:
        run, current = "", None
        for letter in line:
            font = self._font_of(letter)
            if font is not current and current is not None:
                yield current, run
                run = ""
            run, current = run + letter, font
        if current is not None:
            yield current, run

    def _font_of(self, letter: str) -> FreeTypeFont:
        found = self._known.get(letter)
        if found is None:
            found = next((font for font in self._fonts if letter.isspace() or _has(font, letter)), None)
            if found is None:
                raise FontMissing(
                    f"no font here has the letter {letter!r} (U+{ord(letter):04X}): install one that has it (Debian: "
                    "apt install fonts-noto-cjk), or name its file in tracker.toml: [evidence] font"
                )
            self._known[letter] = found
        return found


def jpegs(pages: Sequence[Image], quality: int = 80) -> list[bytes]:
    """Each page as a JPEG."""
    return [_saved(page, "JPEG", quality=quality, optimize=True) for page in pages]


def pngs(pages: Sequence[Image]) -> list[bytes]:
    """Each page as a PNG. Its smallest form takes ten times as long and saves a tenth: too long for the cases of a day."""
    return [_saved(page, "PNG", compress_level=6) for page in pages]


def pdf(pages: Sequence[Image]) -> bytes:
    """All pages as one PDF."""
    return _saved(pages[0], "PDF", save_all=True, append_images=list(pages[1:]), resolution=150.0)


def _saved(page: Image, kind: str, **how: object) -> bytes:
    body = io.BytesIO()
    page.save(body, kind, **how)
    return body.getvalue()


def text_lines(record: Record) -> Iterator[str]:
    """The record as lines of plain text: what the page says, without its tables."""
    yield f"Order {record.order}: tracking record"
    yield f"{record.store}, {record.platform}. Written {record.at} (UTC)."
    yield f"SHA-256 of this record: {record.digest}"
    yield ""
    yield from _pairs(record.facts)
    for parcel in record.parcels:
        yield ""
        yield f"PARCEL {parcel.number}"
        yield from _pairs(parcel.facts)
        if parcel.page:
            yield f"Public tracking page: {parcel.page}"
        yield "Local time, status, record, place (told by, seen, UTC):"
        if not parcel.scans:
            yield "  No record."
        for scan in parcel.scans:
            place = f", {scan.place}" if scan.place else ""
            yield f"  {scan.at}  {scan.status}  {scan.text}{place} ({scan.source}, {scan.seen_at})"
        for told in parcel.answers:
            yield f"  Answer of {told.account}, {told.at}, {told.size} bytes, SHA-256 {told.sha256}"
    if record.window:
        yield ""
        yield "DELIVERY WINDOW"
        yield from _pairs(record.window)
    yield ""
    yield "MESSAGES TO THE BUYER"
    for message in record.messages:
        doubt = " (whether it arrived is not known)" if message.state == "unknown" else ""
        yield f"{message.at}: {message.kind}, {message.channel}{doubt}"
        yield from (f"  {line}" for line in (message.text or "Its text is no longer kept.").splitlines())
    if record.cases:
        yield ""
        yield "CASES"
        yield from _pairs(record.cases)


def _pairs(facts: Iterable[Fact]) -> Iterator[str]:
    return (f"{fact.name}: {fact.value}" for fact in facts)


def _fonts(named: Path | None) -> Iterator[FreeTypeFont]:
    """The fonts in the order in which they are asked for a letter."""
    from PIL import ImageFont

    if named is not None:
        yield ImageFont.truetype(str(named), SIZE)
    with as_file(files("ttf_opensans").joinpath("ttf/OpenSans-Regular.ttf")) as own:
        yield ImageFont.truetype(str(own), SIZE)
    for file in _of_the_machine():
        yield ImageFont.truetype(str(file), SIZE)


@lru_cache(maxsize=1)
def _of_the_machine() -> tuple[Path, ...]:
    found = {file.name: file for folder in _FOLDERS for file in Path(folder).rglob("*") if file.name in _LETTERS_OF_THE_MACHINE}
    return tuple(found[name] for name in _LETTERS_OF_THE_MACHINE if name in found)


def _has(font: FreeTypeFont, letter: str) -> bool:
    """Whether the font draws it with a form of its own: a font without it draws what it draws for every letter it lacks."""
    return bytes(font.getmask(letter)) != bytes(font.getmask("\U0010fffe"))
