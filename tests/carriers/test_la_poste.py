"""La Poste: one call for a list, an object for one, and what its answers say (facts: carriers, 20)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from carriers.base import Account, Batch, Memory, Query, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.http import HttpTransport
from carriers.la_poste import LaPoste
from carriers.model import Tracking, TrackingStatus
from tests.carriers.loopback import Reply, converse, http, serving

NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
ADAPTER = LaPoste()
ONE, TWO = "EW000008011FR", "EW000008025FR"


def shipment(number: str | None, *codes: str, **more: Any) -> dict[str, Any]:
    events = [{"code": code, "label": code, "date": f"2026-04-{20 - at:02d}T10:00:00+02:00"} for at, code in enumerate(codes)]
    return {"returnCode": 200, "shipment": {"idShip": number, "event": events, **more}}


def split(body: Any, *asked: str, status: int = 200) -> dict[str, bytes | CarrierError]:
    return ADAPTER.split(Response(status=status, body=json.dumps(body).encode()), asked)


def read(body: Any, number: str = ONE, **more: Any) -> Tracking:
    cut = split(body, number, **more)[number]
    assert isinstance(cut, bytes), cut
    return ADAPTER.read(cut)


async def ask(reply: bytes, *numbers: str, **options: str) -> tuple[Batch, list[tuple[str, str]]]:
    seen: list[tuple[str, str]] = []

    def source(_: str, path: str, headers: Mapping[str, str], __: bytes) -> Reply:
        seen.append((path, headers["x-okapi-key"]))
        return reply

    async with serving(source) as base:
        transport = HttpTransport(account_id="fr")
        account = Account(id="fr", base_url=base + "/", secrets={"api_key": "key"}, options=options)
        try:
            queries = [Query(number=number) for number in numbers]
            return await converse(ADAPTER, queries, account, Memory(), NOW, transport), seen
        finally:
            await transport.close()


async def test_a_list_is_asked_in_one_call_and_answered_by_an_array() -> None:
    reply = http(207, json.dumps([shipment(TWO, "DI1"), shipment(ONE, "ET1")]).encode())
    batch, seen = await ask(reply, ONE, TWO, ONE)
    assert seen == [(f"/idships/{ONE},{TWO}?lang=en_GB", "key")]
    assert [ADAPTER.read(cut).status.value for cut in batch.answers.values() if isinstance(cut, bytes)] == [
        "in_transit",
        "delivered",
    ]


async def test_a_list_that_is_refused_as_a_whole_is_asked_one_by_one() -> None:
    """One number of a wrong form hides no others, and none of them is called wrong for it."""
    seen: list[str] = []

    def source(_: str, path: str, __: Mapping[str, str], ___: bytes) -> Reply:
        number = path.rpartition("/")[2].partition("?")[0]
        seen.append(number)
        sound = json.dumps(shipment(ONE, "ET1")).encode()
        return http(200, sound) if number == ONE else http(400, b'{"returnCode":400,"returnMessage":"wrong"}')

    async with serving(source) as base:
        transport = HttpTransport(account_id="fr")
        account = Account(id="fr", base_url=base, secrets={"api_key": "key"})
        batch = await converse(ADAPTER, [Query(number="77"), Query(number=ONE)], account, Memory(), NOW, transport)
        await transport.close()
    assert seen == [f"77,{ONE}", "77", ONE]
    wrong = batch.answers["77"]
    assert isinstance(wrong, CarrierError)
    assert wrong.kind is ErrorKind.INVALID_NUMBER
    assert isinstance(batch.answers[ONE], bytes)
    alone, asked = await ask(http(400, b'{"returnCode":400,"returnMessage":"wrong"}'), "77")
    assert (isinstance(alone.answers["77"], CarrierError), len(asked)) == (True, 1)
    with pytest.raises(CarrierError) as failed:
        await ask(http(401, b'{"returnCode":401}'), "77", ONE)
    assert failed.value.kind is ErrorKind.AUTH


async def test_one_number_is_answered_by_an_object_in_the_language_asked_for() -> None:
    batch, seen = await ask(http(200, json.dumps(shipment("A/B", "ET1")).encode()), "A/B", language="fr_FR")
    assert seen == [("/idships/A%2FB?lang=fr_FR", "key")]
    assert isinstance(batch.answers["A/B"], bytes)


def test_a_not_found_that_names_no_number_is_that_of_the_one_asked_for() -> None:
    """Facts 20: 404 with its own shape is a status; any other 404 says nothing about the parcel."""
    told = read({"returnCode": 404}, status=404)
    assert (told.number, told.status) == (ONE, TrackingStatus.NOT_FOUND)
    assert read({"returnCode": 404}).status is TrackingStatus.NOT_FOUND
    for body in ({}, {"message": "no route"}):
        with pytest.raises(CarrierError) as failed:
            split(body, ONE, status=404)
        assert failed.value.kind is ErrorKind.UNAVAILABLE
    several = split({"returnCode": 404}, ONE, TWO, status=404)
    assert all(isinstance(cut, CarrierError) and cut.kind is ErrorKind.BAD_RESPONSE for cut in several.values())


def test_an_array_of_numbers_that_are_not_found_may_come_with_404() -> None:
    told = split([{"returnCode": 404, "idShip": ONE}, {"returnCode": 404, "idShip": TWO}], TWO, ONE, status=404)
    assert all(isinstance(cut, bytes) for cut in told.values())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"returnCode": 500, "idShip": ONE}, ErrorKind.UNAVAILABLE),
        ({"returnCode": 400, "idShip": ONE}, ErrorKind.INVALID_NUMBER),
        ({"returnCode": 200, "idShip": ONE}, ErrorKind.BAD_RESPONSE),
        ({"returnCode": 200, "idShip": ONE, "shipment": {"event": 7}}, ErrorKind.BAD_RESPONSE),
    ],
)
def test_one_item_of_an_array_fails_alone(answer: dict[str, Any], kind: ErrorKind) -> None:
    told = split([answer, shipment(TWO, "DI1"), {"returnCode": "x"}], ONE, TWO, status=207)
    assert isinstance(told[TWO], bytes)
    failed = told[ONE]
    assert isinstance(failed, CarrierError)
    assert failed.kind is kind


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"returnCode": 500, "idShip": ONE}, 200, ErrorKind.UNAVAILABLE),
        ({"returnCode": 401}, 200, ErrorKind.AUTH),
        ({"returnCode": 429, "returnMessage": "slow down"}, 429, ErrorKind.RATE_LIMITED),
        ({"returnCode": 400}, 400, ErrorKind.INVALID_NUMBER),
        ({"returnCode": 200}, 200, ErrorKind.BAD_RESPONSE),
    ],
)
def test_what_an_object_says_without_a_number_is_said_of_the_request(body: dict[str, Any], status: int, kind: ErrorKind) -> None:
    with pytest.raises(CarrierError) as failed:
        split(body, ONE, TWO, status=status)
    assert failed.value.kind is kind


@pytest.mark.parametrize(
    ("codes", "status", "reason"),
    [
        (("DI2", "DI1"), "returned", None),
        (("RE1", "DI1"), "exception", "returning"),
        (("DI1", "ET1", "RE1"), "returned", None),
        (("PB2", "PB1"), "in_transit", None),
        (("PB1",), "exception", None),
        (("ND1",), "failed_attempt", None),
        (("DO2", "DO3"), "in_transit", None),
        (("XX1", "DI1"), "unknown", None),
        (("",), "unknown", None),
    ],
)
def test_the_newest_event_says_where_a_parcel_stands(codes: tuple[str, ...], status: str, reason: str | None) -> None:
    """Rules across carriers 6, 8, 9; DI2 is handed to the sender, not to the buyer."""
    told = read(shipment(ONE, *codes))
    assert (told.status, told.reason, told.unmapped) == (status, reason, ("XX1",) if "XX1" in codes else ())


def test_of_events_at_the_same_instant_the_first_one_is_the_newest() -> None:
    """They come newest first: a return in the minute of the scan before it is no delivery."""
    events = [{"code": code, "label": None, "date": "2026-04-20T10:00:00+02:00"} for code in ("RE1", "DI1")]
    told = read({"returnCode": 200, "shipment": {"idShip": ONE, "event": events}})
    assert (told.status, told.reason) == ("exception", "returning")


def test_a_field_without_a_value_takes_no_answer_away() -> None:
    """Rules across carriers 13: a label that is null is no broken answer."""
    assert read({"returnCode": 200, "shipment": {"idShip": ONE, "event": None}}).status is TrackingStatus.UNKNOWN
    nothing = [{"code": None, "label": None, "date": None}]
    told = read({"returnCode": 200, "shipment": {"idShip": ONE, "event": nothing}})
    assert (told.status, told.unmapped, len(told.events)) == (TrackingStatus.UNKNOWN, (), 1)


def test_a_shipment_without_its_number_is_that_of_the_answer() -> None:
    assert read(shipment(None, "ET1") | {"idShip": ONE}).number == ONE
    assert read(shipment(None, "ET1")).number == ONE


@pytest.mark.parametrize(
    ("partner", "linked"),
    [
        ({"name": "x", "network": "correios", "reference": TWO}, (TWO, "correios")),
        ({"network": "correios"}, (None, None)),
        ({"network": "laposte", "reference": ONE}, (None, None)),
        (None, (None, None)),
    ],
)
def test_the_last_mile_has_a_number_of_its_own(partner: dict[str, str] | None, linked: tuple[str | None, str | None]) -> None:
    """Rules across carriers 11."""
    told = read(shipment(ONE, "ET3", contextData={"arrivalCountry": "BR", "partner": partner}))
    assert (told.linked_number, told.linked_code, told.destination_country) == (*linked, "BR")
