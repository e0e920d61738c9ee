"""What the rules found: collected while they run, a frozen Verdict in the end."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from tracker.model import ClaimMove, Considered, Decision, DecisionReason, Effect, Verdict
from tracker.policy.view import Parcel, withdrawable

_AT_LEAST = timedelta(seconds=1)


class Findings:
    """Decisions, what was looked at and left, and when to look again."""

    __slots__ = ("_ask", "_claims", "_considered", "_day0", "_decisions", "_next", "_now", "_waits", "_withdrawn")

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._decisions: list[Decision] = []
        self._considered: list[Considered] = []
        self._withdrawn: dict[str, DecisionReason] = {}
        self._ask: list[str] = []
        self._claims: list[ClaimMove] = []
        self._day0: dict[str, datetime] = {}
        self._waits = False
        self._next: datetime | None = None

    @property
    def decided(self) -> Iterable[Decision]:
        """What was decided so far."""
        return self._decisions

    def act(self, decision: Decision) -> None:
        """Something is to be done."""
        self._decisions.append(decision)

    def move(self, claim: ClaimMove) -> None:
        """A claim of the register goes on by itself."""
        self._claims.append(claim)

    def nothing(
        self, rule: str, reason: DecisionReason, shipment: str | None = None, detail: str = "", again: datetime | None = None
    ) -> None:
        """A rule does nothing, because ...; `again` is when time alone can change that."""
        self._considered.append(Considered(rule=rule, reason=reason, shipment=shipment, detail=detail, looks_again=again))
        self.again(again)

    def again(self, at: datetime | None) -> None:
        """Time alone can change something then; None: it cannot."""
        if at is not None and (self._next is None or at < self._next):
            self._next = at

    def wait(self) -> None:
        """The next answer of a source can change something, whatever it says."""
        self._waits = True

    def wait_for_facts(self, rule: str, parcel: Parcel, detail: str) -> None:
        """The facts are too old to act on (D20): ask afresh first."""
        self.nothing(rule, DecisionReason.WAITING_FOR_FACTS, parcel.shipment.number, detail)
        self._waits = True
        if parcel.shipment.number not in self._ask:
            self._ask.append(parcel.shipment.number)

    def keep_day0(self, parcel: Parcel) -> None:
        """A stage acts on this parcel: its day 0 moves earlier from here on, never later (D1)."""
        self._day0 |= {} if parcel.day0 is None else {parcel.shipment.number: parcel.day0}

    def take_back(self, effects: Iterable[Effect], reason: DecisionReason) -> None:
        """The facts no longer want these: what can still be stopped is stopped."""
        for effect in effects:
            if withdrawable(effect):
                self._withdrawn.setdefault(effect.key, reason)

    def taken_back(self, effect: Effect) -> bool:
        """Whether this verdict takes it back."""
        return effect.key in self._withdrawn

    def verdict(self, considered: tuple[Considered, ...] | None = None) -> Verdict:
        """The answer. It never asks to be looked at again at once: a wrong date must not spin.

        `considered` stands for what was looked at and left, where somebody else tells it.
        """
        return Verdict(
            decisions=tuple(self._decisions),
            considered=tuple(self._considered) if considered is None else considered,
            withdraw=tuple(self._withdrawn.items()),
            claims=tuple(self._claims),
            next_at=None if self._next is None else max(self._next, self._now + _AT_LEAST),
            waits_for_answer=self._waits,
            ask_now=tuple(self._ask),
            day0=self._day0,
        )
