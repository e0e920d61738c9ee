"""AfterShip's life cycle in both versions, held with a stand-in account, and its traps (facts: AfterShip)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from carriers.aftership import Aftership
from carriers.base import Account, Batch, Memory, Query, Request, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.model import TrackingStatus
from carriers.scans import digest
from carriers.signatures import hmac_base64, hmac_hex

NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
ADAPTER = Aftership()
ONE, TWO, THREE = "RB000000115CN", "LB000000129CN", "RB000000116CN"
THEN = {"registered_at": "2026-04-01T00:00:00+00:00"}


def item(number: str, tag: str = "InTransit", **more: Any) -> dict[str, Any]:
    point = {"checkpoint_time": "2026-04-02T09:30:00+08:00", "message": "Accepted", "tag": "InTransit", "subtag": "InTransit_002"}
    return {"id": f"id/{number}", "tracking_number": number, "tag": tag, "subtag": f"{tag}_001", "checkpoints": [point]} | more


class StandIn:
    """An account at AfterShip: what exists, what was asked; `page` trackings a page."""

    def __init__(self, *existing: dict[str, Any], version: str = "tracking/2026-07", page: int = 200) -> None:
        self.items = {each["tracking_number"]: each for each in existing}
        self.account = Account(id="main", base_url=f"https://source.invalid/{version}/", secrets={"api_key": "key-1"})
        self.page = page
        self.refused: dict[str, tuple[int, int]] = {}
        self.hidden: set[str] = set()
        self.headers: dict[str, str] = {}
        self.log: list[str] = []

    def answer(self, request: Request) -> Response:
        url = urlsplit(request.url)
        old = url.path.startswith("/v4/")
        assert request.headers["aftership-api-key" if old else "as-api-key"] == "key-1"
        wanted = json.loads(request.body) if request.body else {}
        wanted = wanted.get("tracking", {}) if old else wanted
        what = "retrack" if url.path.endswith("/retrack") else wanted.get("tracking_number", "list")
        self.log.append(what if request.method == "POST" else "list")
        status, code = self.refused.get(self.log[-1], (200, 200))
        if code != 200:
            return self.said(status, code, {})
        if self.log[-1] == "list":
            return self.said(200, 200, self.listed(parse_qs(url.query)))
        if what in self.items:
            return self.said(400, 4003, {"tracking_number": what, "id": f"id/{what}"})
        self.items[what] = item(what, "Pending", checkpoints=[], slug=wanted.get("slug"))
        return self.said(201, 201, {"tracking": self.items[what]} if old else self.items[what])

    def said(self, status: int, code: int, data: object) -> Response:
        body = json.dumps({"meta": {"code": code, "message": "said"}, "data": data}).encode()
        return Response(status=status, body=body, headers=self.headers)

    def listed(self, query: Mapping[str, list[str]]) -> dict[str, Any]:
        assert query["limit"] == ["200"]
        asked = query["tracking_numbers"][0].split(",")
        told = [self.items[number] for number in reversed(asked) if number in self.items and number not in self.hidden]
        start = int(query.get("cursor", ["0"])[0])
        end = start + self.page
        return {
            "pagination": {"total": len(told), "next_cursor": str(end), "has_next_page": end < len(told)},
            "trackings": told[start:end],
        }

    def ask(self, memory: Mapping[str, Mapping[str, Any]], *numbers: str, slug: str | None = None) -> Batch:
        queries = [Query(number=number, carrier_code=slug) for number in numbers]
        talk = ADAPTER.ask(queries, self.account, Memory(numbers=memory), NOW)
        try:
            request = next(talk)
            while True:
                request = talk.send(self.answer(request))
        except StopIteration as end:
            batch: Batch = end.value
            return batch


def status(answer: bytes | CarrierError) -> TrackingStatus:
    assert isinstance(answer, bytes)
    return ADAPTER.read(answer).status


def kind(answer: bytes | CarrierError) -> ErrorKind:
    assert isinstance(answer, CarrierError)
    return answer.kind


@pytest.mark.parametrize("version", ["tracking/2026-07", "v4"])
def test_new_numbers_are_created_one_by_one_and_looked_at_together(version: str) -> None:
    """A creation is paid for: memory keeps it. 4003 (exists) is success."""
    source = StandIn(item(TWO), version=version)
    batch = source.ask({}, ONE, TWO, slug="china-post")
    assert source.log == [ONE, TWO, "list"]
    assert source.items[ONE]["slug"] == "china-post"
    assert [status(batch.answers[n]) for n in (ONE, TWO)] == [TrackingStatus.UNKNOWN, TrackingStatus.IN_TRANSIT]
    assert batch.memory.numbers == {n: {"registered_at": NOW.isoformat()} for n in (ONE, TWO)}
    again = source.ask(batch.memory.numbers, ONE, TWO)
    assert (source.log[3:], again.memory) == (["list"], Memory())


def test_a_list_is_read_page_by_page_but_not_for_ever() -> None:
    source = StandIn(item(ONE), item(TWO), item(THREE), page=1)
    memory = dict.fromkeys((ONE, TWO, THREE), THEN)
    answers = source.ask(memory, ONE, TWO, THREE).answers
    assert {number: status(said) for number, said in answers.items()} == dict.fromkeys(memory, TrackingStatus.IN_TRANSIT)
    assert source.log == ["list"] * 3
    source.page, source.log = 0, []
    assert kind(source.ask({ONE: THEN | {"reregistered_at": "then"}}, ONE).answers[ONE]) is ErrorKind.BAD_RESPONSE
    assert source.log == ["list"] * 5


def test_a_number_that_is_refused_takes_no_others_with_it() -> None:
    source = StandIn()
    source.refused[ONE] = (400, 4005)
    batch = source.ask({}, ONE, TWO)
    assert kind(batch.answers[ONE]) is ErrorKind.INVALID_NUMBER
    assert status(batch.answers[TWO]) is TrackingStatus.UNKNOWN
    assert set(batch.memory.numbers) == {TWO}


def test_what_stops_the_creating_does_not_stop_the_looking() -> None:
    """Too fast, out of quota, a wrong key: what is known is looked at, what was created is kept, nothing is created after it."""
    source = StandIn(item(THREE))
    source.refused[TWO] = (429, 429)
    source.headers["x-ratelimit-reset"] = str(int(NOW.timestamp()) + 4)
    batch = source.ask({THREE: THEN}, ONE, TWO, "LB000000132CN", THREE)
    assert source.log == [ONE, TWO, "list"]
    assert status(batch.answers[ONE]) is TrackingStatus.UNKNOWN
    assert status(batch.answers[THREE]) is TrackingStatus.IN_TRANSIT
    refused = batch.answers["LB000000132CN"]
    assert isinstance(refused, CarrierError)
    assert (refused.kind, refused.retry_after) == (ErrorKind.RATE_LIMITED, 4.0)
    assert set(batch.memory.numbers) == {ONE}


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"x-ratelimit-reset": "soon"}, None),
        ({"x-ratelimit-reset": "1"}, 1.0),
        ({"x-ratelimit-reset": "1777723200000"}, 60.0),
        ({"retry-after": "9"}, 9.0),
        ({"retry-after": "9" * 400}, 21600.0),
    ],
)
def test_how_long_to_wait_is_what_the_source_says(headers: dict[str, str], wait: float | None) -> None:
    source = StandIn()
    source.refused["list"] = (429, 429)
    source.headers |= headers
    with pytest.raises(CarrierError) as failed:
        source.ask({ONE: THEN}, ONE)
    assert (failed.value.kind, failed.value.retry_after) == (ErrorKind.RATE_LIMITED, wait)


def test_a_whole_batch_that_cannot_be_created_fails_as_a_whole() -> None:
    source = StandIn()
    source.refused[ONE] = (401, 401)
    with pytest.raises(CarrierError) as failed:
        source.ask({}, ONE, TWO)
    assert (failed.value.kind, source.log) == (ErrorKind.AUTH, [ONE])


def test_of_two_couriers_records_the_one_of_the_parcels_own_courier_counts() -> None:
    """Rules across carriers 4: numbers are used again; the longer record of another courier is another parcel."""
    other = item(ONE, "Delivered", slug="dhl", signed_by="x")
    other["checkpoints"] *= 3
    body = {"pagination": {"has_next_page": False}, "trackings": [other, item(ONE, slug="china-post")]}
    for slug, expected in (("china-post", TrackingStatus.IN_TRANSIT), ("dhl", TrackingStatus.DELIVERED)):
        for told in (slug, None):
            talk = ADAPTER.ask([Query(number=ONE, carrier_code=told)], StandIn().account, Memory(numbers={ONE: THEN}), NOW)
            next(talk)
            with pytest.raises(StopIteration) as end:
                talk.send(StandIn().said(200, 200, body))
            assert status(end.value.value.answers[ONE]) is (expected if told else TrackingStatus.DELIVERED)


def test_whoever_signed_is_not_in_the_texts_either() -> None:
    """Rules across carriers 14: couriers write a name behind "signed for by"."""
    point = {"checkpoint_time": "2026-04-09T10:00:00Z", "message": "Delivered - Signed for by: JANE DOE", "tag": "Delivered"}
    batch = StandIn(item(ONE, "Delivered", checkpoints=[point])).ask({ONE: THEN}, ONE)
    cut = batch.answers[ONE]
    assert isinstance(cut, bytes)
    assert b"JANE" not in cut
    assert [event.description for event in ADAPTER.read(cut).events] == ["Delivered"]


def test_what_the_source_forgot_is_created_again_once() -> None:
    source = StandIn()
    batch = source.ask({ONE: THEN}, ONE)
    assert source.log == ["list", ONE, "list"]
    assert batch.memory.numbers[ONE] == {"registered_at": NOW.isoformat(), "reregistered_at": NOW.isoformat()}
    source.hidden.add(ONE)
    later = source.ask(batch.memory.numbers, ONE)
    assert source.log[3:] == ["list"]
    assert kind(later.answers[ONE]) is ErrorKind.BAD_RESPONSE


@pytest.mark.parametrize("refusal", [(200, 200), (400, 4013), (404, 4004)])
def test_expired_is_never_lost_and_is_woken_up_once(refusal: tuple[int, int]) -> None:
    """Rules across carriers 7: the aggregator stopped looking. The record's id goes into the address as one part of it."""
    source = StandIn(item(ONE, "Expired"))
    source.refused["retrack"] = refusal
    batch = source.ask({ONE: THEN}, ONE)
    assert source.log == ["list", "retrack"]
    assert status(batch.answers[ONE]) is TrackingStatus.EXPIRED
    assert batch.memory.numbers == {ONE: THEN | {"retracked_at": NOW.isoformat()}}
    source.ask(batch.memory.numbers, ONE)
    assert source.log[2:] == ["list"]


