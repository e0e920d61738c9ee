"""17TRACK's answers are cut without reading old scans: the cut must be the one that a full parse makes (facts: performance)."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carriers.base import Response
from carriers.errors import CarrierError, ErrorKind
from carriers.scans import digest
from carriers.seventeen_track import SeventeenTrack, quick
from tests.carriers import cases

ADAPTER = SeventeenTrack()
ONE, TWO = "RB000000115CN", "LB000000129CN"
Tree = dict[str, Any]


def item(number: str = ONE, *texts: str) -> Tree:
    """A parcel as 17TRACK tells it, with one scan a text, and what moves on every answer."""
    events = [
        {
            "time_iso": f"2026-04-{day:02}T09:30:00+08:00",
            "description": text,
            "location": "Shenzhen",
            "sub_status": "InTransit_PickedUp",
            "address": {"country": "CN", "city": "Shenzhen"},
        }
        for day, text in enumerate(texts, 1)
    ]
    return {
        "number": number,
        "carrier": 3011,
        "sync_status": "Synced",
        "track_info": {
            "shipping_info": {"recipient_address": {"country": "BR", "street": "Invented Street 1"}},
            "latest_status": {"status": "InTransit", "sub_status": "InTransit_PickedUp"},
            "time_metrics": {"days_after_last_update": 2},
            "milestone": [{"key_stage": "InfoReceived", "time_iso": None}],
            "misc_info": {"local_number": "NX000000650BR", "local_key": 2151, "customer_number": "77"},
            "tracking": {
                "providers_hash": 1,
                "providers": [{"latest_sync_time": "2026-05-01T06:00:00Z", "events_hash": 2, "events": events}],
            },
        },
    }


def body(*items: Tree) -> bytes:
    """Compact, as the source sends it."""
    return json.dumps({"code": 0, "data": {"accepted": items, "rejected": []}}, separators=(",", ":")).encode()


def cuts(raw: bytes) -> dict[str, bytes]:
    found = ADAPTER.split(Response(status=200, body=raw), ())
    return {number: cut for number, cut in found.items() if isinstance(cut, bytes)}


def parsed_in_full(raw: bytes) -> dict[str, bytes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quick, "parts", lambda _: None)
        return cuts(raw)


@pytest.mark.parametrize("sample", cases.own("seventeen_track"), ids=lambda sample: sample.case)
def test_both_ways_cut_every_sample_alike(sample: cases.Sample) -> None:
    try:
        tree = json.loads(sample.response.body)
    except ValueError:
        pytest.skip("no JSON: nothing is cut out of it")
    raw = json.dumps(tree, separators=(",", ":")).encode()
    try:
        quickly = ADAPTER.split(Response(status=sample.response.status, body=raw), ())
    except CarrierError:
        return
    assert {n: cut for n, cut in quickly.items() if isinstance(cut, bytes)} == parsed_in_full(raw)


_NASTY = st.lists(
    st.sampled_from(["[", "]", "}", "{", '"', "\\", ",", ":", "events", '"events":[', "}]}", "}],", "-0", "é", "Ok "])
)


@settings(max_examples=300, deadline=None)
@given(texts=st.lists(st.lists(_NASTY.map("".join), max_size=3), min_size=1, max_size=3), other=_NASTY.map("".join))
def test_no_text_of_a_scan_misleads_the_cut(texts: list[list[str]], other: str) -> None:
    """Promise 2: brackets and quotes inside texts never end a list early, nor hide another parcel's."""
    items = [item(f"N{at}", *those) for at, those in enumerate(texts)]
    items[0]["track_info"]["tracking"]["providers"][0]["name"] = other
    raw = body(*items)
    found = cuts(raw)
    assert found == parsed_in_full(raw)
    assert [[e.description for e in ADAPTER.read(cut).events] for cut in found.values()] == texts


