"""Text for eyes and documents for scripts: money as text, times with Z, nothing that looks like markup."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from tracker.cli.output import Console, money, print_json, shown
from tracker.model import OutboxState

NOON = datetime(2026, 3, 1, 12, 30, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        ("", "-"),
        (NOON, "2026-03-01 12:30Z"),
        (NOON.astimezone(timezone(timedelta(hours=8))), "2026-03-01 20:30+0800"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (OutboxState.SENT, "sent"),
        (["a", None], "a, -"),
        ({"in_transit": 3, "delivered": 1}, "in_transit=3, delivered=1"),
    ],
)
def test_a_value_as_a_person_reads_it(value: object, text: str) -> None:
    assert shown(value) == text


def test_money_never_stands_without_its_currency() -> None:
    assert (money(Decimal("12.50"), "USD"), money(Decimal(3), None), money(None, "USD")) == ("12.50 USD", "3 ?", "-")


def test_a_document_has_money_as_text_and_times_in_utc(capsys: pytest.CaptureFixture[str]) -> None:
    """Operator experience section 5."""
    print_json({"amount": Decimal("12.50"), "at": NOON, "on": date(2026, 3, 1), "state": OutboxState.SENT, "in": Path("reports")})
    assert json.loads(capsys.readouterr().out) == {
        "schema_version": 1,
        "amount": "12.50",
        "at": "2026-03-01T12:30:05Z",
        "on": "2026-03-01",
        "state": "sent",
        "in": "reports",
    }


def test_facts_from_files_are_no_markup_and_unknown_ones_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.facts({"buyer": "[red]Ana[/red]", "note": None, "window_end": NOON})
    assert capsys.readouterr().out.splitlines() == ["  buyer       [red]Ana[/red]", "  window end  2026-03-01 12:30Z"]


def test_a_long_table_into_a_pipe_keeps_its_ids_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.table(("id", "order", "title"), [(1, "8170000000000011", "word " * 60)], empty="nothing")
    assert "8170000000000011" in capsys.readouterr().out
    console.table(("id",), [], empty="nothing")
    assert capsys.readouterr().out == "nothing\n"
