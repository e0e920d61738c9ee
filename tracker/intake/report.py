"""What an import did, file by file: the contract of `tracker import --json`, and text for eyes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from tracker.intake.preview import change_document, change_lines
from tracker.intake.proposing import Proposed, proposal_document, proposal_lines
from tracker.model import Change, Followed, ImportBatch, ImportOutcome, Rejected

SCHEMA_VERSION = 1
_SHOWN = 10
SHOWN = 20
"""Changed rows of a dry run that a terminal shows without being asked for more."""


class FileReport(msgspec.Struct, frozen=True, kw_only=True):
    """One file. `new`, `updated`, `unchanged` count orders and shipments together; `error` means the whole file was not taken.

    `orphans` are what waits for a partner file; `unmatched` counts parcels by channel text that services.toml does not know.
    """

    file: str
    format: str | None = None
    rows: int = 0
    orders: int = 0
    shipments: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    orphans: tuple[str, ...] = ()
    unmatched: Mapping[str, int] = {}
    warnings: tuple[str, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    rejected_file: str | None = None
    cutover_at: datetime | None = None
    taken_over: int = 0
    """Orders whose cut-over is this import's; the file's others were followed before, or have one of their own."""
    error: str | None = None
    skipped: str | None = None
    """Why the file was not even opened, where that is all right."""
    dry_run: bool = False
    changes: tuple[Change, ...] = ()
    """Of a dry run: every order and parcel of the file, and what would become of it."""
    followed: tuple[Followed, ...] = ()
    proposal: Proposed | None = None
    """Of a dry run's last file: parcels that all of its files together would have us ask about."""

    @property
    def taken(self) -> bool:
        """Whether anything of the file was good."""
        return self.error is None and (not self.rejected or bool(self.orders or self.shipments))

    @property
    def nothing_new(self) -> bool:
        """Whether all of it was known already (the same file again, for one)."""
        return self.error is None and self.unchanged > 0 and not (self.new or self.updated or self.rejected)


def report_of(path: Path, batch: ImportBatch, outcome: ImportOutcome, *, dry_run: bool = False) -> FileReport:
    """The report of a file that was read and saved (or only tried)."""
    unmatched = Counter(parcel.service_text for parcel in batch.shipments if not parcel.matched and parcel.service_text)
    return FileReport(
        file=str(path),
        format=batch.format,
        rows=batch.rows,
        orders=len(batch.orders),
        shipments=len({parcel.number for parcel in batch.shipments}),
        new=outcome.new,
        updated=outcome.updated,
        unchanged=outcome.unchanged,
        orphans=outcome.orphans,
        unmatched=dict(unmatched.most_common()),
        warnings=batch.warnings,
        rejected=batch.rejected,
        cutover_at=batch.cutover_at,
        taken_over=outcome.taken_over,
        dry_run=dry_run,
        changes=outcome.changes,
        followed=outcome.followed,
    )


def document(reports: Iterable[FileReport]) -> dict[str, Any]:
    """The one JSON document of `tracker import --json` (DESIGN "Commands")."""
    return {"schema_version": SCHEMA_VERSION, "files": [_file(report) for report in reports]}


def exit_code(reports: Iterable[FileReport]) -> int:
    """0 all taken, 1 nothing taken, 3 done in part."""
    listed = list(reports)
    if all(report.taken and not report.rejected for report in listed):
        return 0
    return 3 if any(report.taken for report in listed) else 1


def summary(reports: Iterable[FileReport], limit: int = SHOWN) -> str:
    """Text for eyes: a paragraph a file, of a dry run with `limit` changed rows at most (0: all of them)."""
    return "\n".join(line for report in reports for line in (*_paragraph(report), *change_lines(report.changes, limit)))


def _file(report: FileReport) -> dict[str, Any]:
    plain = {name: getattr(report, name) for name in _CONTRACT}
    more = {name: value for name in _MORE if (value := getattr(report, name))}
    if report.proposal:
        more["proposal"] = proposal_document(report.proposal)
    if report.dry_run:
        more["changes"] = [change_document(change) for change in sorted(report.changes, key=lambda change: change.row)]
    return {**plain, **more, "rejected": [{"row": row.row, "reason": row.reason} for row in report.rejected]}


_CONTRACT = ("file", "format", "rows", "orders", "shipments", "new", "updated", "unchanged", "rejected")
_MORE = ("error", "skipped", "orphans", "warnings", "unmatched", "rejected_file", "cutover_at", "taken_over", "dry_run")


def _paragraph(report: FileReport) -> list[str]:
    if report.skipped:
        return [f"{report.file}: {report.skipped}"]
    if report.error:
        asked = proposal_lines(report.proposal, report.file) if report.proposal else []
        return [f"{report.file}: not imported", f"  {report.error}", *asked]
    lines = [
        f"{report.file}: {report.format}, {_count(report.rows, 'row')}",
        f"  {_count(report.orders, 'order')}, {_count(report.shipments, 'parcel')}",
        f"  {'would be ' if report.dry_run else ''}{report.new} new, {report.updated} updated, {report.unchanged} unchanged",
    ]
    if report.cutover_at is not None:
        lines.append(
            f"  {_count(report.taken_over, 'order')} taken over: what was due before {report.cutover_at:%Y-%m-%d} is skipped"
        )
        kept = report.orders - report.taken_over
        if kept:
            lines.append(f"  {_count(kept, 'order')} followed since before that day, or taken over on another, as before")
    if report.orphans:
        waits = "1 waits for the file that names its partner"
        if len(report.orphans) > 1:
            waits = f"{len(report.orphans)} wait for the files that name their partners"
        lines.append(f"  {waits}: {_some(report.orphans)}")
    if report.unmatched:
        texts = [f"{text!r} ({_count(parcels, 'parcel')})" for text, parcels in report.unmatched.items()]
        lines.append(f"  channels that services.toml does not know, handled with caution: {_some(texts)}")
    lines += [f"  warning: {warning}" for warning in report.warnings]
    if report.rejected:
        where = f" -> {report.rejected_file}" if report.rejected_file else ""
        lines.append(f"  {_count(len(report.rejected), 'row')} rejected{where}")
        lines += [f"    row {row.row}: {row.reason}" for row in report.rejected[:_SHOWN]]
        if len(report.rejected) > _SHOWN:
            lines.append(f"    … and {len(report.rejected) - _SHOWN} more")
    return lines


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _some(texts: Iterable[str]) -> str:
    listed = list(texts)
    return ", ".join(listed[:_SHOWN]) + (f" … and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else "")
