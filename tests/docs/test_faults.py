"""Every fault of the catalogue has a test: one without fails here (docs/faults.md)."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.docs.faults import faults, faults_in, guards, home, invariants, invariants_in, proofs


def test_the_catalogue_is_whole() -> None:
    assert list(faults()) == list(range(1, 37))
    assert list(invariants()) == list(range(1, 8))


@pytest.mark.parametrize("number", range(1, 37))
def test_a_fault_is_proved_and_lives_somewhere(number: int) -> None:
    """The build fails while it is not."""
    assert proofs().get(number), f"no test names it: {faults()[number].name}"
    assert all(home(each) for each in faults()[number].lives)


@pytest.mark.parametrize("number", range(1, 8))
def test_an_invariant_is_proved(number: int) -> None:
    assert guards().get(number), f"no test names I{number}: {invariants()[number]}"


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ("R25, fault 18: not sent.", {18}),
        ("Faults rows 3, 20: a full disk must not turn 40 parcels into 80", {3, 20}),
        ("Faults row 3: 30 s", {3}),
        ("a request that ends (faults 1, 4, 18)", {1, 4, 18}),
        ("faults.md rows 1 and 35", {1, 35}),
        ("Issue, bad input; facts, faults 10.", {10}),
        ("faults 24-26, and 28", {24, 25, 26, 28}),
        ("test_fault_13_set_back_an_hour", {13}),
        ("test_faults_rows_6_7_are_told", {6, 7}),
        ("by default 4 of 5; a fault 99; faultless 3", set()),
    ],
)
def test_words_name_faults(words: str, numbers: set[int]) -> None:
    assert faults_in(words) == numbers


def test_words_name_invariants() -> None:
    assert invariants_in("test_i5_ledger I1, I2 and I6-I7; not I9, AI3") == {1, 2, 5, 6, 7}


def test_the_list_is_that_of_the_reference() -> None:
    """Second layer: as many rows and invariants as the reference has."""
    folder = os.environ.get("TRACKER_REFERENCE")
    if not folder or not (file := Path(folder) / "facts" / "faults.md").is_file():
        pytest.skip("the reference folder is not here: set TRACKER_REFERENCE")
    text = file.read_text(encoding="utf-8")
    assert [int(number) for number in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)] == list(faults())
    assert [int(number) for number in re.findall(r"^\| I(\d) \|", text, re.MULTILINE)] == list(invariants())
