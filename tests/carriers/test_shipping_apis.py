"""EasyPost, Shippo, ShipEngine and PostNL: conversations, pushes, and what is peculiar to them (facts: 21 and 23)."""

from __future__ import annotations

import json
import unicodedata
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import new

import pytest

from carriers import registry
from carriers.base import Memory, Query, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingStatus
from tests.carriers import cases
from tests.carriers.test_small_aggregators import NOW, account, hold, kinds, sample

ONE, TWO = "9400100000000000000001", "9400100000000000000018"


def read(carrier: str, case: str) -> Tracking:
    (told,) = cases.trackings(next(each for each in cases.own(carrier) if each.case == case)).values()
    assert isinstance(told, Tracking)
    return told


def test_easypost_pays_for_a_tracker_once_and_reads_it_by_its_id() -> None:
    queries = [Query(number=ONE, carrier_code="USPS"), Query(number=TWO)]
    answers = [sample("easypost", "answer"), sample("easypost", "answer", **{ONE: TWO, "trk_0001": "trk_0002"})]
    sent, batch = hold("easypost", [*answers], *queries)
    assert [(request.method, request.url) for request in sent] == [("POST", "https://source.invalid/trackers")] * 2
    assert [json.loads(request.body)["tracker"] for request in sent] == [
        {"tracking_code": ONE, "carrier": "USPS"},
        {"tracking_code": TWO},
    ]
    assert sent[0].headers["authorization"] == "Basic czNjcmV0Og=="
    assert batch.memory.numbers == {
        ONE: {"registered_at": NOW.isoformat(), "id": "trk_0001"},
        TWO: {"registered_at": NOW.isoformat(), "id": "trk_0002"},
    }
    sent, again = hold("easypost", [*answers], *queries, memory=batch.memory.numbers)
    assert [request.url.rpartition("/")[2] for request in sent] == ["trk_0001", "trk_0002"]
    assert again.memory == Memory()


def test_easypost_a_tracker_that_is_gone_is_made_anew_next_time() -> None:
    known = {ONE: {"registered_at": "2026-04-01T00:00:00+00:00", "id": "trk_0001"}}
    gone = Response(status=404, body=b'{"error":{"code":"NOT_FOUND","message":"The requested resource could not be found."}}')
    _, batch = hold("easypost", [gone], Query(number=ONE), memory=known)
    assert kinds(batch) == {ONE: "not_registered"}
    assert batch.memory.numbers == {ONE: {}}


@pytest.mark.parametrize("body", [b"", b"<html>no route</html>", b'{"message":"no route"}'])
def test_easypost_a_proxys_404_makes_no_second_tracker(body: bytes) -> None:
    """A tracker costs money: only EasyPost's own words say that one is gone."""
    known = {ONE: {"registered_at": "2026-04-01T00:00:00+00:00", "id": "trk_0001"}}
    _, batch = hold("easypost", [Response(status=404, body=body)], Query(number=ONE), memory=known)
    assert (kinds(batch), batch.memory) == ({ONE: "unavailable"}, Memory())


def test_easypost_a_push_is_signed_over_its_raw_body_with_the_secret_in_nfkd() -> None:
    body, secret = sample("easypost", "webhook").body, "Ünïcode"  # composed letters: NFKD takes them apart
    key = unicodedata.normalize("NFKD", secret).encode()
    signed = {"x-hmac-signature": f"hmac-sha256-hex={new(key, body, sha256).hexdigest()}"}
    easypost = registry.get("easypost")
    (push,) = easypost.read_push(signed, body, secret, NOW)
    assert push.number == ONE
    assert easypost.read(push.slice).status is TrackingStatus.OUT_FOR_DELIVERY
    for headers, told, used in ((signed, body + b" ", secret), (signed, body, ""), ({}, body, secret)):
        with pytest.raises(CarrierError) as refused:
            easypost.read_push(headers, told, used, NOW)
        assert refused.value.kind is ErrorKind.AUTH


def test_easypost_an_event_about_something_else_is_no_push() -> None:
    body = b'{"description":"batch.created","result":{"id":"batch_1"}}'
    signed = {"x-hmac-signature": f"hmac-sha256-hex={new(b's', body, sha256).hexdigest()}"}
    assert registry.get("easypost").read_push(signed, body, "s", NOW) == ()


