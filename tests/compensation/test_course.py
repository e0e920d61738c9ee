"""What people record about a claim: figures, dates, frozen rates, parts; and the invariants of it all (R86, R87, R70)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tracker.compensation import (
    OPEN,
    BadEntry,
    ClaimEvent,
    Entry,
    Ground,
    IllegalMove,
    Known,
    age_band,
    checklist,
    event_for,
    gain,
    moved,
    outstanding,
    payable,
    record,
    to_base,
    window,
)
from tracker.model import Claim, ClaimState, Liable, LossType, Order, Paper, Phase, Scan, Shipment
from tracker.rates import Month, Rates
from tracker.rules import CompensationRule

E, S = ClaimEvent, ClaimState
DAY = date(2026, 11, 3)
RATES = Rates(
    months=(
        Month(id="2026-12", base="CNY", rates={"USD": Decimal("0.16")}),
        Month(id="2026-11", base="CNY", rates={"USD": Decimal("0.14"), "XDR": Decimal("0.10"), "JPY": Decimal(20)}),
    )
)
TERMS = CompensationRule(
    id="terms",
    carriers=("yanwen",),
    phase=Phase.ANY,
    clock="posted",
    earliest_days=7,
    latest_days=60,
    basis="declared",
    response_days=5,
    response_day_kind="biz",
    country="CN",
    appeal_days=15,
    payout_days=10,
    max_attempts=2,
    evidence=("proof_of_value", "consignee_statement"),
    evidence_not_before=("earliest", "last_scan"),
)
GROUND = Ground(terms=TERMS, rates=RATES)
READY = Claim(
    id=1,
    shipment="LX1",
    attempt=1,
    state=S.READY,
    rule="terms",
    phase=Phase.IN_TRANSIT,
    cause="carrier_says_lost",
    earliest_on=date(2026, 11, 1),
    latest_on=date(2026, 12, 1),
    payable=Decimal(20),
    currency="USD",
    opened_at=datetime(2026, 11, 1, tzinfo=UTC),
)


def go(claim: Claim, event: ClaimEvent, on: date = DAY, ground: Ground = GROUND, **said: Any) -> Claim:
    return record(claim, Entry(event=event, on=on, **said), ground)


def test_filing_starts_the_carriers_own_term_in_its_kind_of_day() -> None:
    """R87: five working days from Tuesday the 3rd are Tuesday the 10th; what is payable is claimed unless somebody says else."""
    claim = go(READY, E.FILED, reference="YW-1")
    assert (claim.claimed, claim.claimed_currency, claim.answer_due_on) == (Decimal("20.00"), "USD", date(2026, 11, 10))
    assert outstanding(claim) == Decimal("20.00")


def test_an_approval_freezes_its_rate_and_dates_appeal_and_money() -> None:
    claim = go(go(READY, E.FILED), E.APPROVED_PARTLY, amount=Decimal(14))
    assert claim.exchange is not None
    assert (claim.exchange.base, claim.exchange.rate, claim.exchange.month) == (Decimal("100.00"), Decimal("0.14"), "2026-11")
    assert (claim.appeal_until, claim.payout_due_on) == (date(2026, 11, 18), date(2026, 11, 13))
    with pytest.raises(BadEntry, match="too late"):
        go(claim, E.APPEALED, on=date(2026, 11, 19))
    assert outstanding(go(claim, E.APPEALED)) == Decimal("20.00")


def test_the_exchange_gain_of_a_payment_is_a_figure_of_its_own() -> None:
    """facts/compensation.md 7: 14 USD were 100 CNY when approved, and 87.50 when they came."""
    claim = go(go(READY, E.FILED, amount=Decimal(14)), E.APPROVED)
    paid = go(claim, E.PAID, on=date(2026, 12, 2), amount=Decimal(14))
    assert gain(paid.exchange, paid.payments[0]) == Decimal("-12.50")
    assert (paid.state, outstanding(paid)) == (S.PAID, Decimal(0))
    unknown = go(claim, E.PAID, on=date(2027, 1, 5), amount=Decimal(14))
    assert gain(unknown.exchange, unknown.payments[0]) is None, "fx.toml has no rates of that month: no gain, and not 0"


def test_a_missing_rate_leaves_the_base_empty_and_says_why() -> None:
    found = to_base(Decimal(5), "USD", date(2027, 1, 5), RATES)
    assert (found.base, found.rate, found.why) == (None, None, "fx.toml has no rates of 2027-01")
    assert "EUR" in to_base(Decimal(5), "EUR", DAY, RATES).why
    own = to_base(Decimal(5), "CNY", DAY, RATES)
    assert (own.base, own.rate) == (Decimal("5.00"), Decimal(1))


def test_parts_are_paid_one_by_one_and_the_same_part_twice_is_one() -> None:
    """One claim may be paid in parts; the same event twice is harmless."""
    claim = go(go(READY, E.FILED), E.APPROVED)
    part = go(claim, E.PAID, amount=Decimal(8), reference="S-1")
    assert (part.state, outstanding(part)) == (S.APPROVED, Decimal("12.00"))
    assert go(part, E.PAID, amount=Decimal(8), reference="S-1") is part
    rest = go(part, E.OFFSET, amount=Decimal(12), reference="S-2")
    assert (rest.state, rest.settled) == (S.OFFSET, Decimal("20.00"))
    with pytest.raises(BadEntry, match="statement line"):
        go(part, E.OFFSET, amount=Decimal(12))
    assert go(part, E.PAID, amount=Decimal("11.98"), reference="S-3", whole=True).state is S.PAID


def test_a_payment_in_another_currency_says_what_it_settles() -> None:
    claim = go(go(READY, E.FILED), E.APPROVED)
    assert go(claim, E.PAID, amount=Decimal("142.86"), currency="CNY").settled == Decimal("20.00")
    with pytest.raises(BadEntry, match="say what it settles"):
        go(claim, E.PAID, on=date(2027, 1, 2), amount=Decimal(140), currency="CNY")
    told = go(claim, E.PAID, on=date(2027, 1, 2), amount=Decimal(140), currency="CNY", settles=Decimal(20))
    assert (told.state, told.payments[0].exchange is not None and told.payments[0].exchange.base) == (S.PAID, None)


def test_contradictions_are_errors() -> None:
    """R87: nothing is overwritten in silence. R70: what the seller bears is not claimed."""
    filed = go(READY, E.FILED, reference="YW-1")
    assert go(filed, E.FILED, reference="YW-1") == filed
    with pytest.raises(BadEntry, match="differs"):
        go(filed, E.FILED, amount=Decimal(5))
    with pytest.raises(BadEntry, match="approved_partial"):
        go(filed, E.APPROVED, amount=Decimal(5))
    with pytest.raises(BadEntry, match="not in CNY"):
        go(filed, E.APPROVED, amount=Decimal(20), currency="CNY")
    with pytest.raises(BadEntry, match="wants a reason"):
        go(go(filed, E.REJECTED), E.GIVEN_UP)
    with pytest.raises(BadEntry, match="borne by the seller"):
        go(replace(READY, liable=Liable.SELLER), E.FILED)
    with pytest.raises(BadEntry, match="not known"):
        go(replace(READY, payable=None), E.FILED)


FILED = go(READY, E.FILED)
PARTLY = go(FILED, E.APPROVED_PARTLY, on=DAY + timedelta(days=5), amount=Decimal(14))
PAID = go(go(FILED, E.APPROVED), E.PAID, amount=Decimal(20))


@pytest.mark.parametrize(
    ("claim", "event", "said", "why"),
    [
        (FILED, E.APPROVED, {"on": DAY - timedelta(days=1)}, "lies before 2026-11-03, the day on which the claim was filed"),
        (PARTLY, E.PAID, {}, "lies before 2026-11-08, the day on which the carrier approved"),
        (READY, E.FILED, {"amount": Decimal("0.004")}, "no amount to claim"),
        (FILED, E.APPROVED_PARTLY, {}, "say how much the carrier approved"),
        (FILED, E.APPROVED_PARTLY, {"amount": Decimal(20)}, "is not a part of the 20.00 USD that were claimed"),
        (
            # half of it has come, the appeal went against the rest
            go(go(PARTLY, E.PAID, on=DAY + timedelta(days=6), amount=Decimal(7)), E.APPEALED, on=DAY + timedelta(days=7)),
            E.APPROVED_PARTLY,
            {"on": DAY + timedelta(days=9), "amount": Decimal(5)},
            "7.00 USD have come already: the carrier cannot approve 5.00",
        ),
        # a row of the register from before anybody wrote down what was claimed
        (replace(READY, state=S.FILED), E.APPROVED, {"amount": Decimal(5)}, "nobody has recorded what was claimed"),
        (PAID, E.PAID, {"amount": Decimal(3), "reference": "S-9"}, "paid already: nothing more is owed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_r87_what_cannot_be_is_said_and_not_booked(claim: Claim, event: ClaimEvent, said: dict[str, Any], why: str) -> None:
    """R87: days run forward, sums are sums, and nobody pays or approves against what is known."""
    with pytest.raises(BadEntry, match=why):
        go(claim, event, **said)


def test_r87_a_claim_is_given_up_for_a_reason_and_reopened_by_a_late_delivery() -> None:
    """R87: the last word on a refusal; R4: what arrives after the payment is paid back to the carrier, from that day on."""
    refused = go(FILED, E.REJECTED)
    given_up = go(refused, E.GIVEN_UP, why="the appeal would cost more")
    assert (given_up.state, given_up.answered_on) == (S.WRITTEN_OFF, DAY)
    assert go(given_up, E.GIVEN_UP) == given_up
    late = go(PAID, E.DELIVERED_AFTER_PAYMENT, on=DAY + timedelta(days=30))
    assert (late.state, late.reversed_on) == (S.REVERSED, DAY + timedelta(days=30))
    assert go(late, E.PAID_BACK, on=DAY + timedelta(days=40)).state is S.CLOSED


def test_the_state_that_a_person_says_finds_its_event() -> None:
    assert event_for(S.READY, S.FILED) is E.FILED
    assert event_for(S.INQUIRY_OPEN, S.WRITTEN_OFF) is E.INQUIRY_FRUITLESS
    assert event_for(S.REVERSED, S.CLOSED) is E.PAID_BACK
    assert event_for(S.FILED, S.FILED) is E.FILED
    with pytest.raises(IllegalMove):
        event_for(S.DRAFT, S.PAID)


def test_the_buyers_statement_counts_from_its_day_on() -> None:
    """facts/compensation.md 1.9: collected early it is worthless. R88: damage wants the delivery man's certificate."""
    scanned = datetime(2026, 11, 20, tzinfo=UTC)
    parcel = Shipment(id=1, number="LX1", last_scan=Scan(earliest=scanned, latest=scanned))
    early = {"consignee_statement": Paper(file="a.pdf", on=date(2026, 11, 19))}
    states = {each.code: each for each in checklist(replace(READY, papers=early), TERMS, parcel)}
    statement = states["consignee_statement"]
    assert (statement.acceptable_from, statement.early, statement.there) == (date(2026, 11, 21), True, False)
    assert "carrier_certificate" in {each.code for each in checklist(replace(READY, loss_type=LossType.DAMAGED), TERMS, parcel)}


