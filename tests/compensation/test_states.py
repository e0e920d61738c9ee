"""R87: the life of a claim. A table; an illegal move is an error, the same event twice is harmless."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.compensation import TERMINAL, ClaimEvent, ClaimWindow, IllegalMove, advance, due_event, money_open
from tracker.compensation.states import WORDS, events_from
from tracker.model import ClaimState

S, E = ClaimState, ClaimEvent


def life(*events: ClaimEvent, start: ClaimState = S.DRAFT, inquiry_only: bool = False) -> list[str]:
    states = [start]
    for event in events:
        states.append(advance(states[-1], event, inquiry_only=inquiry_only))
    return [state.value for state in states[1:]]


def test_a_claim_that_is_paid() -> None:
    """R87: opened, negotiating, paid."""
    assert life(
        E.WINDOW_OPENED,
        E.INQUIRY_SENT,
        E.FILED,
        E.ACKNOWLEDGED,
        E.DOCUMENTS_WANTED,
        E.ACKNOWLEDGED,
        E.APPROVED,
        E.PAID,
        E.RECONCILED,
    ) == ["ready", "inquiry_open", "filed", "acknowledged", "waiting_documents", "acknowledged", "approved", "paid", "closed"]


def test_a_rejected_claim_is_appealed_and_half_paid_by_a_credit() -> None:
    """R87: rejected is not the end while the appeal is open."""
    assert life(E.WINDOW_OPENED, E.FILED, E.REJECTED, E.APPEALED, E.APPROVED_PARTLY, E.OFFSET, E.RECONCILED) == [
        "ready", "filed", "rejected", "appealed", "approved_partial", "offset", "closed",
    ]  # fmt: skip


def test_a_parcel_delivered_after_the_payment_pays_back() -> None:
    """R86: the one way out of a terminal state is the clawback."""
    assert life(E.DELIVERED_AFTER_PAYMENT, E.PAID_BACK, start=S.CLOSED) == ["reversed", "closed"]
    assert [state for state in TERMINAL if events_from(state)] == [S.CLOSED]


def test_terms_that_only_search_end_with_their_answer() -> None:
    """R86: nothing can be filed there, and elsewhere a fruitless inquiry is followed by the filing."""
    assert life(E.WINDOW_OPENED, E.INQUIRY_SENT, E.INQUIRY_FRUITLESS, inquiry_only=True)[-1] == "written_off"
    with pytest.raises(IllegalMove, match="cannot be moved by filed; possible here: window_closed, inquiry_fruitless, found"):
        advance(S.INQUIRY_OPEN, E.FILED, inquiry_only=True)
    with pytest.raises(IllegalMove):
        advance(S.INQUIRY_OPEN, E.INQUIRY_FRUITLESS)


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (S.DRAFT, E.FILED),
        (S.DRAFT, E.PAID),
        (S.FILED, E.WINDOW_CLOSED),
        (S.REJECTED, E.PAID),
        (S.PAID, E.FOUND),
        (S.EXPIRED, E.FILED),
        (S.WITHDRAWN, E.PAID),
    ],
)
def test_an_illegal_move_is_an_error(state: ClaimState, event: ClaimEvent) -> None:
    """R87: never a silent no-op; the message says what is possible."""
    with pytest.raises(IllegalMove, match="cannot be moved by"):
        advance(state, event)


@given(state=st.sampled_from(ClaimState), event=st.sampled_from(ClaimEvent), inquiry_only=st.booleans())
def test_the_same_event_twice_is_harmless(state: ClaimState, event: ClaimEvent, inquiry_only: bool) -> None:
    """R87: whatever an event did, doing it again changes nothing."""
    if event in events_from(state, inquiry_only=inquiry_only):
        once = advance(state, event, inquiry_only=inquiry_only)
        assert advance(once, event, inquiry_only=inquiry_only) is once


@given(events=st.lists(st.sampled_from(ClaimEvent), max_size=12))
def test_no_money_without_an_approval(events: list[ClaimEvent]) -> None:
    """D11: whatever happens in whatever order, nothing is paid that no carrier approved."""
    state, approved = S.DRAFT, False
    for event in events:
        try:
            state = advance(state, event)
        except IllegalMove:
            continue
        approved = approved or state in {S.APPROVED, S.APPROVED_PARTIAL}
        assert approved or state not in {S.PAID, S.OFFSET, S.CLOSED, S.REVERSED}


WINDOW = ClaimWindow(earliest_on=date(2026, 6, 8), latest_on=date(2026, 7, 31), why="")


@pytest.mark.parametrize(
    ("state", "today", "event"),
    [
        (S.DRAFT, date(2026, 6, 7), None),
        (S.DRAFT, date(2026, 6, 8), E.WINDOW_OPENED),
        (S.READY, date(2026, 7, 31), None),
        (S.READY, date(2026, 8, 1), E.WINDOW_CLOSED),
        (S.INQUIRY_OPEN, date(2026, 8, 1), E.WINDOW_CLOSED),
        (S.FILED, date(2026, 8, 1), None),
    ],
)
def test_what_the_calendar_does(state: ClaimState, today: date, event: ClaimEvent | None) -> None:
    """R86: it opens, and it expires with nothing filed; nothing else moves by itself."""
    assert due_event(state, WINDOW, today) is event


def test_an_inquiry_in_time_does_not_expire_where_it_is_all_there_is() -> None:
    """R86: under terms that only search the inquiry was the filing."""
    assert due_event(S.INQUIRY_OPEN, WINDOW, date(2026, 8, 1), inquiry_only=True) is None
    assert due_event(S.READY, WINDOW, date(2026, 8, 1), inquiry_only=True) is E.WINDOW_CLOSED


def test_money_is_open_until_a_terminal_state() -> None:
    """R87: polling goes on as long, for the clawback of a paid claim too; the clerks' four words cover what they decide."""
    assert {state for state in ClaimState if not money_open(state)} == {S.CLOSED, S.EXPIRED, S.WITHDRAWN, S.WRITTEN_OFF}
    assert set(WORDS.values()) == {"opened", "negotiating", "paid", "rejected"}
