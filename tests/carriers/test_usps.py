"""USPS: the token that is counted among sixty calls, and deliveries that are none (facts: USPS)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from carriers.base import Query, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingReason, TrackingStatus
from carriers.usps import Usps
from tests.carriers import cases
from tests.carriers.logins import NOW, Login, ask, epoch
from tests.carriers.loopback import Reply, http

ADAPTER = Usps()
ONE, TWO, THREE = ("9400100000000000000001", "9400100000000000000002", "9400100000000000000003")
QUERIES = [Query(number=ONE), Query(number=TWO), Query(number=THREE)]


def parcel(number: str, *events: dict[str, Any], category: str | None = "In Transit") -> bytes:
    return json.dumps({"trackingNumber": number, "statusCategory": category, "trackingEvents": list(events)}).encode()


def event(code: str | None, kind: str = "", day: int = 1, **more: Any) -> dict[str, Any]:
    return {"eventCode": code, "eventType": kind, "GMTTimestamp": f"2026-04-{day:02d}T15:00:31Z", **more}


def known(_: str, path: str, __: Mapping[str, str], ___: bytes) -> Reply:
    return http(200, parcel(path.rpartition("/")[2].partition("?")[0], event("A1")))


def read(*events: dict[str, Any], category: str | None = "In Transit") -> Tracking:
    cut = ADAPTER.split(Response(status=200, body=parcel(ONE, *events, category=category)), [ONE])[ONE]
    assert isinstance(cut, bytes)
    return ADAPTER.read(cut)


def refuse(status: int, code: str, parameter: str | None = None) -> CarrierError:
    told = {"source": {"parameter": parameter}} if parameter else {}
    body = {"apiVersion": "/tracking/v3", "error": {"code": code, "message": "An invented sentence", "errors": [told]}}
    with pytest.raises(CarrierError) as refused:
        ADAPTER.split(Response(status=status, body=json.dumps(body).encode(), headers={"retry-after": "3600"}), [ONE])
    return refused.value


async def test_one_token_serves_a_conversation_and_the_next_one() -> None:
    """Sixty calls an hour include the token: it is kept in the account's memory until shortly before its end."""
    source = Login("/oauth2/v3/token", known)
    batch = await ask(ADAPTER, source, QUERIES)
    assert [path for _, path, _, _ in source.calls] == [f"/tracking/v3/tracking/{each.number}?expand=DETAIL" for each in QUERIES]
    assert json.loads(source.logins[0][1]) == {
        "grant_type": "client_credentials",
        "client_id": "the client_id",
        "client_secret": "the client_secret",
    }
    assert batch.memory.account == {"token": "token-1", "expires_at": "2026-05-02T15:59:59+00:00"}
    again = await ask(ADAPTER, source, QUERIES[:1], batch.memory.account, NOW + timedelta(hours=3))
    assert (again.memory.account, source.tokens) == ({}, 1)
    await ask(ADAPTER, source, QUERIES[:1], batch.memory.account, NOW + timedelta(hours=3, minutes=58))
    assert source.tokens == 2


async def test_a_revoked_token_is_fetched_again_once() -> None:
    source = Login("/oauth2/v3/token", known)
    kept = {"token": "revoked", "expires_at": (NOW + timedelta(hours=5)).isoformat()}
    batch = await ask(ADAPTER, source, QUERIES[:1], kept)
    assert (isinstance(batch.answers[ONE], bytes), batch.memory.account["token"], source.tokens) == (True, "token-1", 1)


async def test_an_unknown_client_is_a_matter_of_the_account() -> None:
    source = Login("/oauth2/v3/token", known)
    source.token_reply = http(400, b'{"error":"invalid_client"}')
    with pytest.raises(CarrierError) as refused:
        await ask(ADAPTER, source, QUERIES)
    assert (refused.value.kind, source.calls) == (ErrorKind.AUTH, [])


async def test_the_path_is_an_option() -> None:
    """Tracking 3.0 ends: 3.2 must not need a new release."""
    source = Login("/oauth2/v3/token", known)
    await ask(ADAPTER, source, QUERIES[:1], options={"path": "/tracking/v3r2/tracking/{n}?expand=DETAIL"})
    assert source.calls[0][1] == f"/tracking/v3r2/tracking/{ONE}?expand=DETAIL"