def one(**more: Any) -> Response:
    return Response(status=200, body=json.dumps({"meta": {"code": 200}, "data": item(ONE, **more)}).encode())


def sliced(response: Response) -> bytes:
    cut = ADAPTER.split(response, [ONE])[ONE]
    assert isinstance(cut, bytes)
    return cut


def test_what_moves_on_every_answer_and_who_signed_are_not_in_the_slice() -> None:
    """Facts 14: `signed_by`, mail, phones and times of synchronisation never reach a digest, a log or the database."""
    noise = {
        "signed_by": "I Nvented",
        "emails": ["buyer@example.com"],
        "smses": ["+550"],
        "updated_at": "now",
        "tracked_count": 9,
    }
    assert digest(sliced(one())) == digest(sliced(one(**noise, id="another")))
    assert b"vented" not in sliced(one(**noise))


@pytest.mark.parametrize(
    ("told", "expected"),
    [("2026-04-02T09:30:00+08:00", (1775093400, 480)), ("2026-04-02T09:30:00", (None, None))],
)
def test_a_time_without_an_offset_has_no_instant(told: str, expected: tuple[int | None, int | None]) -> None:
    """Facts, rules across carriers 15: no zone is filled in; the wall clock is kept."""
    (event,) = ADAPTER.read(sliced(one(checkpoints=[{"checkpoint_time": told, "tag": "InTransit"}]))).events
    assert (event.time, event.offset, event.local_time) == (*expected, "2026-04-02T09:30:00")


