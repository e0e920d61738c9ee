"""A line of the worksheet of cases: answered, or how it ended (R10, R56). By the same rules as at the command line."""

from __future__ import annotations

from tracker.desk import cases
from tracker.desk.errors import Refused
from tracker.desk.worksheet.became import Acted, Asking, Ready, Same
from tracker.desk.worksheet.cells import same
from tracker.desk.worksheet.lines import note_of, word_of
from tracker.desk.worksheet.problem import NotTaken
from tracker.desk.worksheet.reading import Filled
from tracker.model import Case, CaseOutcome
from tracker.store import CaseView
from tracker.store.errors import NotThere


async def look(asking: Asking, filled: Filled) -> Ready | Same | None:
    """What a line wants, looked at on today's facts; None: it is silent. Raises `NotTaken`."""
    word = word_of(asking, filled, ())
    if word is None:
        return None
    view = await _case(asking, filled)
    said = said_by(word, note_of(filled))
    if _known(view.case, said):
        return Same(order_id=view.order.id, word=word, steps=1)
    try:
        cases.after(view.case, said, asking.now)
    except Refused as error:
        raise NotTaken("other", message=str(error)) from error

    async def act(seen: int) -> Acted:
        done = await cases.say(asking.store, asking.rules, view.case.id, said, by=asking.by, now=asking.now, seen=seen)
        return Acted(version=done.order.version)

    return Ready(order_id=view.order.id, version=view.order.version, word=word, act=act)


def said_by(word: str, note: str) -> cases.Said:
    """A word of the worksheet. A rejection is an answer: the case goes on until the other side has spoken (R10)."""
    if word == CaseOutcome.ANSWERED.value:
        return cases.Said(answered=True, note=note)
    outcome = CaseOutcome(word)
    return cases.Said(outcome=outcome, answered=outcome is CaseOutcome.REJECTED_WITH_PROPOSAL, note=note)


def _known(case: Case, said: cases.Said) -> bool:
    """Whether just this was said before, by whomever."""
    if said.answered:
        return case.answered_at is not None and said.outcome in {None, case.outcome}
    return case.closed_at is not None and case.outcome is said.outcome


async def _case(asking: Asking, filled: Filled) -> CaseView:
    """The case of a line as it is now. Raises `NotTaken` where it is none of this database, or was mixed up."""
    if filled.row is None or filled.version is None or not filled.key:
        raise NotTaken("no_machine")
    try:
        view = await asking.store.case(filled.key)
    except NotThere:
        raise NotTaken("other_row") from None
    if view.order.id != filled.row:
        raise NotTaken("other_row")
    if filled.text("order") and not same(filled.cells.get("order", ""), view.order.number):
        raise NotTaken("mixed_up", shown=filled.text("order"), known=view.order.number)
    return view
