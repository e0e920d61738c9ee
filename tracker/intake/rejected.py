"""The rejected file: what could not be taken, all original cells kept, each row with its reason, safe to open in a spreadsheet.

Beside a file that a person imports it is ours: replaced by the next import of that file, gone after a clean one, never read.
Mended and saved under a name of its own it is read like the file it came from (the text marker `'` and the reason column are
ignored).
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Protocol

from tracker.intake.errors import FileError
from tracker.intake.headers import normalise
from tracker.messages.cells import disarmed
from tracker.model import Rejected

REASON = "reason"
WHY = "rejected because"
"""The column of a list that has a `reason` of its own: a case's."""
_NAME = re.compile(r"(.+)\.rejected(?:-\d+)?\.csv")
_NUMBER = re.compile(r"-?\d{1,11}(?:\.\d+)?")
# From 12 digits on a spreadsheet shows a number as 8.17E+15, and saves what it shows.
_LONG_NUMBER = re.compile(r"\d{12,}")


def escaped(cell: str) -> str:
    """The cell with a `'` where a spreadsheet would run it as a formula (faults row 29), or destroy it as a number."""
    if _NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}" if _LONG_NUMBER.fullmatch(cell) else disarmed(cell)


class Rows(Protocol):
    """What a sheet left over: an ImportBatch, or any other that was read row by row."""

    @property
    def file(self) -> str:
        """Its name."""
        ...

    @property
    def header(self) -> tuple[str, ...]:
        """The header as it stands in the file."""
        ...

    @property
    def rejected(self) -> tuple[Rejected, ...]:
        """The rows that could not be taken."""
        ...


def rejected_csv(batch: Rows, column: str = REASON) -> bytes:
    """RFC 4180, UTF-8 with BOM: the file's header and the rejected rows, last the `column` that says why.

    Every other column stays, with its cells; one of that name is ours, from an earlier import.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    keep = [at for at, name in enumerate(batch.header) if normalise(name) != column]
    writer.writerow([*(escaped(batch.header[at]) for at in keep), column])
    for row in batch.rejected:
        cells = [row.cells[at] if at < len(row.cells) else "" for at in keep]
        cells += row.cells[len(batch.header) :]
        writer.writerow([*map(escaped, cells), escaped(f"row {row.row}: {row.reason}")])
    return out.getvalue().replace("\0", "").encode("utf-8-sig", errors="replace")


def origin_of(name: str) -> str | None:
    """The file whose rejected rows a file of this name holds; None for every other name."""
    found = _NAME.fullmatch(name)
    return found[1] if found else None


def refuse_rejected(path: Path) -> None:
    """A file of rejected rows is ours: it is replaced by the next import, and must not lose what somebody mended in it."""
    if (origin := origin_of(path.name)) is not None:
        raise FileError(
            f"{path.name} holds rows of {origin} that were rejected: mend them in {origin}, "
            "or save the mended rows under another name"
        )


def clear_rejected(file: Path) -> None:
    """Remove what an earlier import of `file` left beside it: its rows have been read again. Raises OSError."""
    for beside in file.parent.iterdir():
        if origin_of(beside.name) == file.name and beside.is_file() and not beside.is_symlink() and _is_ours(beside):
            beside.unlink()


def _is_ours(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return next(csv.reader(file), [""])[-1:] in ([REASON], [WHY])
    except (UnicodeDecodeError, csv.Error):
        return False


def write_rejected(batch: Rows, folder: Path, column: str = REASON) -> Path:
    """Write `<name>.rejected.csv` into `folder`; an older one that says something else is kept, the new one gets a number.

    Raises OSError.
    """
    data = rejected_csv(batch, column)
    target, count = folder / f"{batch.file}.rejected.csv", 1
    while target.exists() or target.is_symlink():
        if target.is_file() and target.read_bytes() == data:
            return target
        count += 1
        target = folder / f"{batch.file}.rejected-{count}.csv"
    with target.open("xb") as file:
        file.write(data)
    return target
