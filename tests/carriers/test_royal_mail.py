"""Royal Mail: the events of one number, the summary of several, and its refusals (facts: carriers, 19)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from carriers.base import Account, Batch, Memory, Query, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.http import HttpTransport
from carriers.model import Tracking, TrackingStatus
from carriers.royal_mail import RoyalMail
from tests.carriers import cases
from tests.carriers.loopback import Reply, converse, http, serving

NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
ADAPTER = RoyalMail()
ONE, TWO = "RM000009011GB", "RM000009025GB"
NOT_KNOWN = {"errorCode": "E1142", "errorDescription": "Barcode reference isn't recognised"}


def piece(number: str, code: str = "EVKSP", **summary: str) -> dict[str, Any]:
    told = {"lastEventCode": code, "lastEventDateTime": "2026-04-04T10:04:00+01:00", "lastEventName": code, **summary}
    return {"mailPieceId": number, "summary": told}


def split(body: Any, *asked: str, status: int = 200) -> dict[str, bytes | CarrierError]:
    return ADAPTER.split(Response(status=status, body=json.dumps(body).encode()), asked)


def read(piece: dict[str, Any], number: str = ONE) -> Tracking:
    cut = split({"mailPieces": piece}, number)[number]
    assert isinstance(cut, bytes), cut
    return ADAPTER.read(cut)


async def ask(replies: Mapping[str, bytes], *numbers: str, **options: Any) -> tuple[Batch, list[str]]:
    seen: list[str] = []

    def source(_: str, path: str, headers: Mapping[str, str], __: bytes) -> Reply:
        told = [headers[name] for name in ("x-ibm-client-id", "x-ibm-client-secret", "x-accept-rmg-terms", "accept")]
        assert told == ["id", "secret", "yes", "application/json"]
        seen.append(path)
        return replies[path]

    async with serving(source) as base:
        transport = HttpTransport(account_id="gb")
        account = Account(id="gb", base_url=base, secrets={"client_id": "id", "client_secret": "secret"}, options=options)
        try:
            queries = [Query(number=number) for number in numbers]
            return await converse(ADAPTER, queries, account, Memory(), NOW, transport), seen
        finally:
            await transport.close()


async def test_each_number_is_asked_for_all_its_events() -> None:
    replies = {
        f"/{ONE}/events": http(200, json.dumps({"mailPieces": piece(ONE)}).encode()),
        "/A%2FB/events": http(404, json.dumps({"httpCode": "404", "errors": [NOT_KNOWN]}).encode()),
    }
    batch, seen = await ask(replies, ONE, "A/B")
    assert seen == list(replies)
    told = [ADAPTER.read(cut) for cut in batch.answers.values() if isinstance(cut, bytes)]
    assert [(each.number, each.status.value) for each in told] == [(ONE, "delivered"), ("A/B", "not_found")]


async def test_an_account_that_is_refused_is_not_asked_for_number_after_number() -> None:
    reply = http(401, b'{"httpCode":"401","httpMessage":"Unauthorized"}')
    with pytest.raises(CarrierError, match="Unauthorized") as failed:
        await ask({f"/{ONE}/events": reply}, ONE, TWO)
    assert failed.value.kind is ErrorKind.AUTH


async def test_a_summary_asks_for_all_numbers_at_once() -> None:
    path = f"/summary?mailPieceId={ONE},{TWO}"
    reply = http(200, json.dumps({"mailPieces": [piece(TWO, "EVODO"), piece(ONE)]}).encode())
    batch, seen = await ask({path: reply}, ONE, TWO, ONE, summary=True)
    assert seen == [path]
    assert [ADAPTER.read(cut).status.value for cut in batch.answers.values() if isinstance(cut, bytes)] == [
        "delivered",
        "in_transit",
    ]


def test_a_piece_may_be_asked_for_by_the_barcode_on_it() -> None:
    told = split({"mailPieces": [piece("090367574000000FE1E1B", oneDBarcode=ONE)]}, ONE)
    cut = told[ONE]
    assert isinstance(cut, bytes)
    assert ADAPTER.read(cut).number == ONE
    assert list(split({"mailPieces": piece("090367574000000FE1E1B", oneDBarcode=ONE)})) == ["090367574000000FE1E1B"]


def test_a_barcode_that_is_not_known_is_a_status_where_it_is_clear_which_one_is_meant() -> None:
    """E1142 beside a list names no number: nobody learns anything from it, nor from a server that is down (promise 2)."""
    for status in (401, 429, 500):
        with pytest.raises(CarrierError):
            split({"errors": [NOT_KNOWN]}, ONE, status=status)
    with pytest.raises(CarrierError) as failed:
        split({"httpCode": "404", "errors": [NOT_KNOWN]}, ONE, TWO, status=404)
    assert failed.value.kind is ErrorKind.UNAVAILABLE
    told = split({"mailPieces": [{"mailPieceId": ONE, "error": NOT_KNOWN}, piece(TWO)]}, ONE, TWO)
    assert [ADAPTER.read(cut).status.value for cut in told.values() if isinstance(cut, bytes)] == ["not_found", "delivered"]


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        ({"mailPieceId": ONE, "status": 500, "error": {"errorCode": "E0009"}}, ErrorKind.UNAVAILABLE),
        ({"mailPieceId": ONE, "status": "9" * 5000, "error": {"errorCode": "E9999"}}, ErrorKind.BAD_RESPONSE),
        ({"mailPieceId": ONE, "events": 7}, ErrorKind.BAD_RESPONSE),
        ({"mailPieceId": 7}, ErrorKind.BAD_RESPONSE),
    ],
)
def test_one_piece_of_a_list_fails_alone(item: dict[str, Any], kind: ErrorKind) -> None:
    told = split({"mailPieces": [item, piece(TWO)]}, ONE, TWO)
    assert isinstance(told[TWO], bytes)
    failed = told[ONE]
    assert isinstance(failed, CarrierError)
    assert failed.kind is kind


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        ({"httpCode": 503}, ErrorKind.UNAVAILABLE, "503"),
        ({"httpCode": "soon", "httpMessage": "?"}, ErrorKind.BAD_RESPONSE, "soon"),
        ({"errors": [{"errorCode": "E0004"}]}, ErrorKind.BAD_RESPONSE, None),
        ({"errors": []}, ErrorKind.BAD_RESPONSE, None),
    ],
)
def test_an_error_inside_200_is_an_error(body: dict[str, Any], kind: ErrorKind, code: str | None) -> None:
    """Rules across carriers 2."""
    with pytest.raises(CarrierError) as failed:
        split(body, ONE)
    assert (failed.value.kind, failed.value.code) == (kind, code)


def test_a_single_piece_without_a_number_is_that_of_the_one_asked_for() -> None:
    assert isinstance(split({"mailPieces": piece("")}, ONE)[ONE], bytes)
    drifted = split({"mailPieces": {"mailPieceId": 7}}, ONE)[ONE]
    assert isinstance(drifted, CarrierError)


@pytest.mark.parametrize(("written", "country"), [("BRA", "BR"), ("GBR", "GB"), ("SUN", None), ("", None)])
def test_countries_come_in_three_letters(written: str, country: str | None) -> None:
    assert read(piece(ONE, destinationCountryCode=written)).destination_country == country


def test_an_event_without_a_code_or_a_time_decides_nothing() -> None:
    """Promise 2."""
    told = read(
        {"mailPieceId": ONE, "events": [{"eventName": "?", "eventDateTime": "soon", "eventCode": None, "locationName": None}]}
    )
    assert (told.status, told.raw_status, told.unmapped) == (TrackingStatus.UNKNOWN, None, ())


def test_the_name_under_a_signature_is_not_kept() -> None:
    """Rules across carriers 14."""
    (sample,) = (s for s in cases.own("royal_mail") if s.case == "delivered")
    assert b"recipientName" in sample.response.body
    (cut,) = ADAPTER.split(sample.response, ()).values()
    assert isinstance(cut, bytes)
    assert b"Sample" not in cut