def test_a_return_after_a_delivery_wins() -> None:
    """Rules across carriers 6."""
    points = [
        {"checkpoint_time": f"2026-04-{day}T09:30:00Z", "tag": tag, "subtag": tag + sub}
        for day, tag, sub in ((25, "Delivered", "_001"), (28, "Exception", "_011"))
    ]
    assert ADAPTER.read(sliced(one(tag="Delivered", checkpoints=points))).status is TrackingStatus.RETURNED
    assert ADAPTER.read(sliced(one(tag="Delivered", subtag="Exception_011", checkpoints=[]))).status is TrackingStatus.RETURNED


def test_an_unknown_kind_of_delivery_is_one_on_top_and_none_in_a_scan() -> None:
    """Style 7: the tag is the source's verdict; what a scan's new subtag means, nobody knows yet."""
    point = {"checkpoint_time": "2026-04-25T09:30:00Z", "tag": "Delivered", "subtag": "Delivered_099"}
    told = ADAPTER.read(sliced(one(tag="Delivered", subtag="Delivered_099", checkpoints=[point])))
    assert (told.status, told.events[0].status, told.unmapped) == (
        TrackingStatus.DELIVERED,
        TrackingStatus.UNKNOWN,
        ("Delivered_099",),
    )


@pytest.mark.parametrize(("told", "country"), [("BRA", "BR"), ("br", "BR"), ("Brazil", None), (None, None), ("", None)])
def test_countries_come_in_three_letters(told: str | None, country: str | None) -> None:
    assert ADAPTER.read(sliced(one(destination_country_region=told))).destination_country == country


