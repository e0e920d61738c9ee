"""decide(): everything that is due about one order, and why nothing else is. Pure and level-triggered: twice changes nothing."""

from __future__ import annotations

from datetime import datetime

from tracker.model import DecisionReason, Dossier, Verdict
from tracker.policy.cases import answer
from tracker.policy.claims import follow
from tracker.policy.findings import Findings
from tracker.policy.inquiries import inquire
from tracker.policy.ladder import climb
from tracker.policy.losses import claim
from tracker.policy.notices import tell
from tracker.policy.nudge import nudge
from tracker.policy.opening import warn
from tracker.policy.preparing import prepare
from tracker.policy.problems import solve
from tracker.policy.quiet import quiet
from tracker.policy.refunds import recommend
from tracker.policy.rounds import count_rounds
from tracker.policy.untrackable import trace
from tracker.policy.view import look
from tracker.policy.window import extend
from tracker.rules import Rules

_TRACED = frozenset({None, DecisionReason.REFUNDED, DecisionReason.REPLACED})
"""The buyer's money of the last two is settled, the carrier's is not: the parcel may be lost."""


def decide(dossier: Dossier, rules: Rules, now: datetime) -> Verdict:
    """What is due for this order at `now` (aware UTC), what was looked at and left, and when the answer can change by time alone.

    After a week of downtime it says what is due now. KeyError: the order's marketplace is not configured (`config check` finds
    it).
    """
    return quiet(dossier, rules, now, weigh) or weigh(dossier, rules, now)


def weigh(dossier: Dossier, rules: Rules, now: datetime) -> Verdict:
    """Every concern in turn. decide() spares the quiet order this; what it answers is the same."""
    view = look(dossier, rules, now)
    out = Findings(now)
    traces = {parcel.shipment.number: trace(view, parcel) for parcel in view.parcels if parcel.gone in _TRACED}
    answer(view, out)
    extend(view, out)
    recommend(view, out, traces)
    claim(view, out, traces)
    follow(view, out)
    inquire(view, out, traces)
    solve(view, out)
    warn(view, out, traces)
    prepare(view, out)
    climb(view, out)
    tell(view, out)
    nudge(view, out)
    count_rounds(view, out)
    return out.verdict()
