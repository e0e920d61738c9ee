"""One cell at a time: numbers that are names, money, dates, countries, tax numbers (facts/file-formats.md section 5)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from tracker.intake.cells import Cell, identity, line, order_number, text, tracking_numbers
from tracker.intake.countries import LOCALES, country
from tracker.intake.errors import RowError
from tracker.intake.instants import instant
from tracker.intake.money import currency, money, rounded
from tracker.intake.profiles import Formats
from tracker.intake.taxes import in_remark, valid

SHANGHAI = ZoneInfo("Asia/Shanghai")
DIGITS = st.text("0123456789", min_size=1, max_size=30)
NUMBERS = st.from_regex(r"[A-Z]{2}[0-9]{9,12}[A-Z]{0,2}", fullmatch=True)


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("  x ", "x"),
        ("x\t", "x"),
        ("'00123", "00123"),
        ('="00123"', "00123"),
        (2.0, "2"),
        (2.5, "2.5"),
        ("", ""),
        (" ", ""),
        ("-", ""),
        ("--", ""),
        ("N/A", ""),
        ("\u3000", ""),
    ],
)
def test_text_without_the_marks_of_spreadsheets(cell: Cell, meant: str) -> None:
    assert text(cell) == meant


@pytest.mark.parametrize("cell", [8170000000000011.0, 1e15, 1.5, "1.23E+15", "8,17E+15", "1.2e16", "8170000000000011.0"])
def test_numbers_that_a_spreadsheet_destroyed_are_refused(cell: Cell) -> None:
    with pytest.raises(RowError, match="the spreadsheet destroyed this number"):
        identity(cell)


@given(DIGITS)
def test_every_digit_of_a_number_that_is_a_name_survives(digits: str) -> None:
    for written in (digits, f"'{digits}", f'="{digits}"', f" {digits}\t"):
        assert identity(written) == digits


@given(st.integers(0, 10**15 - 1))
def test_whole_numbers_that_a_workbook_keeps_lose_only_their_fraction(number: int) -> None:
    assert identity(float(number)) == str(number)


def test_a_short_number_written_as_a_float_loses_its_fraction() -> None:
    assert identity("1001.0") == "1001"


def test_a_row_of_letters_and_an_e_is_no_exponent() -> None:
    assert identity("12E34567") == "12E34567"


@given(
    st.lists(NUMBERS, min_size=1, max_size=5, unique=True),
    st.sampled_from([",", ";", "、", "/", "\n", " \n ", "，", "；", "\r\n"]),
)
def test_several_numbers_in_a_cell(numbers: list[str], between: str) -> None:
    assert tracking_numbers(between.join(numbers)) == tuple(numbers)


@pytest.mark.parametrize(
    ("cell", "numbers"),
    [
        ("rb 123 456 785 cn", ("RB123456785CN",)),
        ("RB123456785CN LV204567891CN", ("RB123456785CN", "LV204567891CN")),
        ("RB123456785CN,RB123456785CN", ("RB123456785CN",)),
        ("ＲＢ123456785ＣＮ", ("RB123456785CN",)),
        (123456789012.0, ("123456789012",)),
        ("RB123456785CN / -", ("RB123456785CN",)),
        ("", ()),
    ],
)
def test_numbers_are_upper_case_without_spaces_each_once(cell: Cell, numbers: tuple[str, ...]) -> None:
    assert tracking_numbers(cell) == numbers


@pytest.mark.parametrize("cell", ["无", "see remark!", "AB", "=1+1", "X" * 51])
def test_what_is_no_number_rejects_the_row(cell: str) -> None:
    with pytest.raises(RowError, match="is not a tracking number"):
        tracking_numbers(cell)


def test_order_numbers() -> None:
    assert order_number("#1001") == "1001", "AST and shop exports join (facts/file-formats.md section 4)"
    assert order_number("12-34567-89012") == "12-34567-89012"
    with pytest.raises(RowError, match="is not an order number"):
        order_number("=HYPERLINK(1)")


@given(st.text(max_size=300))
def test_a_line_never_breaks_a_header_nor_turns_the_text_around(name: str) -> None:
    """Faults 24 and 25: names reach mail headers and screens."""
    found = line(name)
    assert not set(found) & {"\r", "\n", "\0", "\u202e", "\u2066", "\u2028"}
    assert len(found) <= 200


SYMBOLS = {"US $": "USD", "R$": "BRL", "€": "EUR", "$": ""}


@pytest.mark.parametrize(
    ("cell", "locale", "amount", "code"),
    [
        ("US $1,050.00", "en_US", "1050.00", "USD"),
        ("$12.50", "en_US", "12.50", None),
        ("EUR 90,00", "de_DE", "90.00", "EUR"),
        ("1.234,50 €", "de_DE", "1234.50", "EUR"),
        ("R$ 10,50", "pt_BR", "10.50", "BRL"),
        ("1 234,50 €", "fr_FR", "1234.50", "EUR"),
        ("1\u202f234,50 €", "fr_FR", "1234.50", "EUR"),
        ("17.1", "en_US", "17.1", None),
        ("17.10 USD", "en_US", "17.10", "USD"),
        (17.1, "en_US", "17.1", None),
        (22.0, "en_US", "22.0", None),
        (0.1 + 0.2, "en_US", "0.3", None),
    ],
)
def test_money_by_the_files_locale(cell: Cell, locale: str, amount: str, code: str | None) -> None:
    assert money(cell, locale, SYMBOLS) == (Decimal(amount), code)


@given(st.decimals(0, 10**9, places=2))
def test_an_amount_survives_being_written_with_groups_and_symbol(amount: Decimal) -> None:
    assert money(f"US ${amount:,.2f}", "en_US", SYMBOLS) == (amount, "USD")


@pytest.mark.parametrize("cell", ["1.050,00", "12,34,5.00", "abc", "XXL 12", "-3.00", -3.0, "NaN", float("inf")])
def test_money_is_never_guessed(cell: Cell) -> None:
    with pytest.raises(RowError):
        money(cell, "en_US", SYMBOLS)


def test_currencies_and_their_decimals() -> None:
    assert currency("usd") == "USD"
    assert currency(" ") is None
    assert str(rounded(Decimal("17.1"), "USD")) == "17.10"
    assert str(rounded(Decimal("17.123"), "USD")) == "17.123", "nothing is rounded away"
    with pytest.raises(RowError, match="'DOLLAR' is not a currency"):
        currency("dollar")


@pytest.mark.parametrize(
    ("cell", "utc"),
    [
        ("2026-08-20 03:11", datetime(2026, 8, 19, 19, 11, tzinfo=UTC)),
        ("2026-08-20 03:11:05", datetime(2026, 8, 19, 19, 11, 5, tzinfo=UTC)),
        ("2026-08-20", datetime(2026, 8, 19, 16, tzinfo=UTC)),
        ("2026/8/20 3:11", datetime(2026, 8, 19, 19, 11, tzinfo=UTC)),
        ("2026-08-20T03:11:00Z", datetime(2026, 8, 20, 3, 11, tzinfo=UTC)),
        ("2026-08-20 03:11:00 -0300", datetime(2026, 8, 20, 6, 11, tzinfo=UTC)),
    ],
)
def test_times_come_out_in_utc(cell: str, utc: datetime) -> None:
    assert instant(cell, ("%Y/%m/%d %H:%M",), SHANGHAI) == utc


@pytest.mark.parametrize(
    "cell", ["05/06/2026", "20.08.2026", "2026-13-01", "2026-02-30", "20260820", 46254.5, "soon", "0001-01-01"]
)
def test_a_date_that_contradicts_the_format_rejects_the_row(cell: Cell) -> None:
    """Never guess the order of day and month."""
    with pytest.raises(RowError, match="date"):
        instant(cell, ("%Y/%m/%d",), SHANGHAI)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001 -- what a file holds
def test_local_time_round_trip(local: datetime) -> None:
    found = instant(local.isoformat(sep=" ", timespec="seconds"), (), SHANGHAI)
    assert found is not None
    assert found.astimezone(SHANGHAI).replace(tzinfo=None) == local.replace(microsecond=0)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("code", ["BR", "RU", "CL", "US", "DE", "KR", "CZ", "TR"])
def test_country_names_of_eight_languages(locale: str, code: str, formats: Formats) -> None:
    assert country(Locale(locale).territories[code], formats.countries) == code


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("br", "BR"),
        ("BRA", "BR"),
        ("UK", "GB"),
        ("USA", "US"),
        ("Russian Federation", "RU"),
        ("俄罗斯联邦", "RU"),
        ("Czech Republic", "CZ"),
        ("Turkey", "TR"),
        ("Korea", "KR"),
        ("香港", "HK"),
        ("Cote d’Ivoire", "CI"),
        ("", None),
    ],
)
def test_countries_as_files_write_them(written: str, code: str | None, formats: Formats) -> None:
    assert country(written, formats.countries) == code


@pytest.mark.parametrize("written", ["Atlantis", "ZZ", "EU", "XX", "QQQ"])
def test_an_unknown_country_rejects_the_row(written: str, formats: Formats) -> None:
    """It decides the ladder."""
    with pytest.raises(RowError, match="is not a country that is known"):
        country(written, formats.countries)


def test_tax_numbers(formats: Formats) -> None:
    assert valid("390.533.447-05", "BR", formats.tax) is True
    assert valid("390.533.447-06", "BR", formats.tax) is False
    assert valid("anything", "FR", formats.tax) is None, "France's are not known here: nothing to say"
    assert valid("anything", None, formats.tax) is None


@pytest.mark.parametrize(
    ("remark", "found"),
    [
        ("CPF 390.533.447-05 please gift wrap", "39053344705"),
        ("cpf:39053344705", "39053344705"),
        ("CPF 390.533.447-06", None),
        ("call +55 11961230000 or 39053344705", "39053344705"),
        ("1239053344705", None),
        ("", None),
    ],
)
def test_only_a_valid_tax_number_is_taken_from_a_remark(remark: str, found: str | None, formats: Formats) -> None:
    assert in_remark(remark, "BR", formats.tax) == found


SALE = datetime(2026, 12, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cell", "form", "locale", "day"),
    [
        ("Sep-18-26", "%b-%d-%y", "en_US", "2026-09-18"),
        ("26-Sept-26", "%d-%b-%y", "en_GB", "2026-09-26"),
        ("10-Dez-25", "%d-%b-%y", "de_DE", "2025-12-10"),
        ("1-Mär-26", "%d-%b-%y", "de_DE", "2026-03-01"),
        ("05-oct.-26", "%d-%b-%y", "fr_FR", "2026-10-05"),
        ("05-août-26", "%d-%b-%y", "fr_FR", "2026-08-05"),
        ("21 de agosto de 2026", "%d de %b de %Y", "pt_BR", "2026-08-21"),
        ("25 de dezembro", "%d de %b", "pt_BR", "2026-12-25"),
        ("20 de dezembro", "%d de %b", "pt_BR", "2026-12-20"),
        ("3 de janeiro", "%d de %b", "pt_BR", "2027-01-03"),
    ],
)
def test_months_by_name_and_the_year_of_the_sale(cell: str, form: str, locale: str, day: str) -> None:
    """facts/file-formats.md 2.9: without a year the sale's counts, and the next where the date would lie before the sale."""
    found = instant(cell, (form,), ZoneInfo("UTC"), locale=locale, sold=SALE)
    assert found is not None
    assert found.date().isoformat() == day


def test_the_29th_of_february_without_a_year() -> None:
    sold = datetime(2027, 12, 20, tzinfo=UTC)
    assert instant("29 de fevereiro", ("%d de %b",), ZoneInfo("UTC"), locale="pt_BR", sold=sold) == datetime(
        2028, 2, 29, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("cell", "sold"), [("25 de dezembro", None), ("31 de fevereiro", SALE), ("25-12", SALE), ("25 de juin", SALE)]
)
def test_a_date_without_a_year_and_without_a_sale_rejects_the_row(cell: str, sold: datetime | None) -> None:
    with pytest.raises(RowError, match="is not a date"):
        instant(cell, ("%d de %b",), ZoneInfo("UTC"), locale="pt_BR", sold=sold)
