"""How anything beside the ladder is said: once, where the type is wanted, while it is news, on fresh facts; else why not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from tracker.dates import DAY, utc_text
from tracker.model import ActionKind, Decision, DecisionReason, Effect, Intent
from tracker.policy.cutover import Left, before, left_behind, sent_after_all, stands, told
from tracker.policy.findings import Findings
from tracker.policy.ladder import evidence
from tracker.policy.slots import allowed
from tracker.policy.view import Parcel, View, standing, withdrawable
from tracker.rules import STAGES

SLOTS = frozenset(
    {
        Intent.CUSTOMS,
        Intent.DUTIES,
        Intent.PICKUP,
        Intent.STORAGE,
        Intent.DELAY,
        Intent.DELIVERED,
        Intent.REOPENED,
        Intent.NOT_FOUND_BY_BUYER,
        Intent.DISPUTE,
        Intent.LOST,
        Intent.REVIEW,
        Intent.VIP,
        Intent.RELEASE_FUNDS,
    }
)
"""What is taken back here when its event is over."""


class Word(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something to say. `template` is its type of message; `since` when it came about (aware UTC).

    `within`: told within so many days of `since` or not at all: an import of old orders, or a long outage, must write to nobody.
    `stage`: the rung of the ladder in whose place it speaks: who was told of that rung outside, is not told again, and what a
    person settles about the rung holds for it.
    `fresh`: it speaks of where the parcel is, so the facts must be of the last 48 hours (D20).
    """

    intent: Intent
    template: str
    reason: DecisionReason
    occasion: str = "0"
    parcel: Parcel | None = None
    since: datetime | None = None
    deadline: datetime | None = None
    urgent: bool = False
    within: int | None = None
    stage: int | None = None
    fresh: bool = True
    kind: ActionKind = ActionKind.MESSAGE
    facts: Mapping[str, str] = {}


class Voice:
    """Says words of one order, and remembers which are still true: what waits beside them is taken back in the end."""

    __slots__ = ("_out", "_true", "_view", "_why")

    def __init__(self, view: View, out: Findings) -> None:
        self._view = view
        self._out = out
        self._true: set[str] = set()
        self._why: dict[Intent, DecisionReason] = {}

    def say(self, word: Word) -> None:
        """Decide it, unless its slot is used up, or something speaks against it (D12, D17, D20, D22)."""
        view, out, rule = self._view, self._out, word.intent.value
        past = self.past(word.intent, word.occasion)
        self._true.add(f"{view.order.subject}:{word.intent.value}:{word.occasion}")
        number = None if word.parcel is None else word.parcel.shipment.number
        used, left, wanted = standing(past), self._left(word), self._wanted(word)
        if used is not None and stands(used, left):
            out.nothing(rule, DecisionReason.ALREADY_DONE, number, used.state.value)
        elif left is not None:
            out.nothing(rule, left.reason, number, left.detail)
            out.take_back(past, left.reason)
        elif word.kind is ActionKind.MESSAGE and not allowed(view, word.template):
            out.nothing(rule, DecisionReason.SWITCHED_OFF, number)
        elif wanted is None and self._is_old(word):
            out.nothing(rule, DecisionReason.NO_LONGER_NEWS, number, "" if word.since is None else f"since {word.since:%Y-%m-%d}")
        elif word.fresh and word.parcel is not None and not self._fresh(word.parcel):
            out.wait_for_facts(rule, word.parcel, "a message needs facts of the last 48 hours")
        else:
            out.act(self._decision(word, wanted))

    def nothing(
        self,
        intent: Intent,
        reason: DecisionReason,
        parcel: Parcel | None = None,
        detail: str = "",
        again: datetime | None = None,
    ) -> None:
        """It is not said, because ...; what of it still waits is taken back for that reason."""
        self._why.setdefault(intent, reason)
        self._out.nothing(intent.value, reason, None if parcel is None else parcel.shipment.number, detail, again)

    def later(self, intent: Intent, reason: DecisionReason, occasion: str = "0", again: datetime | None = None) -> None:
        """Not now; what of it is on its way waits too, it is not taken back."""
        self._true.add(f"{self._view.order.subject}:{intent.value}:{occasion}")
        self._out.nothing(intent.value, reason, again=again)

    def past(self, intent: Intent, occasion: str) -> list[Effect]:
        """What was decided for this very instance before."""
        return [effect for effect in self._view.effects(intent) if effect.occasion == occasion]

    def again(self, at: datetime | None) -> None:
        """Time alone can change something then."""
        self._out.again(at)

    def fall_silent(self) -> None:
        """Take back what still waits although what it tells of is over (D17: tasks cancel themselves when the facts change)."""
        subject = self._view.order.subject
        for effect in self._view.dossier.effects:
            if effect.intent in SLOTS and effect.subject == subject and effect.key not in self._true and withdrawable(effect):
                self._out.take_back([effect], self._why.get(effect.intent, self._view.over or DecisionReason.EVENT_OVER))

    def _left(self, word: Word) -> Left | None:
        """Why it is not ours to speak: told outside, settled by a person, or due before the cut-over (D22, faults row 35)."""
        view = self._view
        if word.stage is not None:
            return left_behind(view, word.stage, word.since)
        at = view.order.contacted.get(word.intent)
        if at is not None:
            return Left(DecisionReason.ALREADY_DONE, f"contacted outside on {at:%Y-%m-%d}")
        return Left(DecisionReason.BEFORE_CUTOVER, told(view, word.since)) if before(view, word.since) else None

    def _wanted(self, word: Word) -> str | None:
        return None if word.stage is None else sent_after_all(self._view, STAGES[word.stage])

    def _is_old(self, word: Word) -> bool:
        return word.within is not None and word.since is not None and self._view.now - word.since > word.within * DAY

    def _fresh(self, parcel: Parcel) -> bool:
        return self._view.fresh(parcel, self._view.rules.manners.facts_age_message_hours)

    def _decision(self, word: Word, wanted: str | None) -> Decision:
        facts = {} if word.parcel is None else evidence(word.parcel)
        if word.since is not None:
            facts["due_at"] = utc_text(word.since)
        message = word.kind is ActionKind.MESSAGE
        return Decision(
            kind=word.kind,
            reason=word.reason,
            rule=word.intent.value,
            subject=self._view.order.subject,
            intent=word.intent,
            occasion=word.occasion,
            shipment=None if word.parcel is None else word.parcel.shipment.number,
            template=word.template if message else None,
            deadline=word.deadline,
            currency=self._view.order.currency,
            urgent=word.urgent,
            approved_by=wanted,
            evidence=facts | dict(word.facts),
        )


def going(view: View) -> tuple[Parcel, ...]:
    """The parcels that are on their way and that the sources really speak of; none once the order wants nothing more of us."""
    if view.over is not None:
        return ()
    return tuple(parcel for parcel in view.expected if parcel.shipment.suspect is None)


def oldest(parcels: tuple[Parcel, ...]) -> Parcel:
    """The most delayed one: a slot of the order speaks of it (D12)."""
    return max(parcels, key=lambda parcel: (parcel.reached, parcel.age, parcel.shipment.number))


def seen_at(parcel: Parcel) -> datetime | None:
    """When the scan came about that tells the parcel's present state; the later bound."""
    scan = parcel.shipment.last_scan
    return None if scan is None else scan.latest
