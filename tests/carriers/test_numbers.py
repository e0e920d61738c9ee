"""S10 numbers: a failed check is a warning, never a rejection; hints are never verdicts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.numbers import S10Check, capability, check_digit, hint, normalise, s10

LETTERS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=2)
SERIALS = st.text("0123456789", min_size=8, max_size=8)


@pytest.mark.parametrize(
    ("serial", "digit"),
    [("47312482", 9), ("12345678", 5), ("04918623", 0), ("04918622", 6), ("04918621", 2), ("12345000", 5), ("12345008", 0)],
)
def test_the_check_digit_of_the_published_vectors(serial: str, digit: int) -> None:
    assert check_digit(serial) == digit


@pytest.mark.parametrize("number", ["RB123456785GB", "EA473124829US", "DG049186230BR"])
def test_a_valid_number_gives_no_warning(number: str) -> None:
    told = s10(number)
    assert told == S10Check(valid_form=True, check_digit_ok=True, service_letter=number[0], country=number[-2:])
    assert told.warning is None


@pytest.mark.parametrize("number", ["RA644000001RU", "RR123456789CN", "LB711320125HK", "OM136343285US"])
def test_numbers_printed_wrongly_in_documents_are_warned_about_and_kept(number: str) -> None:
    """Issue, carriers: S10 check is a warning, never a rejection."""
    told = s10(number)
    assert told.valid_form
    assert not told.check_digit_ok
    assert told.warning is not None
    assert told.service_letter == number[0]


@given(LETTERS, SERIALS, LETTERS, st.integers(0, 9))
def test_exactly_one_of_ten_check_digits_is_right(prefix: str, serial: str, country: str, digit: int) -> None:
    told = s10(f"{prefix}{serial}{digit}{country}")
    assert told.valid_form
    assert told.check_digit_ok == (digit == check_digit(serial))


@given(st.text(max_size=20))
def test_no_text_is_refused_or_raises(text: str) -> None:
    assert s10(text).valid_form or s10(text).warning is None
    assert normalise(normalise(text)) == normalise(text)
    assert isinstance(hint(text), tuple)
    assert capability(text) in {None, "export_only", "arrival_and_delivery", "end_to_end"}


@pytest.mark.parametrize(
    ("written", "number"),
    [
        (" rb 123 456 785 gb ", "RB123456785GB"),
        ("RB123456785GB\t", "RB123456785GB"),
        ("'RB123456785GB", "RB123456785GB"),
        ("RB123456785GB\u200b\ufeff", "RB123456785GB"),
        ("ＲＢ１２３４５６７８５ＧＢ", "RB123456785GB"),
        ("RB\u00a0123456785GB", "RB123456785GB"),
    ],
)
def test_numbers_are_compared_in_one_written_form(written: str, number: str) -> None:
    assert normalise(written) == number
    assert s10(written).check_digit_ok


@pytest.mark.parametrize(
    ("number", "carriers"),
    [
        ("RB123456785CN", ["china_post"]),
        ("LB123456785BR", ["correios"]),
        ("UB123456785YP", ["yanwen"]),
        ("YT1234567890123456", ["yunexpress"]),
        ("LP00123456789012", ["cainiao"]),
        ("4PX3000123456CN", ["fourpx"]),
        ("1Z999AA10123456784", ["ups"]),
        ("9400111206213785678901", ["usps"]),
        ("12345678901234", ["russian_post"]),
        ("hello", []),
    ],
)
def test_a_hint_names_carriers_whose_numbers_look_so(number: str, carriers: list[str]) -> None:
    assert [told.carrier for told in hint(number)] == carriers


def test_likely_hints_come_first() -> None:
    assert [told.confidence for told in hint("UB123456785YP")] == ["likely"]
    assert [told.confidence for told in hint("AP12345678")] == ["possible"]


@pytest.mark.parametrize(
    ("number", "tracking"),
    [
        ("UB123456785CN", "export_only"),
        ("RB123456785CN", "arrival_and_delivery"),
        ("LB123456785CN", "end_to_end"),
        ("NB123456785CN", None),
        ("YT1234567890123456", None),
    ],
)
def test_the_first_letter_tells_how_far_a_parcel_can_be_followed(number: str, tracking: str | None) -> None:
    """Facts, transit: an untracked U number never gets a delivery scan; its silence says nothing."""
    assert capability(number) == tracking
