"""TrackingMore's life cycle, held with a stand-in account, and its traps (facts: TrackingMore)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from carriers.base import Account, Batch, Memory, Query, Request, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.model import TrackingStatus
from carriers.scans import digest
from carriers.signatures import hmac_base64, hmac_hex
from carriers.trackingmore import Trackingmore

NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
ADAPTER = Trackingmore()
ONE, TWO = "RB000000115CN", "LB000000129CN"
ACCOUNT = Account(id="main", base_url="https://source.invalid/v4/", secrets={"api_key": "key-1"})
THEN = {"registered_at": "2026-04-01T00:00:00+00:00"}


def item(number: str, word: str = "transit", **more: Any) -> dict[str, Any]:
    event = {
        "checkpoint_date": "2026-04-02T09:30:00+08:00",
        "tracking_detail": "Accepted",
        "checkpoint_delivery_status": "transit",
    }
    info = {"trackinfo": [event] if word != "notfound" else []}
    return {"id": f"id-{number}", "tracking_number": number, "delivery_status": word, "origin_info": info} | more


class StandIn:
    """An account at TrackingMore: what exists, and what was asked."""

    def __init__(self, *existing: dict[str, Any]) -> None:
        self.items = {each["tracking_number"]: each for each in existing}
        self.refused: dict[str, int] = {}
        self.whole: dict[str, tuple[int, int]] = {}
        self.log: list[tuple[str, object]] = []
        self.hidden: set[str] = set()

    def answer(self, request: Request) -> Response:
        assert request.headers["tracking-api-key"] == "key-1"
        assert "key-1" not in request.url
        url = urlsplit(request.url)
        endpoint = url.path.removeprefix("/v4/trackings/")
        self.log.append((endpoint.partition("/")[0], json.loads(request.body) if request.body else parse_qs(url.query)))
        status, code = self.whole.get(endpoint.partition("/")[0], (200, 200))
        data = self.batch(json.loads(request.body)) if endpoint == "batch" else self.listed(url.query)
        body = {"meta": {"code": code, "message": "said"}, "data": data if code == 200 else []}
        return Response(status=status, body=json.dumps(body).encode())

    def batch(self, wanted: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        told: dict[str, Any] = {"success": [], "error": []}
        for one in wanted:
            number = one["tracking_number"]
            code = self.refused.get(number) or (4101 if number in self.items else None)
            if code:
                told["error"].append({"tracking_number": number, "errorCode": code, "errorMessage": "said"})
            else:
                self.items[number] = item(number, "pending", origin_info=None)
                told["success"].append({"id": f"id-{number}", "tracking_number": number})
        return told

    def listed(self, query: str) -> list[dict[str, Any]]:
        asked = parse_qs(query).get("tracking_numbers", [""])[0].split(",")
        return [self.items[number] for number in reversed(asked) if number in self.items and number not in self.hidden]

    def ask(self, memory: Mapping[str, Mapping[str, Any]], *queries: Query) -> Batch:
        talk = ADAPTER.ask(queries, ACCOUNT, Memory(numbers=memory), NOW)
        try:
            request = next(talk)
            while True:
                request = talk.send(self.answer(request))
        except StopIteration as end:
            batch: Batch = end.value
            return batch

    def endpoints(self) -> list[str]:
        return [endpoint for endpoint, _ in self.log]


def query(number: str, code: str | None = None) -> Query:
    return Query(number=number, carrier_code=code)


def status(answer: bytes | CarrierError) -> TrackingStatus:
    assert isinstance(answer, bytes)
    return ADAPTER.read(answer).status


def kind(answer: bytes | CarrierError) -> ErrorKind:
    assert isinstance(answer, CarrierError)
    return answer.kind


def test_new_numbers_are_created_together_and_looked_at_by_name() -> None:
    """A creation is paid for: memory keeps it. The list comes in another order than asked."""
    source = StandIn(item(TWO))
    batch = source.ask({}, query(ONE, "china-post"), query(TWO))
    assert source.log == [
        ("batch", [{"tracking_number": ONE, "courier_code": "china-post"}, {"tracking_number": TWO}]),
        ("get", {"tracking_numbers": [f"{ONE},{TWO}"], "page_amount": ["200"]}),
    ]
    assert [status(batch.answers[n]) for n in (ONE, TWO)] == [TrackingStatus.UNKNOWN, TrackingStatus.IN_TRANSIT]
    assert batch.memory.numbers == {n: {"registered_at": NOW.isoformat()} for n in (ONE, TWO)}
    again = source.ask(batch.memory.numbers, query(ONE))
    assert (source.endpoints()[2:], again.memory) == (["get"], Memory())


def test_a_refused_number_is_its_own_error_and_the_others_go_on() -> None:
    source = StandIn(item(TWO))
    source.refused["77"] = 4112
    batch = source.ask({TWO: THEN}, query("77"), query(TWO))
    assert kind(batch.answers["77"]) is ErrorKind.INVALID_NUMBER
    assert status(batch.answers[TWO]) is TrackingStatus.IN_TRANSIT
    assert batch.memory == Memory()


def test_without_quota_what_exists_is_still_looked_at() -> None:
    source = StandIn(item(TWO))
    source.whole["batch"] = (200, 4190)
    batch = source.ask({TWO: THEN}, query(ONE), query(TWO))
    assert kind(batch.answers[ONE]) is ErrorKind.QUOTA_EXHAUSTED
    assert status(batch.answers[TWO]) is TrackingStatus.IN_TRANSIT
    with pytest.raises(CarrierError) as failed:
        source.ask({}, query(ONE))
    assert failed.value.kind is ErrorKind.QUOTA_EXHAUSTED


def test_exists_said_about_the_whole_call_is_success_too() -> None:
    """4101 is success: after a restored backup no number may stay unasked because it exists already."""
    source = StandIn(item(ONE))
    source.whole["batch"] = (400, 4101)
    batch = source.ask({}, query(ONE))
    assert status(batch.answers[ONE]) is TrackingStatus.IN_TRANSIT
    assert batch.memory.numbers == {ONE: {"registered_at": NOW.isoformat()}}


def test_of_two_couriers_records_the_one_of_the_parcels_own_courier_counts() -> None:
    """Rules across carriers 4: numbers are used again; the longer record of another courier is another parcel."""
    other = item(ONE, "delivered", courier_code="dhl", destination_country="BR")
    body = {"meta": {"code": 200}, "data": [item(ONE, courier_code="china-post"), other]}
    for code, expected in (("china-post", TrackingStatus.IN_TRANSIT), ("dhl", TrackingStatus.DELIVERED), ("x", "delivered")):
        talk = ADAPTER.ask([query(ONE, code)], ACCOUNT, Memory(numbers={ONE: THEN}), NOW)
        next(talk)
        with pytest.raises(StopIteration) as end:
            talk.send(Response(status=200, body=json.dumps(body).encode()))
        assert status(end.value.value.answers[ONE]) == expected


def test_whoever_signed_is_not_in_the_texts_either() -> None:
    """Rules across carriers 14: couriers write a name behind "signed for by"."""
    event = {"checkpoint_date": "2026-04-09 10:00:00", "tracking_detail": "Delivered, signed for by: JANE DOE"}
    source = StandIn(item(ONE, "delivered", destination_info={"trackinfo": [event]}))
    cut = source.ask({ONE: THEN}, query(ONE)).answers[ONE]
    assert isinstance(cut, bytes)
    assert b"JANE" not in cut
    assert b"Delivered" in cut


@pytest.mark.parametrize("whole", [(200, 200), (400, 4102)], ids=["left out", "does not exist"])
def test_what_the_source_forgot_is_created_again_once(whole: tuple[int, int]) -> None:
    """A deleted number must not stay silent for ever; "exists already" costs nothing and then it is an error."""
    source = StandIn()
    source.whole["get"] = whole
    batch = source.ask({ONE: THEN}, query(ONE))
    assert source.endpoints() == ["get", "batch", "get"]
    assert batch.memory.numbers[ONE] == {"registered_at": NOW.isoformat(), "reregistered_at": NOW.isoformat()}
    if whole == (200, 200):
        assert status(batch.answers[ONE]) is TrackingStatus.UNKNOWN
    else:
        assert kind(batch.answers[ONE]) is ErrorKind.NOT_READY
    source.hidden.add(ONE)
    later = source.ask(batch.memory.numbers, query(ONE))
    assert source.endpoints()[3:] == ["get"]
    assert kind(later.answers[ONE]) is ErrorKind.BAD_RESPONSE


def test_what_exists_but_is_not_listed_is_an_error_never_not_found() -> None:
    """Promise 2: a number missing from an answer says nothing about the parcel."""
    source = StandIn(item(ONE))
    source.hidden.add(ONE)
    batch = source.ask({ONE: THEN}, query(ONE))
    assert kind(batch.answers[ONE]) is ErrorKind.NOT_READY
    assert batch.memory.numbers[ONE] == THEN | {"reregistered_at": NOW.isoformat()}


def test_a_refused_new_creation_of_a_forgotten_number_is_its_error() -> None:
    source = StandIn()
    source.refused[ONE] = 4121
    assert kind(source.ask({ONE: THEN}, query(ONE)).answers[ONE]) is ErrorKind.INVALID_REQUEST


@pytest.mark.parametrize("refusal", [(200, 200), (400, 4130), (404, 4102)])
def test_expired_is_never_lost_and_is_woken_up_once(refusal: tuple[int, int]) -> None:
    """Rules across carriers 7: the aggregator stopped looking; a definite refusal to wake it up is not asked for again."""
    source = StandIn(item(ONE, "expired"), item(TWO))
    source.whole["retrack"] = refusal
    batch = source.ask({ONE: THEN, TWO: THEN}, query(ONE), query(TWO))
    assert source.endpoints() == ["get", "retrack"]
    assert status(batch.answers[ONE]) is TrackingStatus.EXPIRED
    assert batch.memory.numbers == {ONE: THEN | {"retracked_at": NOW.isoformat()}}
    source.ask(batch.memory.numbers, query(ONE))
    assert source.endpoints()[2:] == ["get"]


def test_a_waking_that_failed_is_tried_again_and_takes_no_answer_away() -> None:
    source = StandIn(item(ONE, "expired"))
    source.whole["retrack"] = (500, 511)
    batch = source.ask({ONE: THEN}, query(ONE))
    assert status(batch.answers[ONE]) is TrackingStatus.EXPIRED
    assert batch.memory == Memory()


def test_a_paid_creation_is_not_forgotten_because_the_next_request_failed() -> None:
    source = StandIn()
    source.whole["get"] = (503, 513)
    batch = source.ask({}, query(ONE))
    assert kind(batch.answers[ONE]) is ErrorKind.UNAVAILABLE
    assert batch.memory.numbers == {ONE: {"registered_at": NOW.isoformat()}}
    with pytest.raises(CarrierError) as failed:
        source.ask({ONE: THEN}, query(ONE))
    assert failed.value.kind is ErrorKind.UNAVAILABLE


@pytest.mark.parametrize(
    ("response", "expected", "wait"),
    [
        (Response(status=429, body=b""), ErrorKind.RATE_LIMITED, 120.0),
        (Response(status=200, body=b'{"meta":{"code":429},"data":[]}'), ErrorKind.RATE_LIMITED, 120.0),
        (Response(status=429, body=b"", headers={"retry-after": "9"}), ErrorKind.RATE_LIMITED, 9.0),
        (Response(status=500, body=b'{"meta":{"code":200},"data":[]}'), ErrorKind.UNAVAILABLE, None),
        (Response(status=400, body=b'{"meta":{"code":4999},"data":[]}'), ErrorKind.INVALID_REQUEST, None),
        (Response(status=200, body=b'{"meta":{"code":4999},"data":[]}'), ErrorKind.BAD_RESPONSE, None),
    ],
    ids=["429", "429 in 200", "told how long", "500 that says 200", "400 of an unknown code", "unknown code"],
)
def test_after_too_fast_it_wants_two_minutes(response: Response, expected: ErrorKind, wait: float | None) -> None:
    with pytest.raises(CarrierError) as failed:
        ADAPTER.split(response, [ONE])
    assert (failed.value.kind, failed.value.retry_after) == (expected, wait)


def body(*items: dict[str, Any]) -> Response:
    return Response(status=200, body=json.dumps({"meta": {"code": 200}, "data": items}).encode())


def test_what_moves_on_every_answer_and_who_buys_are_not_in_the_slice() -> None:
    """Facts 14 and the hot path: times of synchronisation, record ids and names never reach a digest, a log or the database."""
    noise = {
        "update_at": "2026-05-02T06:00:00Z",
        "stay_time": 9,
        "id": "other",
        "customer_name": "Invented Buyer",
        "signed_by": "I B",
    }
    first, second = (ADAPTER.split(body(each), [ONE])[ONE] for each in (item(ONE), item(ONE) | noise))
    assert isinstance(first, bytes)
    assert isinstance(second, bytes)
    assert digest(first) == digest(second)
    assert b"Invented" not in second


def test_a_number_followed_under_two_couriers_gives_the_fuller_record() -> None:
    records = [item(ONE, "notfound"), item(ONE, courier_code="china-post")]
    for order in (records, records[::-1]):
        assert status(ADAPTER.split(body(*order), [ONE])[ONE]) is TrackingStatus.IN_TRANSIT


def test_one_item_that_drifted_takes_no_others_with_it() -> None:
    told = ADAPTER.split(body({"tracking_number": ONE, "origin_info": 7}, item(TWO)), [ONE, TWO])
    assert kind(told[ONE]) is ErrorKind.BAD_RESPONSE
    assert status(told[TWO]) is TrackingStatus.IN_TRANSIT
    lists = {"success": [], "error": [{"tracking_number": ONE, "code": {}}, {"tracking_number": TWO, "code": "4190"}]}
    batch = Response(status=200, body=json.dumps({"meta": {"code": 200}, "data": lists}).encode())
    assert [kind(said) for said in ADAPTER.split(batch, [ONE, TWO]).values()] == [
        ErrorKind.BAD_RESPONSE,
        ErrorKind.QUOTA_EXHAUSTED,
    ]


@pytest.mark.parametrize(
    ("word", "sub", "expected", "unmapped"),
    [
        ("transit", "delivered001", TrackingStatus.IN_TRANSIT, ()),
        ("delivered", "exception010", TrackingStatus.RETURNED, ()),
        ("delivered", "exception099", TrackingStatus.DELIVERED, ()),
        (None, "transit009", TrackingStatus.IN_TRANSIT, ("transit009",)),
        (None, None, TrackingStatus.UNKNOWN, ()),
    ],
    ids=["they disagree: the word", "they disagree: the return", "the word, whatever it is", "a refinement alone", "nothing"],
)
def test_word_and_sub_status(word: str | None, sub: str | None, expected: TrackingStatus, unmapped: tuple[str, ...]) -> None:
    """Style 7: what no row knows falls back inside its family and is told once; it is never guessed."""
    event = {"checkpoint_date": "2026-04-02T09:30:00Z", "checkpoint_delivery_status": word, "checkpoint_delivery_substatus": sub}
    cut = ADAPTER.split(body({"tracking_number": ONE, "destination_info": {"trackinfo": [event]}}), [ONE])[ONE]
    assert isinstance(cut, bytes)
    told = ADAPTER.read(cut)
    assert (told.events[0].status, told.status, told.unmapped) == (expected, expected, unmapped)


PUSHED = json.dumps({"meta": {"code": 200}, "data": item(ONE, "delivered")}).encode()


@pytest.mark.parametrize("sign", [hmac_base64, hmac_hex])
def test_a_push_signed_over_its_body_goes_through_the_same_door(sign: Any) -> None:
    """Issue, push: the documents show two forms; the slice is the one that a poll gives."""
    (pushed,) = ADAPTER.read_push({"signature": sign(b"secret", PUSHED)}, PUSHED, "secret", NOW)
    assert (pushed.number, pushed.slice) == (ONE, ADAPTER.split(body(item(ONE, "delivered")), [ONE])[ONE])


@pytest.mark.parametrize(
    ("headers", "secret"),
    [
        ({}, "secret"),
        ({"signature": hmac_hex(b"other", PUSHED)}, "secret"),
        ({"signature": hmac_hex(b"secret", PUSHED + b" ")}, "secret"),
        ({"signature": hmac_hex(b"secret", b"1777723200"), "timestamp": "1777723200"}, "secret"),
        ({"signature": hmac_hex(b"", PUSHED)}, ""),
    ],
    ids=["none", "another secret", "another body", "a timestamp alone", "no secret kept"],
)
def test_a_push_whose_body_nobody_signed_is_refused(headers: dict[str, str], secret: str) -> None:
    """Faults 28: a signature over a timestamp would let anybody put any body behind it."""
    with pytest.raises(CarrierError) as refused:
        ADAPTER.read_push(headers, PUSHED, secret, NOW)
    assert refused.value.kind is ErrorKind.AUTH
