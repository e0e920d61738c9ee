"""What people say about claims: a state with its day and figures, single facts, documents, a new attempt (R86, R87, R70).

Filing, answers and money are a person's word, or a carrier's by a file. The daemon prepares, reminds and checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from tracker import compensation
from tracker.compensation import BadEntry, ClaimEvent, Entry, Ground, IllegalMove, Known
from tracker.desk.errors import Refused
from tracker.model import Claim, ClaimState, Dossier, Liable, LossType, Paper, Settlement, Shipment
from tracker.rules import Rules
from tracker.store import Store
from tracker.store.claims import ClaimView

FACTS_EVENT = "corrected"
"""Event of a history row that changed no state."""


LIGHTEST_KG, HEAVIEST_KG = Decimal("0.001"), Decimal(100)
"""What a parcel can weigh: beyond it somebody has written grams."""


class ClaimPatch(msgspec.Struct, frozen=True, kw_only=True):
    """Single facts of a claim; what is UNSET stays as it is. `papers` are added to those that are there."""

    loss_type: LossType | UnsetType = UNSET
    liable: Liable | UnsetType = UNSET
    carrier_ref: str | UnsetType = UNSET
    claimed: Decimal | UnsetType = UNSET
    claimed_currency: str | UnsetType = UNSET
    item_cost: Decimal | UnsetType = UNSET
    item_cost_currency: str | UnsetType = UNSET
    weight_kg: Decimal | UnsetType = UNSET
    insured: Decimal | UnsetType = UNSET
    insured_currency: str | UnsetType = UNSET
    owner: str | UnsetType = UNSET
    note: str | UnsetType = UNSET
    papers: Mapping[str, Paper] = {}


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A state that a claim came to, on a day (None: today at the origin), with what was said about it."""

    state: ClaimState
    on: date | None = None
    reference: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    settles: Decimal | None = None
    how: Settlement = Settlement.CASH
    why: str = ""
    whole: bool = False


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """By whose word, under which rules, when."""

    store: Store
    rules: Rules
    by: str
    now: datetime


async def say(desk: Desk, claim_id: int, said: Said | None, patch: ClaimPatch) -> ClaimView:
    """Record what happened to a claim, and single facts of it; the same words again change nothing.

    Raises `Refused` (illegal, contradictory, a day that lies ahead), NotThere, Conflict.
    """
    view = await desk.store.claim(claim_id)
    before = view.claim
    after = _patched(before, patch)
    await _check(desk, view, said, patch)
    if said is not None and said.state is ClaimState.READY and before.state is ClaimState.DRAFT:
        opens = before.earliest_on or "a day that is not known"
        raise Refused("too_early", f"the claim window opens on {opens}: it is ready then")
    event = FACTS_EVENT
    on = _day(desk, said)
    if said is not None:
        event, after = moved(after, said, on, ground_of(before, desk.rules))
    after = await _recounted(desk, view, after, patch)
    why = said.why if said is not None else patch.note if isinstance(patch.note, str) else ""
    return await desk.store.change_claim(before, after, event=event, on=on, who=desk.by, why=why, now=desk.now)


def ground_of(claim: Claim, rules: Rules) -> Ground:
    """What an entry about this claim is read against."""
    return Ground(terms=compensation.terms_of(claim.rule, rules), rates=rules.rates)


def moved(claim: Claim, said: Said, on: date, ground: Ground) -> tuple[str, Claim]:
    """The event's name and the claim after it. Raises `Refused`."""
    state = said.state
    if state is ClaimState.APPROVED and said.amount is not None and claim.claimed is not None and said.amount < claim.claimed:
        state = ClaimState.APPROVED_PARTIAL
    try:
        event = compensation.event_for(claim.state, state)
        if event in {ClaimEvent.WINDOW_OPENED, ClaimEvent.WINDOW_CLOSED} and claim.state is not state:
            raise Refused("by_itself", f"a claim becomes {state.value} by the calendar, not by a word")
        entry = Entry(
            event=event,
            on=on,
            why=said.why,
            reference=said.reference,
            amount=said.amount,
            currency=said.currency,
            settles=said.settles,
            how=said.how,
            whole=said.whole,
        )
        after = compensation.record(claim, entry, ground)
    except (IllegalMove, BadEntry) as error:
        raise Refused("illegal", str(error)) from error
    partly = after.state is claim.state and after.payments != claim.payments
    return ("paid_partly" if partly else event.value), after


async def again(desk: Desk, claim_id: int, why: str) -> ClaimView:
    """Give a refused claim up and open the next attempt. Raises `Refused`: no attempt is left, or it is not refused."""
    view = await desk.store.claim(claim_id)
    before = view.claim
    terms = compensation.terms_of(before.rule, desk.rules)
    most = None if terms is None else terms.max_attempts
    if before.state is not ClaimState.REJECTED:
        raise Refused("illegal", f"only a refused claim is made again; this one is {before.state.value}")
    dossier, shipment = await _parcel(desk.store, view)
    filed = sum(each.shipment == before.shipment and each.filed_on is not None for each in dossier.claims)
    if most is not None and filed >= most:
        raise Refused("attempts_used_up", f"the carrier takes {most} for one parcel, and {filed} were filed")
    _, over = moved(before, Said(state=ClaimState.WRITTEN_OFF, why=why), _day(desk, None), ground_of(before, desk.rules))
    _, today = compensation.origin_days(desk.now, shipment.origin)
    window_open = before.latest_on is None or today <= before.latest_on
    if not window_open:
        raise Refused("window_closed", f"the claim window closed on {before.latest_on}")
    owed = compensation.payable(terms, shipment, dossier.order, _known(desk, before)) if terms is not None else None
    fresh = Claim(
        shipment=before.shipment,
        attempt=before.attempt + 1,
        state=ClaimState.READY,
        rule=before.rule,
        phase=before.phase,
        cause=before.cause,
        loss_type=before.loss_type,
        liable=before.liable,
        earliest_on=before.earliest_on,
        latest_on=before.latest_on,
        payable=before.payable if owed is None else owed.amount,
        currency=before.currency if owed is None else owed.currency,
        papers=before.papers,
        opened_at=desk.now,
        rule_version=desk.rules.version,
    )
    return await desk.store.open_again(before, over, fresh, who=desk.by, why=why, now=desk.now)


