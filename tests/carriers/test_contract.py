"""One contract for all adapters: whoever is in the registry is tested here, and fails by itself without samples."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carriers import registry
from carriers.answers import http_kind
from carriers.base import Account, Adapter, Memory, Query, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingStatus
from carriers.scans import digest
from tests.carriers import cases, situations
from tests.carriers.cases import Sample

NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)

samples = pytest.mark.parametrize("sample", cases.all_own(), ids=cases.name_of)
answered = pytest.mark.parametrize("sample", [s for s in cases.all_own() if s.numbers], ids=cases.name_of)
adapters = pytest.mark.parametrize("name", registry.names())


@adapters
def test_an_adapter_has_a_sample_for_every_situation(name: str) -> None:
    """Style 8, 9: a new carrier is a file, a registry line and a folder of samples named by situation.

    What a source cannot tell stands with its reason in `situations.LACKS`.
    """
    have = {sample.case for sample in cases.own(name)}
    wanted = situations.wanted(name)
    assert wanted <= have
    assert not have & set(situations.LACKS.get(name, {})), "it has what LACKS says it cannot have"


@samples
def test_a_sample_is_read_as_its_meta_file_says(sample: Sample) -> None:
    """R: the status is the source's own, never invented; errors say nothing about the parcel."""
    cases.check(sample)


NO_REFERENCE = pytest.param(
    None, marks=pytest.mark.skip(reason="$TRACKER_REFERENCE names no folder: own samples alone were read")
)


@pytest.mark.parametrize("sample", cases.reference() or [NO_REFERENCE], ids=lambda sample: sample and cases.name_of(sample))
def test_the_reference_collection_is_read_as_its_meta_files_say(sample: Sample) -> None:
    cases.check(sample)


@answered
def test_numbers_are_joined_by_name_never_by_position(sample: Sample) -> None:
    """Facts, rules across carriers 3: in whatever order we ask, each number gets its own answer."""
    adapter = registry.get(sample.carrier)
    turned = sample.numbers[::-1]
    assert list(adapter.split(sample.response, turned)) == turned
    for asked in (sample.numbers, turned):
        for number, cut in adapter.split(sample.response, asked).items():
            assert isinstance(cut, CarrierError) or adapter.read(cut).number == number


@answered
def test_a_number_is_found_however_it_is_spelled(sample: Sample) -> None:
    adapter = registry.get(sample.carrier)
    spelled = [f" {number.lower()[:4]} {number.lower()[4:]}" for number in sample.numbers]
    plain = adapter.split(sample.response, sample.numbers)
    for spelling, number in zip(spelled, sample.numbers, strict=True):
        told = adapter.split(sample.response, [spelling])[spelling]
        assert told == plain[number] or isinstance(told, CarrierError)
        assert not isinstance(told, CarrierError) or isinstance(plain[number], CarrierError)


@answered
def test_a_number_that_the_answer_leaves_out_is_an_error_never_not_found(sample: Sample) -> None:
    """Promise 2: unknown stays unknown."""
    told = registry.get(sample.carrier).split(sample.response, ["ZZ000000000ZZ", *sample.numbers])
    absent = told["ZZ000000000ZZ"]
    assert isinstance(absent, CarrierError)
    assert absent.kind is ErrorKind.BAD_RESPONSE
    assert set(told) == {"ZZ000000000ZZ", *sample.numbers}


@answered
def test_the_same_answer_gives_the_same_slice_and_the_same_keys(sample: Sample) -> None:
    """R11: polling an identical payload again adds nothing; the digest tells so before anything is read."""
    adapter = registry.get(sample.carrier)
    first, second = (adapter.split(sample.response, sample.numbers) for _ in range(2))
    for number, cut in first.items():
        again = second[number]
        if isinstance(cut, CarrierError):
            continue
        assert isinstance(again, bytes)
        assert digest(cut) == digest(again)
        read = adapter.read(cut)
        assert read == adapter.read(again)
        keys = [event.key for event in read.events]
        assert len(set(keys)) == len(keys)
        assert all(len(key) == 8 for key in keys)


@answered
def test_an_unmapped_code_is_never_in_transit_by_default(sample: Sample) -> None:
    """Style 7: every event whose status is unknown keeps its raw code or has none; none is guessed."""
    for tracking in cases.trackings(sample).values():
        if isinstance(tracking, Tracking):
            for event in tracking.events:
                assert event.raw_code not in tracking.unmapped or event.status is not TrackingStatus.DELIVERED


def _outcome(adapter: Adapter, response: Response) -> str:
    """`error` or `read`: what came of a body, for which only a CarrierError may be raised."""
    try:
        slices = adapter.split(response, ())
    except CarrierError:
        return "error"
    for cut in slices.values():
        if isinstance(cut, bytes):
            try:
                adapter.read(cut)
            except CarrierError as error:
                assert error.kind is ErrorKind.BAD_RESPONSE  # noqa: PT017 - only this kind may come from a slice
    return "read"