async def test_too_many_calls_end_the_conversation_and_keep_what_was_learnt() -> None:
    def slow_down(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        return http(429, b"{}", Retry_After="1800") if TWO in path else known(method, path, headers, body)

    source = Login("/oauth2/v3/token", slow_down)
    batch = await ask(ADAPTER, source, QUERIES)
    assert isinstance(batch.answers[ONE], bytes)
    for number in (TWO, THREE):
        error = batch.answers[number]
        assert isinstance(error, CarrierError)
        assert (error.kind, error.retry_after) == (ErrorKind.RATE_LIMITED, 1800)
    assert batch.memory.account["token"] == "token-1"


async def test_one_number_that_is_not_known_stops_no_other() -> None:
    def partly(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        absent = json.dumps({"error": {"code": "404", "message": "Tracking is not available for this item."}}).encode()
        return http(404, absent) if TWO in path else known(method, path, headers, body)

    batch = await ask(ADAPTER, Login("/oauth2/v3/token", partly), QUERIES)
    told = {number: ADAPTER.read(cut) for number, cut in batch.answers.items() if isinstance(cut, bytes)}
    assert [told[number].status.value for number in (ONE, TWO, THREE)] == ["in_transit", "not_found", "in_transit"]
    assert told[TWO].number == TWO


@pytest.mark.parametrize(
    ("status", "code", "parameter", "kind"),
    [
        (400, "400", "trackingNumber", ErrorKind.INVALID_NUMBER),
        (400, "400", "expand", ErrorKind.INVALID_REQUEST),
        (400, "400", None, ErrorKind.INVALID_REQUEST),
        (400, "words", "trackingNumber", ErrorKind.BAD_RESPONSE),
        (401, "401", None, ErrorKind.AUTH),
        (403, "403", "trackingNumber", ErrorKind.AUTH),
        (429, "429", None, ErrorKind.RATE_LIMITED),
        (503, "503", None, ErrorKind.UNAVAILABLE),
    ],
)
def test_a_refusal_is_told_by_its_status_and_a_400_by_what_it_is_about(
    status: int, code: str, parameter: str | None, kind: ErrorKind
) -> None:
    error = refuse(status, code, parameter)
    assert error.kind is kind
    assert error.retry_after == (3600 if status in {401, 403, 429, 503} else None)


@pytest.mark.parametrize(
    "body",
    [
        b'{"fault":"no route"}',
        b'{"apiVersion":"/tracking/v3","error":{"code":"404","message":"Resource not found","errors":[]}}',
        b'{"apiVersion":"/tracking/v3","error":{"code":"404","message":"This version of Tracking was retired"}}',
    ],
)
def test_a_404_of_the_gateway_is_not_the_sources_not_found(body: bytes) -> None:
    """R8: a path that is gone must not make a parcel untrackable, not even in the source's own words: 3.0 will end."""
    with pytest.raises(CarrierError) as refused:
        ADAPTER.split(Response(status=404, body=body), [ONE])
    assert refused.value.kind is ErrorKind.UNAVAILABLE


@pytest.mark.parametrize(
    "error",
    [
        {"message": "Tracking is not available for this item. This may have many reasons."},
        {"message": "Not Found", "errors": [{"title": "Unknown tracking number"}]},
        {"message": "Not Found", "errors": [{"source": {"parameter": "trackingNumber"}}]},
    ],
)
def test_a_404_about_the_number_is_not_found(error: dict[str, Any]) -> None:
    cut = ADAPTER.split(Response(status=404, body=json.dumps({"error": {"code": "404", **error}}).encode()), [ONE])[ONE]
    assert isinstance(cut, bytes)
    assert (ADAPTER.read(cut).status, ADAPTER.read(cut).number) == (TrackingStatus.NOT_FOUND, ONE)


def test_a_time_called_gmt_needs_no_zone() -> None:
    told = read(event("A1", GMTTimestamp="2026-04-01T15:00:31"))
    assert told.events[0].time == epoch("2026-04-01T15:00:31")


@pytest.mark.parametrize(
    ("category", "kind", "status"),
    [
        ("Delivered", "Delivered, In/At Mailbox", TrackingStatus.DELIVERED),
        (None, "Delivered, In/At Mailbox", TrackingStatus.DELIVERED),
        ("Delivered to Agent", "Delivered, Front Desk/Reception", TrackingStatus.IN_TRANSIT),
        ("Delivered", "Delivered, To Agent", TrackingStatus.IN_TRANSIT),
        ("Delivered", "DELIVERED, TO ORIGINAL SENDER", TrackingStatus.RETURNED),
    ],
)
def test_delivered_to_an_agent_or_the_sender_is_not_delivered(category: str | None, kind: str, status: TrackingStatus) -> None:
    """Rules across carriers 6: one code, 01, for all of them; the event says it, too."""
    told = read(event("01", kind, 3), event("OF", "Out for Delivery", 2), category=category)
    assert (told.status, told.events[-1].status, told.raw_status) == (status, status, category)


def test_what_is_delivered_after_a_return_began_is_with_the_sender() -> None:
    told = read(event("01", "Delivered, In/At Mailbox", 9), event("09", "Return to Sender", 5), category="Delivered")
    assert told.status is TrackingStatus.RETURNED


def test_a_contradiction_between_category_and_newest_event_is_told() -> None:
    told = read(event("OF", "Out for Delivery", 5), category="Alert")
    assert (told.status, told.notes) == (TrackingStatus.OUT_FOR_DELIVERY, ("the status says Alert, the newest event OF",))


def test_the_category_stands_where_no_event_tells_a_status() -> None:
    told = read(event(None, "Something", 5), category="Available for Pickup")
    assert (told.status, told.unmapped) == (TrackingStatus.AVAILABLE_FOR_PICKUP, ())


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("Customs Clearance", TrackingReason.CUSTOMS_HOLD), ("Processed Through Customs", None), ("Inbound Out of Customs", None)],
)
def test_a_release_by_customs_means_moving_again(kind: str, reason: TrackingReason | None) -> None:
    told = read(event("XX", kind))
    assert (told.status, told.reason) == (TrackingStatus.IN_TRANSIT, reason)


