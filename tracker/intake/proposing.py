"""What a person gets for a file that nobody knows: a proposed mapping, saved as a profile where that is possible."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from tracker.intake.errors import UnknownLayoutError
from tracker.intake.headers import Header
from tracker.intake.layout import fits
from tracker.intake.loading import FOLDER, Profile
from tracker.intake.profile_file import name_for, profile_text, save
from tracker.intake.profiles import Formats
from tracker.intake.proposal import Proposal, propose
from tracker.rules import Rules


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """The profile's id and file; `mapping` is None where the layout was proposed before.

    `body` is its text, to be pasted where it could not be written (`unwritten` says why; nothing was tried in a dry run).
    """

    id: str
    file: Path
    mapping: Proposal | None = None
    body: str = ""
    saved: bool = False
    unwritten: str | None = None


def proposed(
    path: Path,
    error: UnknownLayoutError,
    *,
    formats: Formats,
    rules: Rules,
    profiles: Mapping[str, Profile],
    folder: Path | None,
    store: str | None,
    write: bool,
) -> Proposed:
    """A mapping for the file's table, written to profiles/ of `folder` (that of tracker.toml) when `write`."""
    header = Header.of(error.sheet.lines[error.header].cells)
    known = next((one for one in formats.proposed if fits(header, one)), None)
    if known is not None:
        return Proposed(id=known.id, file=profiles[known.id].file)
    mapping = propose(error.sheet, error.header, formats, rules, store)
    listed = [one.id for one in (*formats.format, *formats.proposed)]
    there = [each.stem for each in (folder / FOLDER).glob("*.toml")] if folder else []
    name = name_for(path.name, {*listed, *there})
    body = profile_text(mapping, name, path.name)
    found = Proposed(id=name, file=(folder or Path()) / FOLDER / f"{name}.toml", mapping=mapping, body=body)
    if not write or folder is None:
        return found
    try:
        save(folder, name, body)
    except OSError as failure:
        return msgspec.structs.replace(found, unwritten=failure.strerror or str(failure))
    return msgspec.structs.replace(found, saved=True)


def proposal_document(found: Proposed) -> dict[str, Any]:
    """`{"id", "file", "saved", "columns": [{"column", "field", "why", "examples"}], "missing", "toml"}`."""
    mapping = found.mapping
    columns = [
        {"column": guess.alias, "field": guess.field, "why": guess.why, "examples": guess.examples}
        for guess in (mapping.columns if mapping else ())
    ]
    missing = mapping.missing if mapping else ()
    return {
        "id": found.id,
        "file": str(found.file),
        "saved": found.saved,
        "columns": columns,
        "missing": missing,
        "toml": found.body or None,
    }


def proposal_lines(found: Proposed, file: str) -> list[str]:
    """The mapping for eyes, and what to do next."""
    then = f"tracker import {file} --format {found.id}"
    mapping = found.mapping
    if mapping is None:
        return [
            f"  this layout was proposed before, and nobody has agreed to it yet: look at {found.file}, then run:",
            f"    {then}",
        ]
    width = max(len(guess.alias) for guess in mapping.columns)
    lines = ["  proposed mapping, by its headers and its values:"]
    for guess in mapping.columns:
        examples = " | ".join(guess.examples) or "empty"
        lines.append(f"    {guess.alias:<{width}} -> {guess.field or '(not read)':<18} {examples}")
    lines += [f"  missing: {sentence}" for sentence in mapping.missing]
    if found.saved:
        return [*lines, f"  saved as {found.file}; look at it, then run:", f"    {then}"]
    why = f" ({found.unwritten})" if found.unwritten else ""
    told = (
        f"  it could not be saved{why}; write this into {found.file}, look at it, then run:"
        if found.unwritten
        else (f"  a dry run saves nothing; without --dry-run it is saved as {found.file}")
    )
    return [*lines, told, *([f"    {then}", "", found.body] if found.unwritten else [])]
