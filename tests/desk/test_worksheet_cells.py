"""What clerks and their spreadsheets write: dates as text, full-width digits, floats for ids, amounts with their currency."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.desk.paper import LANGUAGES
from tracker.desk.worksheet.cells import Cell, amount, day, decision, destroyed, heading, instant, prose, same, text, whole
from tracker.desk.worksheet.problem import NotTaken
from tracker.reports.worksheet import REVIEW, TASKS, words


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("2026-05-31", date(2026, 5, 31)),
        ("2026-05-31 00:00:00", date(2026, 5, 31)),
        ("2026-05-31 23:59:59.999", date(2026, 5, 31)),
        ("2026/5/3", date(2026, 5, 3)),
        ("2026.05.31", date(2026, 5, 31)),
        ("2026年5月31日", date(2026, 5, 31)),
        ("２０２６－０５－３１", date(2026, 5, 31)),
        ("'2026-05-31", date(2026, 5, 31)),
        ("20260531", date(2026, 5, 31)),
        (20260531.0, date(2026, 5, 31)),
        (46173.0, date(2026, 5, 31)),
        (46173.75, date(2026, 5, 31)),
        ("", None),
        ("  ", None),
        ("-", None),
    ],
)
def test_a_day(cell: Cell, found: date | None) -> None:
    assert day(cell) == found


@pytest.mark.parametrize(
    "cell", ["31/05/2026", "5/31/26", "05-31", "tomorrow", "2026-13-01", "2026-02-30", 12.0, "2026-05-31 25:00"]
)
def test_what_might_be_another_day_is_none(cell: Cell) -> None:
    """Day and month are never guessed."""
    with pytest.raises(NotTaken) as refused:
        day(cell)
    assert refused.value.key == "no_day"


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("2026-05-04", datetime(2026, 5, 3, 16, 0, tzinfo=UTC)),
        ("2026-05-04 09:30", datetime(2026, 5, 4, 1, 30, tzinfo=UTC)),
        ("", None),
    ],
)
def test_a_time_is_the_stores(cell: str, found: datetime | None) -> None:
    """A day begins where the store is."""
    assert instant(cell, "Asia/Shanghai") == found


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        (12.5, "12.50"),
        (40.0, "40.00"),
        (12.499999999999998, "12.50"),
        ("12.5", "12.50"),
        ("１２．５０", "12.50"),
        ("1,050.00", "1050.00"),
        ("1,050", "1050.00"),
        ("40,00", "40.00"),
        ("40,5", "40.50"),
        ("USD 40", "40.00"),
        ("40.00 usd", "40.00"),
        ("12.345", "12.345"),
        ("", None),
    ],
)
def test_an_amount(cell: Cell, found: str | None) -> None:
    said = amount(cell, "USD")
    assert (None if said is None else str(said)) == found


@pytest.mark.parametrize("cell", ["forty", "12.50.1", "1,05,0.00", "12 50", "-3", "$", "=1+1", float("nan"), float("inf")])
def test_what_is_no_amount(cell: Cell) -> None:
    with pytest.raises(NotTaken) as refused:
        amount(cell, "USD")
    assert refused.value.key == "no_amount"


def test_an_amount_in_another_currency() -> None:
    with pytest.raises(NotTaken) as refused:
        amount("40 EUR", "USD")
    assert (refused.value.key, refused.value.values) == ("wrong_currency", {"currency": "USD", "text": "EUR"})
    assert amount("40 EUR", None) == Decimal(40)
    assert str(amount(1500.0, "JPY")) == "1500"


@given(st.decimals(min_value=0, max_value=100_000, places=2))
def test_an_amount_survives_a_workbook(value: Decimal) -> None:
    """Cells hold floats: money comes back to the cent."""
    assert amount(float(value), "USD") == value


@pytest.mark.parametrize(
    ("cell", "word"),
    [
        ("approve", "approve"),
        (" Approve ", "approve"),
        ("批准", "approve"),
        ("已驳回", "reject"),
        ("推迟", "snooze"),
        ("put off", "snooze"),
    ],
)
def test_a_decision_in_any_language(cell: str, word: str) -> None:
    assert decision(cell, words(REVIEW, LANGUAGES.values())) == word


@pytest.mark.parametrize("cell", ["yes", "done", "approve?", "好", 1.0])
def test_a_word_that_decides_nothing(cell: Cell) -> None:
    with pytest.raises(NotTaken) as refused:
        decision(cell, words(REVIEW, LANGUAGES.values()))
    assert refused.value.said(LANGUAGES["zh-CN"]) == f"“{text(cell)}”不是有效的决定，请填：批准, 驳回, 推迟"
    assert decision("", words(TASKS, LANGUAGES.values())) is None


@pytest.mark.parametrize(
    ("cell", "number", "is_same"),
    [
        ("A-1", "A-1", True),
        (8170000000000022.0, "8170000000000022", True),
        ("8.17E+15", "8170000000000022", True),
        ("1001.0", "1001", True),
        (1001.0, "1001", True),
        ("1002", "1001", False),
        (1002.0, "1001", False),
        ("A-2", "A-1", False),
        ("8.17E+15", "A-1", False),
    ],
)
def test_a_number_that_a_spreadsheet_has_rounded_is_the_same(cell: Cell, number: str, *, is_same: bool) -> None:
    assert same(cell, number) is is_same


def test_small_things() -> None:
    assert [whole(cell) for cell in (57.0, "57", "57.0", "５７", "", "x", 5.5)] == [57, 57, 57, 57, None, None, None]
    assert [text(cell) for cell in (57.0, 5.5, " a\nb ", "—")] == ["57", "5.5", "a b", ""]
    assert (prose(" a\nb "), prose(4711.0)) == ("a\nb", "4711")
    assert heading("Deadline （Asia/Shanghai）") == heading("deadline") == "deadline"
    assert [destroyed(cell) for cell in (1.2e15, 4711.0, "12345678901234567")] == [True, False, False]