@pytest.mark.parametrize(
    ("mile", "linked"),
    [
        ({"tracking_number": "NX1", "slug": "correios"}, ("NX1", "correios")),
        ({"tracking_number": ONE}, (None, None)),
        (None, (None, None)),
    ],
)
def test_the_last_miles_number_is_followed(mile: dict[str, str] | None, linked: tuple[str | None, str | None]) -> None:
    told = ADAPTER.read(sliced(one(last_mile=mile)))
    assert (told.linked_number, told.linked_code) == linked


@pytest.mark.parametrize(
    ("body", "http", "expected"),
    [
        (b'{"meta":{"code":4999},"data":{}}', 200, ErrorKind.BAD_RESPONSE),
        (b'{"meta":{"code":4999},"data":{}}', 400, ErrorKind.INVALID_REQUEST),
        (b'{"meta":{"code":200},"data":{}}', 503, ErrorKind.UNAVAILABLE),
        (b'{"data":{}}', 200, ErrorKind.BAD_RESPONSE),
        (b"<html>busy</html>", 502, ErrorKind.UNAVAILABLE),
    ],
)
def test_a_failed_request_is_an_error_of_its_kind(body: bytes, http: int, expected: ErrorKind) -> None:
    with pytest.raises(CarrierError) as failed:
        ADAPTER.split(Response(status=http, body=body), [ONE])
    assert failed.value.kind is expected


@pytest.mark.parametrize("data", [b"[]", b"{}", b"null", b'{"trackings":[]}'])
def test_an_answer_without_trackings_is_an_error_for_whoever_was_asked_about(data: bytes) -> None:
    """Promise 2: missing is never "not found"."""
    told = ADAPTER.split(Response(status=200, body=b'{"meta":{"code":200},"data":%b}' % data), [ONE])
    assert kind(told[ONE]) is ErrorKind.BAD_RESPONSE


def pushed(at: datetime | None) -> bytes:
    stamp = {} if at is None else {"ts": int(at.timestamp())}
    return json.dumps({"event": "tracking_update", "msg": item(ONE, "Delivered"), **stamp}).encode()


@pytest.mark.parametrize("at", [NOW, NOW - timedelta(minutes=4), NOW + timedelta(minutes=4), None])
def test_a_signed_push_goes_through_the_same_door_as_an_answer(at: datetime | None) -> None:
    body = pushed(at)
    headers = {"aftership-hmac-sha256": hmac_base64(b"secret", body)}
    (push,) = ADAPTER.read_push(headers, body, "secret", NOW)
    assert (push.number, push.slice) == (ONE, sliced(one(tag="Delivered", subtag="Delivered_001")))


@pytest.mark.parametrize(
    ("body", "signature", "secret"),
    [
        (pushed(NOW), None, "secret"),
        (pushed(NOW), hmac_base64(b"other", pushed(NOW)), "secret"),
        (pushed(NOW), hmac_base64(b"secret", pushed(None)), "secret"),
        (pushed(NOW), hmac_hex(b"secret", pushed(NOW)), "secret"),
        (pushed(NOW), hmac_base64(b"", pushed(NOW)), ""),
        (pushed(NOW - timedelta(minutes=6)), hmac_base64(b"secret", pushed(NOW - timedelta(minutes=6))), "secret"),
    ],
    ids=["none", "another secret", "another body", "hex", "no secret kept", "replayed later"],
)
def test_a_forged_or_late_push_is_refused(body: bytes, signature: str | None, secret: str) -> None:
    """Faults 28: HMAC over the raw body, and five minutes around its own time."""
    headers = {} if signature is None else {"aftership-hmac-sha256": signature}
    with pytest.raises(CarrierError) as refused:
        ADAPTER.read_push(headers, body, secret, NOW)
    assert refused.value.kind is ErrorKind.AUTH