@pytest.mark.parametrize("name", ["shippo", "shipengine"])
def test_a_number_without_its_carrier_is_not_asked_about_and_holds_up_no_other(name: str) -> None:
    numbers = {"shippo": ONE, "shipengine": "1Z999AA10123456784"}
    sent, batch = hold(name, [sample(name, "answer")], Query(number="A"), Query(number=numbers[name], carrier_code="ups/x"))
    assert len(sent) == 1
    assert "ups%2F" in sent[0].url
    assert kinds(batch) == {"A": "invalid_request", numbers[name]: "read"}
    assert batch.memory == Memory()


def test_shippo_registers_a_number_once_where_the_account_wants_pushes() -> None:
    queries = [Query(number=ONE, carrier_code="usps"), Query(number=TWO, carrier_code="usps")]
    shippo = registry.get("shippo")
    known = Memory(numbers={TWO: {"registered_at": "2026-04-01T00:00:00+00:00"}})
    talk = shippo.ask(queries, account("shippo", register=True), known, NOW)
    first = next(talk)
    assert (first.method, json.loads(first.body)) == ("POST", {"carrier": "usps", "tracking_number": ONE})
    assert first.headers["authorization"] == "ShippoToken s3cret"
    second = talk.send(sample("shippo", "answer"))
    assert (second.method, second.url) == ("GET", f"https://source.invalid/tracks/usps/{TWO}")
    with pytest.raises(StopIteration) as end:
        talk.send(sample("shippo", "not_found", **{ONE: TWO}))
    assert kinds(end.value.value) == {ONE: "read", TWO: "read"}
    assert end.value.value.memory.numbers == {ONE: {"registered_at": NOW.isoformat()}}


def test_shippo_a_push_is_signed_with_its_time_and_good_for_five_minutes() -> None:
    body, shippo = sample("shippo", "webhook").body, registry.get("shippo")

    def headers(at: datetime, key: bytes = b"s") -> dict[str, str]:
        moment = str(int(at.timestamp()))
        return {"shippo-auth-signature": f"t={moment},v1={new(key, moment.encode() + b'.' + body, sha256).hexdigest()}"}

    (push,) = shippo.read_push(headers(NOW - timedelta(seconds=300)), body, "s", NOW)
    assert (push.number, shippo.read(push.slice).status) == (ONE, TrackingStatus.DELIVERED)
    refused = [headers(NOW - timedelta(seconds=301)), headers(NOW + timedelta(seconds=301)), headers(NOW, b"other")]
    for told in [*refused, {"shippo-auth-signature": "t=1,v1=00"}]:
        with pytest.raises(CarrierError) as failed:
            shippo.read_push(told, body, "s", NOW)
        assert failed.value.kind is ErrorKind.AUTH
    with pytest.raises(CarrierError):
        shippo.read_push(headers(NOW, b""), body, "", NOW)


def test_shippo_scans_beside_no_status_are_no_not_found() -> None:
    """Promise 2: "not found" may cost money, so a body that lists scans is never taken for one."""
    body = json.loads(sample("shippo", "answer").body)
    body["tracking_status"], body["tracking_history"] = None, [{"status": "UNKNOWN", "status_date": "2026-04-02T00:00:00Z"}]
    told = registry.get("shippo").read(json.dumps(body).encode())
    assert told.status is TrackingStatus.UNKNOWN
    assert told.notes == ("the status says None, and there are scans",)


def test_shipengine_takes_the_instant_and_keeps_the_wall_clock_of_the_place() -> None:
    """Facts, section 5: `occurred_at` in Z, `carrier_occurred_at` local; together only where a zone can lie between."""
    (event,) = read("shipengine", "answer").events
    assert (event.time, event.local_time, event.offset) == (1775142000, "2026-04-02T08:00:00", -420)
    assert {e.raw_code: (e.time is not None, e.local_time, e.offset) for e in read("shipengine", "strange_times").events} == {
        "A": (True, "2026-04-05T17:30:00", 0),
        "B": (False, "2026-04-04T10:00:00", None),
        "C": (False, "2026-04-03T10:00:00", None),
        "D": (True, "2026-04-02T10:00:00", -420),
        "E": (True, "2026-04-01T10:00:00", 0),
    }


def test_postnl_asks_by_barcode_with_its_key_in_a_header() -> None:
    sent, batch = hold("postnl", [sample("postnl", "answer")], Query(number="3SABCD0000001"))
    assert sent[0].url == "https://source.invalid/status/barcode/3SABCD0000001?detail=true&language=EN"
    assert sent[0].headers == {"apikey": "s3cret"}
    assert kinds(batch) == {"3SABCD0000001": "read"}


def test_postnl_a_wall_clock_without_a_zone_is_no_instant() -> None:
    """Facts, rules across carriers 15: never fill in the zone of the server."""
    assert all(event.time is None and event.local_time for event in read("postnl", "answer").events)