def test_xdr_and_weight_are_computed_where_rates_and_weight_are_known() -> None:
    """A limit of 40 XDR + 4.50 XDR a kg, plus the postage, in the currency that can be asked for."""
    post = replace(TERMS, basis="sdr", cap_amount=Decimal(40), cap_per_kg=Decimal("4.5"), cap_currency="XDR", refund_postage=True)
    parcel = Shipment(id=1, number="CX1", freight=Decimal(10), freight_currency="CNY")
    order = Order(id=1, store="s", platform="p", number="1")
    known = Known(weight_kg=Decimal(2), rates=RATES, on=DAY)
    assert payable(post, parcel, order, known).amount == Decimal("500.00")
    assert payable(post, parcel, order).amount is None
    assert "no rate" in payable(post, parcel, order, replace(known, on=date(2027, 1, 1))).arithmetic


@pytest.mark.parametrize(("days", "band"), [(0, "0-30"), (30, "0-30"), (31, "31-60"), (90, "61-90"), (91, "over 90")])
def test_open_claims_age_from_the_day_they_were_filed(days: int, band: str) -> None:
    assert age_band(date(2026, 1, 1), date.fromordinal(date(2026, 1, 1).toordinal() + days)) == band


def test_r87_a_wish_for_papers_keeps_its_day_until_they_are_sent() -> None:
    """R87: said again it is the same wish; after an acknowledgement it is another."""
    wish = go(go(READY, E.FILED), E.DOCUMENTS_WANTED)
    assert go(wish, E.DOCUMENTS_WANTED, on=DAY + timedelta(days=7)) == wish
    sent = go(wish, E.ACKNOWLEDGED, on=DAY + timedelta(days=8))
    assert go(sent, E.DOCUMENTS_WANTED, on=DAY + timedelta(days=9)).papers_wanted_on == DAY + timedelta(days=9)


