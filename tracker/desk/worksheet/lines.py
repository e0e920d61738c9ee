"""What holds of every line, whatever its worksheet: which row it is, whether it was mixed up, what its cells say."""

from __future__ import annotations

from collections.abc import Iterable

from tracker.desk.worksheet.became import Asking
from tracker.desk.worksheet.cells import decision, destroyed, prose, same
from tracker.desk.worksheet.problem import NotTaken
from tracker.desk.worksheet.reading import Filled
from tracker.store.errors import NotThere
from tracker.store.rows import OutboxView


async def row_of(asking: Asking, filled: Filled) -> OutboxView:
    """The outbox row of a line as it is now. Raises `NotTaken` where the line is none of this database, or was mixed up."""
    if filled.row is None or filled.version is None or not filled.key:
        raise NotTaken("no_machine")
    try:
        view = await asking.store.outbox_view(filled.row)
    except NotThere:
        raise NotTaken("other_row") from None
    if view.row.key != filled.key:
        raise NotTaken("other_row")
    shown = filled.cells.get("order", "")
    if filled.text("order") and not same(shown, view.order.number):
        raise NotTaken("mixed_up", shown=filled.text("order"), known=view.order.number)
    return view


def word_of(asking: Asking, filled: Filled, values: Iterable[str]) -> str | None:
    """The decision of a line; None where it is silent. Raises `NotTaken`: no such word, or `values` without any decision."""
    word = decision(filled.cells.get("decision", ""), asking.words)
    if word is None:
        for column in values:
            if filled.text(column):
                raise NotTaken("no_decision", column=column)
    return word


def unused(filled: Filled, columns: Iterable[str]) -> None:
    """Refuse values that the decision has no use for: they may be meant for another line. Raises `NotTaken`."""
    for column in columns:
        if filled.text(column):
            raise NotTaken("no_use", column=column)


def note_of(filled: Filled) -> str:
    """What stands in the column for a note."""
    return prose(filled.cells.get("note", ""))


def wanted(filled: Filled, column: str) -> str:
    """Text that has to be there, whole. Raises `NotTaken`."""
    said = filled.text(column)
    if not said:
        raise NotTaken("no_value", column=column)
    if destroyed(filled.cells[column]):
        raise NotTaken("destroyed", column=column, text=said)
    return said
