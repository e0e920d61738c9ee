"""Putting a wrong text right: one `correction` to each buyer who got it, in his language, by a person's order (R59)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from tracker.desk.errors import Refused
from tracker.model import ActionKind, Decision, DecisionReason, Dossier, Intent, OutboxState, Verdict
from tracker.policy import look
from tracker.policy.birth import birth
from tracker.policy.slots import allowed
from tracker.rules import Rules
from tracker.store import NewRow, Store, VerdictWrite
from tracker.store.decisions import TOLD, DecidedView

_KEY = Intent.CORRECTION.value
_PAGE = 200


class Corrected(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: rows `opened`, messages whose store or marketplace takes no corrections, buyers' languages without words.

    Where the words of a language are missing, a person gets the text with a gap to fill in.
    """

    opened: int
    switched_off: int
    without_words: Mapping[str, int]


def checked(words: Mapping[str, str]) -> Mapping[str, str]:
    """What is right, by language. Raises Refused for words that say nothing."""
    for language, said in words.items():
        if not said.strip():
            raise Refused("bad_value", f"--correct {language}= says nothing: write what was wrong and what is right")
    return words


def correctable(left: Sequence[DecidedView]) -> list[DecidedView]:
    """The messages among them that reached their buyers; a correction is not corrected by another one."""
    return [
        each
        for each in left
        if each.fate == TOLD and each.view.row.kind is ActionKind.MESSAGE and each.view.row.intent is not Intent.CORRECTION
    ]


async def correct(
    store: Store,
    rules: Rules,
    left: Sequence[DecidedView],
    words: Mapping[str, str],
    *,
    by: str,
    reason: str,
    now: datetime,
    dry_run: bool = False,
) -> Corrected:
    """Order one correction for every message that reached its buyer; where people paste them, on one grouped worksheet (D17)."""
    writes: list[VerdictWrite] = []
    off = 0
    missing: dict[str, int] = {}
    sent = correctable(left)
    for start in range(0, len(sent), _PAGE):
        page = sent[start : start + _PAGE]
        dossiers = {each.order.id: each for each in await store.load_dossiers(sorted({one.view.row.order_id for one in page}))}
        for each in page:
            dossier = dossiers.get(each.view.row.order_id)
            write = None if dossier is None else _write(dossier, each, words, rules, by, now)
            if dossier is None or write is None:
                off += 1
                continue
            language = dossier.order.language or rules.language(dossier.order.country)
            if language not in words:
                missing[language] = missing.get(language, 0) + 1
            writes.append(write)
    opened = len(writes) if dry_run else len(await store.open_corrections(writes, by=by, reason=reason, now=now))
    return Corrected(opened=opened, switched_off=off, without_words=missing)


def _write(
    dossier: Dossier, wrong: DecidedView, words: Mapping[str, str], rules: Rules, by: str, now: datetime
) -> VerdictWrite | None:
    """The row of one correction; None where its type is switched off, or nobody describes the store any more."""
    order = dossier.order
    if order.store not in rules.stores or not allowed(look(dossier, rules, now), _KEY):
        return None
    row = wrong.view.row
    decision = Decision(
        kind=ActionKind.MESSAGE,
        reason=DecisionReason.CORRECTED_BY_PERSON,
        rule=_KEY,
        subject=order.subject,
        intent=Intent.CORRECTION,
        occasion=str(row.id),
        shipment=row.shipment,
        template=_KEY,
        approved_by=by,
        evidence={
            "corrects": row.key,
            "sent_date": (wrong.view.sent_at or row.created_at).date().isoformat(),
            **{f"correction_{language}": said.strip() for language, said in words.items()},
        },
    )
    born = birth(decision, dossier, rules)
    if born is None:
        return None
    state = OutboxState.PENDING if born.hold is None else OutboxState.HELD
    new = NewRow(decision=decision, channel=born.channel, state=state, hold=born.hold)
    return VerdictWrite(order_id=order.id, version=dossier.version, verdict=Verdict(), rows=(new,), config_version=rules.version)