@adapters
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b"{}",
        b"42",
        b'"text"',
        b"<!DOCTYPE html><html><body>Just a moment</body></html>",
        b"<html>",
        b'<?xml version="1.0"?><a>',
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b"\xff\xfe\x00\x01",
        b"\x00\x01\x02",
        b"PK\x03\x04 not a workbook",
        b"\xd0\xcf\x11\xe0 not one either",
        b"[" * 100_000,
        b'{"code":0,"data":{"accepted":' + b"[" * 100_000,
        b'{"code":0,"data":{"accepted":[{"number":"A","track_info":' + b'{"a":' * 100_000,
        b'{"code":0}',
        b'{"code":0,"data":{"accepted":[{"number":7}],"rejected":[]}}',
        b'{"event":"TRACKING_UPDATED","data":{"number":"A"}}',
        b'{"event":"TRACKING_UPDATED","data":{}}',
        b'{"event":"SOMETHING_ELSE","data":{"number":"A"}}',
        b'{"objetos":[{"codObjeto":7}]}',
        b'{"objetos":{}}',
        b'{"objetos":[{"codObjeto":"A"},{"codObjeto":"B","eventos":7}]}',
        b'{"numbers":{"A":[{"at":"2026-01-01T00:00:00","status":"delivered"}]}}',
        b'{"numbers":{"A":[{"at":"2026-01-01T00:00:00Z","status":"teleported"}]}}',
    ],
    ids=lambda body: repr(body[:40]),
)
def test_rubbish_gives_a_typed_error_never_an_exception_or_a_status(name: str, body: bytes) -> None:
    """Issue, bad input: HTML, nothing, wrong types, bombs; no parcel learns anything from it."""
    adapter = registry.get(name)
    try:
        slices = adapter.split(Response(status=200, body=body), ["A"])
    except CarrierError as error:
        assert error.kind is ErrorKind.BAD_RESPONSE  # noqa: PT017 - the kind is the point
        return
    assert all(isinstance(cut, CarrierError) and cut.kind is ErrorKind.BAD_RESPONSE for cut in slices.values())


@answered
def test_a_truncated_body_gives_an_error_or_the_part_that_is_whole(sample: Sample) -> None:
    """Facts, faults 8: no cut of a recorded body raises anything but a CarrierError."""
    adapter, body = registry.get(sample.carrier), sample.response.body
    for cut in range(0, len(body) - 2, max(1, len(body) // 60)):
        outcome = _outcome(adapter, Response(status=200, body=body[:cut]))
        # A table of lines has no end mark: what arrived of it is whole rows.
        assert outcome == "error" or sample.carrier == "sheet"


@adapters
@pytest.mark.parametrize("status", [301, 400, 401, 402, 403, 404, 418, 429, 500, 503, 700])
def test_a_failed_request_fails_by_its_http_status(name: str, status: int) -> None:
    """Facts, section 2: auth, quota, rate and server errors are told apart, and none of them is "not found"."""
    with pytest.raises(CarrierError) as failed:
        registry.get(name).split(Response(status=status, body=b"", headers={"retry-after": "7"}), ["A"])
    assert failed.value.kind is http_kind(status)
    assert failed.value.code == str(status)
    assert failed.value.retry_after == 7.0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@adapters
def test_no_drift_of_a_recorded_body_raises_anything_else(name: str, data: st.DataObject) -> None:
    """Facts, faults 8: mutate any value of a recorded JSON body; the answer is read or refused, never an exception."""
    bodies = [s.response.body for s in cases.own(name) if s.case != "truncated" and s.response.body.startswith((b"{", b"["))]
    if not bodies:
        bodies = [b'{"not": "a table"}']
    tree = json.loads(data.draw(st.sampled_from(bodies)))
    _mutate(tree, data)
    _outcome(registry.get(name), Response(status=200, body=json.dumps(tree).encode()))


_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8), st.just([]), st.just({})
)


def _mutate(tree: object, data: st.DataObject) -> None:
    for _ in range(30):
        if isinstance(tree, dict) and tree:
            key = data.draw(st.sampled_from(sorted(tree)))
            if data.draw(st.booleans()) or not tree[key] or not isinstance(tree[key], (dict, list)):
                tree[key] = data.draw(_LEAVES)
                return
            tree = tree[key]
        elif isinstance(tree, list) and tree:
            at = data.draw(st.integers(0, len(tree) - 1))
            if data.draw(st.booleans()) or not isinstance(tree[at], (dict, list)):
                tree[at] = data.draw(_LEAVES)
                return
            tree = tree[at]


@settings(max_examples=100, deadline=None)
@given(body=st.binary(max_size=400))
@adapters
def test_no_bytes_raise_anything_else(name: str, body: bytes) -> None:
    _outcome(registry.get(name), Response(status=200, body=body))


@adapters
def test_an_adapter_is_what_the_registry_says(name: str) -> None:
    """The description needs no import of the adapter, and agrees with it."""
    adapter, told = registry.get(name), registry.describe(name)
    assert (adapter.name, adapter.batch_size) == (told.name, told.batch_size)
    assert registry.get(name) is adapter
    assert told.drop == (not told.base_url)


@adapters
def test_a_push_that_is_not_signed_is_refused(name: str) -> None:
    """Facts, faults 28; a source without pushes refuses them all."""
    told = registry.describe(name)
    with pytest.raises(CarrierError) as refused:
        registry.get(name).read_push({"sign": "0" * 64}, b"{}", "secret", NOW)
    assert refused.value.kind is (ErrorKind.AUTH if told.push else ErrorKind.INVALID_REQUEST)


@adapters
def test_an_account_without_its_secrets_is_told_apart_from_a_broken_source(name: str) -> None:
    told = registry.describe(name)
    account = Account(id="empty", base_url="https://source.invalid", options=situations.OPTIONS.get(name, {}))
    talk = registry.get(name).ask([Query(number="RB000000115CN")], account, Memory(), NOW)
    if told.secrets:
        with pytest.raises(CarrierError, match=told.secrets[0]) as refused:
            next(talk)
        assert refused.value.kind is ErrorKind.AUTH
    else:
        assert next(talk).url.startswith("drop:" if told.drop else "https://source.invalid")