@pytest.mark.parametrize(
    ("times", "time", "local", "offset"),
    [
        ({"eventTimestamp": "2026-04-01T10:00:00", "GMTOffset": "-05:00"}, "2026-04-01T15:00:31", "2026-04-01T10:00:00", -300),
        ({"eventTimestamp": "2026-04-01T10:00:00"}, "2026-04-01T15:00:31", "2026-04-01T10:00:00", None),
        ({}, "2026-04-01T15:00:31", "2026-04-01T15:00:31", 0),
        (
            {"eventTimestamp": "2026-04-01T10:00:00", "GMTOffset": "-05:00", "GMTTimestamp": None},
            "2026-04-01T15:00:00",
            "2026-04-01T10:00:00",
            -300,
        ),
        ({"eventTimestamp": "2026-04-01T10:00:00", "GMTTimestamp": None}, None, "2026-04-01T10:00:00", None),
        (
            {"eventTimestamp": "2026-04-01T10:00:00", "GMTOffset": "EST", "GMTTimestamp": None},
            None,
            "2026-04-01T10:00:00",
            None,
        ),
    ],
)
def test_the_gmt_time_is_the_instant_and_without_it_nothing_is_guessed(
    times: dict[str, Any], time: str | None, local: str, offset: int | None
) -> None:
    (told,) = read(event("A1", **times)).events
    assert (told.local_time, told.offset) == (local, offset)
    assert (told.time is None) == (time is None)
    assert time is None or told.time == epoch(time)


def test_names_of_receivers_are_not_kept() -> None:
    """Rules across carriers 14."""
    (sample,) = (s for s in cases.own("usps") if s.case == "delivered")
    assert b"J SAMPLE" in sample.response.body
    for cut in ADAPTER.split(sample.response, ()).values():
        assert isinstance(cut, bytes)
        assert b"SAMPLE" not in cut


@pytest.mark.parametrize(("status", "kept"), [(429, True), (503, True), (403, False)])
async def test_a_token_is_not_lost_with_the_call_behind_it(status: int, *, kept: bool) -> None:
    """Sixty calls an hour include the token: who is refused for asking too often must not log in again each time."""
    source = Login("/oauth2/v3/token", lambda *_: http(status, b"{}"))
    if not kept:
        with pytest.raises(CarrierError):
            await ask(ADAPTER, source, QUERIES)
        return
    batch = await ask(ADAPTER, source, QUERIES)
    assert batch.memory.account["token"] == "token-1"
    assert [isinstance(answer, CarrierError) for answer in batch.answers.values()] == [True] * 3
    with pytest.raises(CarrierError):
        await ask(ADAPTER, source, QUERIES, batch.memory.account)
    assert source.tokens == 1
