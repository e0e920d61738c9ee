"""R86: which carrier's terms hold for a parcel. The most specific rule wins; who is unknown is asked nothing."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.compensation.build import POSTED, scan, shipment, shipped_rules, terms
from tracker.compensation import equal_rank, match, phase_of
from tracker.model import Phase

SCANNED = {"first_scan": scan(POSTED)}


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({"carrier": "yanwen"}, "yanwen-c-pre-scan"),
        ({"carrier": "yanwen", **SCANNED}, "yanwen-c-in-transit"),
        ({"carrier": "fourpx", "service": "C-EMS"}, "4px-pre-scan"),
        ({"carrier": "fourpx", "service": "C-EMS", **SCANNED}, "4px-c-ems"),
        ({"carrier": "fourpx", "service": "special_line", **SCANNED}, "generic-cn-special-line"),
        ({"carrier": "yunexpress", "service": "special_line", **SCANNED}, "yunexpress-tracked"),
        ({"carrier": "china_post", "service": "epacket", **SCANNED}, "cn-epacket-in-transit"),
        ({"carrier": "china_post", "service": "epacket"}, "cn-epacket-pre-scan"),
        ({"carrier": "china_post", "service": "ems", "number": "EX000000005CN"}, "cn-ems-intl"),
        ({"carrier": "china_post", "service": "registered", "number": "RX000000005CN"}, "upu-registered"),
        ({"carrier": "china_post", "service": "parcel", "number": "CX000000005CN"}, "upu-parcel"),
        ({"carrier": "correios", "origin": "BR"}, "correios-domestic"),
        ({"carrier": "correios", "number": "RX000000005CN"}, "upu-registered"),
        ({"carrier": "singpost", "number": "RX000000005SG"}, "singpost-registered"),
        ({"carrier": "cainiao", "service": "aliexpress_standard", **SCANNED}, "aliexpress-standard"),
        ({"carrier": "gls"}, "defaults"),
        ({"carrier": "yanwen", "service": "special_line", "origin": "HK", **SCANNED}, "yanwen-c-in-transit"),
    ],
)
def test_the_most_specific_terms_hold(facts: dict[str, Any], rule: str) -> None:
    """R86: carrier, service and phase before carrier and phase, before `*`, before the UPU's, before the defaults."""
    found = match(shipment(**facts), shipped_rules())
    assert found is not None
    assert found.id == rule


@pytest.mark.parametrize("facts", [{"matched": False}, {"carrier": None}])
def test_nobody_is_asked_where_nobody_is_known(facts: dict[str, Any]) -> None:
    """R86: an unmatched channel gets no claim filed; the text becomes one task instead."""
    assert match(shipment(**facts), shipped_rules()) is None


def test_the_pickup_terms_need_a_person_who_saw_the_drivers_list() -> None:
    """R86: the phase `pickup` is no scan; it is told, never guessed."""
    parcel = shipment(carrier="fourpx", service="special_line")
    told = match(parcel, shipped_rules(), Phase.PICKUP)
    guessed = match(parcel, shipped_rules())
    assert phase_of(parcel) is Phase.PRE_SCAN
    assert told is not None
    assert told.id == "4px-not-in-warehouse"
    assert guessed is not None
    assert guessed.id == "defaults"


def test_a_first_scan_changes_the_terms() -> None:
    """R86: a parcel whose phase changes is matched again; before the scan money is owed, after it only an answer."""
    before = match(shipment(), shipped_rules())
    after = match(shipment(**SCANNED), shipped_rules())
    assert before is not None
    assert after is not None
    assert not before.inquiry_only
    assert after.inquiry_only


def test_two_terms_for_the_same_parcels_are_told_apart_or_refused() -> None:
    """R86: equal rank is an error of the configuration; another phase, service or number is not."""
    one = terms("yanwen-c-pre-scan")
    assert equal_rank(one, replace(one, id="mine"))
    assert not equal_rank(one, terms("yanwen-c-in-transit"))
    assert not equal_rank(one, replace(one, id="mine", services=("economy",)))
    assert not equal_rank(one, replace(one, id="mine", phase=Phase.ANY))
    assert not equal_rank(terms("upu-registered"), terms("upu-parcel"))
    assert not equal_rank(terms("upu-registered"), terms("singpost-registered"))
    shipped = shipped_rules().compensation
    assert [(a.id, b.id) for a in shipped for b in shipped if a.id < b.id and equal_rank(a, b)] == []