@pytest.mark.parametrize(
    "raw",
    [
        b'{"code":0,"data":{"accepted":[{"number":"A","track_info":{"tracking":{"providers":[{"events":-0}]}}}]}}',
        b'{"code":0,"data":{"accepted":[{"number":"A","track_info":{"events":[]}}]}}',
        b'{"code":0,"data":{"accepted":[{"number":"A","track_info":{"tracking":{"providers":[{"events":[{"x":[{"y":1}]}]}]}}}]}}',
        b'{"code":0,"data":{"accepted":[{"number":"A","track_info":{"tracking":{"providers":[{"events":[{"y":1} ]}]}}}]}}',
        b'{"code":0,"data":{"accepted":[{"number":"A","track_info":{"tracking":{"providers":null,"events":[{"y":1}]}}}]}}',
    ],
    ids=["the stand-in itself", "a list elsewhere", "a list inside", "a blank", "a list beside"],
)
def test_what_is_not_as_expected_is_parsed_in_full(raw: bytes) -> None:
    assert cuts(raw) == parsed_in_full(raw) != {}


def test_a_list_without_an_end_is_left_to_the_parser() -> None:
    """Facts, faults 8: a body that was cut off is refused as a whole."""
    raw = body(item(ONE, "Accepted"))
    assert quick.parts(raw[: raw.index(b"Accepted")]) is None
    with pytest.raises(CarrierError, match="cut off"):
        cuts(raw[: raw.index(b"Accepted")])


def _paths(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(tree, dict):
        return [found for key, value in tree.items() for found in _paths(value, (*path, key))]
    if isinstance(tree, list):
        return [found for at, value in enumerate(tree) for found in _paths(value, (*path, at))]
    return [path]


_DROPPED = {
    "sync_status",
    "street",
    "days_after_last_update",
    "key_stage",
    "customer_number",
    "providers_hash",
    "latest_sync_time",
    "events_hash",
}
_PARCEL = item(ONE, "Accepted", "Departed")
KEPT = [path for path in _paths(_PARCEL) if not _DROPPED & set(path) and "milestone" not in path and path != ("number",)]
MOVING = [path for path in _paths(_PARCEL) if _DROPPED & set(path)]


def changed(path: tuple[Any, ...], value: object) -> bytes:
    tree = copy.deepcopy(_PARCEL)
    place: Any = tree
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    (cut,) = cuts(body(tree)).values()
    return digest(cut)


BEFORE = digest(cuts(body(_PARCEL))[ONE])


@settings(max_examples=200, deadline=None)
@given(path=st.sampled_from(KEPT), value=st.integers(1, 10**6))
def test_any_change_of_what_we_keep_is_seen(path: tuple[Any, ...], value: int) -> None:
    """Promise 1: a digest that missed a new scan, status or last-mile number would hide it for ever.

    17TRACK's own hashes stand still here: they are not trusted.
    """
    told = value if path[-1] in {"carrier", "local_key"} else f"changed {value}"
    assert changed(path, told) != BEFORE


@settings(max_examples=50, deadline=None)
@given(path=st.sampled_from(MOVING), value=st.integers(-(2**31), 2**31 - 1))
def test_what_moves_on_every_answer_and_what_is_personal_is_not_seen(path: tuple[Any, ...], value: int) -> None:
    """Facts, 28: sync times, day counts and hashes never make an answer look new."""
    assert changed(path, value) == BEFORE


def test_a_list_of_scans_that_drifted_is_found_out_when_it_is_read() -> None:
    """Old scans are not parsed to cut them: garbage among them is that one parcel's error, later."""
    raw = body(item(ONE, "Accepted"), item(TWO, "Accepted")).replace(b'"Accepted"', b"Acc\xff", 1)
    found = cuts(raw)
    assert len(ADAPTER.read(found[TWO]).events) == 1
    with pytest.raises(CarrierError) as failed:
        ADAPTER.read(found[ONE])
    assert failed.value.kind is ErrorKind.BAD_RESPONSE