AMOUNTS = st.decimals(min_value="0.01", max_value="500", places=2)


@given(st.lists(st.tuples(st.sampled_from(ClaimEvent), st.none() | AMOUNTS), max_size=14))
def test_whatever_is_said_the_open_sum_is_the_sum_of_its_moves(said: list[tuple[ClaimEvent, Decimal | None]]) -> None:
    """R86: every way through the register closes to the cent, no claim owes less than nothing, and none is paid twice."""
    claim, balance, count = READY, Decimal(0), 0
    for number, (event, amount) in enumerate(said):
        entry = Entry(event=event, on=DAY, amount=amount, reference=str(number), why="because")
        try:
            after = record(claim, entry, GROUND)
        except (IllegalMove, BadEntry):
            continue
        change = moved(claim, after)
        balance, count, claim = balance + change[0], count + change[2], after
        assert balance == outstanding(claim) >= 0
        assert count == (claim.state in OPEN)
        assert claim.settled <= max(claim.claimed or Decimal(0), claim.approved or Decimal(0))


@given(declared=AMOUNTS, cap=AMOUNTS, share=AMOUNTS)
def test_what_is_payable_never_exceeds_cap_value_or_loss(declared: Decimal, cap: Decimal, share: Decimal) -> None:
    """R86: min(loss, basis, cap)."""
    terms = replace(TERMS, cap_amount=cap, cap_currency="USD")
    parcel = Shipment(id=1, number="LX1", declared_value=declared, declared_currency="USD", share=share)
    owed = payable(terms, parcel, Order(id=1, store="s", platform="p", number="1", currency="USD"))
    assert owed.amount == min(declared, cap, share)


@given(hours=st.integers(0, 26), days=st.integers(0, 300))
def test_an_unknown_instant_never_opens_earlier_nor_closes_later(hours: int, days: int) -> None:
    """facts/compensation.md 2, D19: the opening counts from the later bound, the close from the earlier one."""
    late = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=days)
    early = late - timedelta(hours=hours)
    vague, low, high = (_span(*bounds) for bounds in ((early, late), (early, early), (late, late)))
    assert vague[0] == max(low[0], high[0])
    assert vague[1] == min(low[1], high[1])


def _span(early: datetime, late: datetime) -> tuple[date, date]:
    parcel = Shipment(id=1, number="LX1", first_scan=Scan(earliest=early, latest=late))
    found = window(TERMS, parcel, Order(id=1, store="s", platform="p", number="1"))
    return found.earliest_on or date.max, found.latest_on or date.min
