"""A line of the worksheet of claims: what became of it, on which day, with which figures (R87, R90)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal

from babel.numbers import is_currency

from tracker.desk import claims
from tracker.desk.worksheet.became import Acted, Asking, Ready, Same
from tracker.desk.worksheet.cells import amount, day, same
from tracker.desk.worksheet.lines import note_of, unused, word_of
from tracker.desk.worksheet.problem import NotTaken
from tracker.desk.worksheet.reading import Filled
from tracker.model import ClaimState
from tracker.store.claims import ClaimView
from tracker.store.errors import NotThere

VALUES = ("on", "figure", "reference")
"""Columns that a decision may need."""

_WITH_SUM = frozenset({ClaimState.FILED, ClaimState.APPROVED, ClaimState.PAID, ClaimState.OFFSET})


async def look(asking: Asking, filled: Filled) -> Ready | Same | None:
    """What a line wants, looked at on today's facts; None: it is silent. Raises `NotTaken`."""
    word = word_of(asking, filled, VALUES)
    if word is None:
        return None
    view = await _claim(asking, filled)
    said = _said(filled, ClaimState(word), view)
    if _known(view, said):
        return Same(order_id=view.claim.id, word=word, steps=1)
    doing = claims.Desk(store=asking.store, rules=asking.rules, by=asking.by, now=asking.now)

    async def act(_seen: int) -> Acted:
        after = await claims.say(doing, view.claim.id, said, claims.ClaimPatch())
        return Acted(version=after.claim.revision)

    return Ready(order_id=view.claim.id, version=view.claim.revision, word=word, act=act)


def _said(filled: Filled, state: ClaimState, view: ClaimView) -> claims.Said:
    claim = view.claim
    if state not in _WITH_SUM:
        unused(filled, ("figure",))
    return claims.Said(
        state=state,
        on=day(filled.cells.get("on", "")),
        amount=_figure(filled, claim.claimed_currency or claim.currency),
        currency=None if claim.claimed_currency or claim.currency else _named(filled),
        reference=filled.text("reference") or None,
        why=note_of(filled),
    )


def _figure(filled: Filled, currency: str | None) -> Decimal | None:
    found = amount(filled.cells.get("figure", ""), currency)
    if found is not None and found <= 0:
        raise NotTaken("no_amount", text=filled.text("figure"))
    return found


def _named(filled: Filled) -> str | None:
    """The currency that stands beside the figure: of a claim whose sum nobody knows it is the only one that tells it."""
    words = re.findall(r"[A-Z]{3}", unicodedata.normalize("NFKC", filled.text("figure")).upper())
    return next((word for word in words if is_currency(word)), None)


def _known(view: ClaimView, said: claims.Said) -> bool:
    """Whether the claim has come to that state with just these figures: the same file again, or what somebody typed meanwhile."""
    claim = view.claim
    if claim.state is not said.state and not (
        said.state is ClaimState.APPROVED and claim.state is ClaimState.APPROVED_PARTIAL and said.amount is not None
    ):
        return False
    day_of, sum_of = _KNOWN.get(said.state, (None, None))
    same_day = said.on is None or day_of is None or getattr(claim, day_of) == said.on
    return same_day and (said.amount is None or sum_of is None or getattr(claim, sum_of) == said.amount)


_KNOWN: Mapping[ClaimState, tuple[str | None, str | None]] = {
    ClaimState.INQUIRY_OPEN: ("inquiry_on", None),
    ClaimState.FILED: ("filed_on", "claimed"),
    ClaimState.APPROVED: ("answered_on", "approved"),
    ClaimState.REJECTED: ("answered_on", None),
    ClaimState.PAID: (None, "settled"),
    ClaimState.OFFSET: (None, "settled"),
}
"""State -> where its day and its sum stand in a claim."""


async def _claim(asking: Asking, filled: Filled) -> ClaimView:
    """The claim of a line as it is now. Raises `NotTaken` where it is none of this database, or was mixed up."""
    if filled.row is None or filled.version is None or not filled.key:
        raise NotTaken("no_machine")
    try:
        view = await asking.store.claim(filled.row)
    except NotThere:
        raise NotTaken("other_row") from None
    if view.claim.number != filled.key:
        raise NotTaken("other_row")
    if filled.text("order") and not same(filled.cells.get("order", ""), view.order):
        raise NotTaken("mixed_up", shown=filled.text("order"), known=view.order)
    return view