async def parcel_of(store: Store, view: ClaimView) -> tuple[Dossier, Shipment]:
    """The dossier and the parcel that a claim is about."""
    return await _parcel(store, view)


def _patched(claim: Claim, patch: ClaimPatch) -> Claim:
    told = {name: getattr(patch, name) for name in patch.__struct_fields__ if name != "papers"}
    values = {name: value for name, value in told.items() if value is not UNSET}
    asked = "claimed" in values or ("claimed_currency" in values and values["claimed_currency"] != claim.claimed_currency)
    if asked and claim.state is not ClaimState.FILED and claim.filed_on is not None:
        raise Refused("illegal", f"what was claimed stands: the claim is {claim.state.value} already")
    for name in ("item_cost", "weight_kg", "insured", "claimed"):
        if name in values and values[name] <= 0:
            raise Refused("bad_value", f"{name} has to be more than 0 (got {values[name]})")
    if "weight_kg" in values and not LIGHTEST_KG <= values["weight_kg"] <= HEAVIEST_KG:
        raise Refused(
            "bad_value", f"--weight {values['weight_kg']}: it is in kg, from {LIGHTEST_KG} to {HEAVIEST_KG}; 350 g are 0.35"
        )
    after = replace(claim, **values, papers={**claim.papers, **patch.papers})
    if after.item_cost is not None and after.item_cost_currency is None:
        raise Refused("missing_value", "--item-cost needs its currency: --item-cost 4.20 --item-cost-currency USD")
    if after.claimed is None or after.claimed_currency is None or not asked:
        return after
    return replace(after, claimed=compensation.rounded(after.claimed, after.claimed_currency))


async def _check(desk: Desk, view: ClaimView, said: Said | None, patch: ClaimPatch) -> None:
    """A document somebody can want, and a day on which the parcel was under way already. Raises `Refused`."""
    told_day = None if said is None else said.on
    if told_day is None and patch.papers.keys() <= view.claim.papers.keys():
        return
    dossier, shipment = await _parcel(desk.store, view)
    terms = compensation.terms_of(view.claim.rule, desk.rules)
    own = [each.code for each in compensation.checklist(view.claim, terms, shipment)]
    known = compensation.known_codes(desk.rules)
    for code in patch.papers:
        if code not in known and code not in own:
            mine = f"this claim wants {', '.join(own)}; " if own else ""
            names = ", ".join(sorted(known.difference(own)))
            raise Refused("bad_value", f"--evidence {code}: no document is called so; {mine}others are {names}")
    posted = shipment.shipped_at or dossier.order.shipped_at
    # Where the parcel left it may have been the day before still.
    if told_day is not None and posted is not None and told_day < posted.date() - timedelta(days=1):
        raise Refused("bad_value", f"--on {told_day}: the parcel was posted on {posted.date()} only: is the day right?")


async def _recounted(desk: Desk, view: ClaimView, claim: Claim, patch: ClaimPatch) -> Claim:
    """While nothing is filed, what is payable follows from weight and insured value, and the window from the kind of loss."""
    figures = patch.weight_kg is not UNSET or patch.insured is not UNSET or patch.insured_currency is not UNSET
    other = claim.loss_type is not view.claim.loss_type and compensation.money_open(claim.state)
    terms = compensation.terms_of(claim.rule, desk.rules)
    if claim.filed_on is not None or terms is None or not (figures or other):
        return claim
    dossier, shipment = await _parcel(desk.store, view)
    if other:
        span = compensation.window(terms, shipment, dossier.order, claim.loss_type.value)
        claim = replace(claim, earliest_on=span.earliest_on, latest_on=span.latest_on)
    if not figures:
        return claim
    owed = compensation.payable(terms, shipment, dossier.order, _known(desk, claim))
    return replace(claim, payable=owed.amount, currency=owed.currency)


def _known(desk: Desk, claim: Claim) -> Known:
    return Known(
        weight_kg=claim.weight_kg,
        insured=claim.insured,
        insured_currency=claim.insured_currency,
        rates=desk.rules.rates,
        on=desk.now.date(),
    )


async def _parcel(store: Store, view: ClaimView) -> tuple[Dossier, Shipment]:
    [dossier] = await store.load_dossiers([view.order_id])
    return dossier, next(each for each in dossier.shipments if each.number == view.claim.shipment)


def _day(desk: Desk, said: Said | None) -> date:
    today = desk.now.date()
    on = today if said is None or said.on is None else said.on
    if on > today + timedelta(days=1):  # it is tomorrow already at the origin
        raise Refused("ahead", f"{on} lies ahead: nothing can have happened then")
    return on
