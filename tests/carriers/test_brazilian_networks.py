"""Anjun and Shopee Xpress: what is peculiar to two networks of Brazil, known from samples only (facts: others)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from carriers import registry
from carriers.base import Account, Batch, Memory, Query, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.http import HttpTransport
from carriers.model import Tracking, TrackingStatus
from tests.carriers import cases
from tests.carriers.loopback import Reply, converse, http, serving

NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
ONE, TWO = "BR260400000101A", "BR260400000102B"


def read(name: str, body: dict[str, Any], asked: str = ONE) -> Tracking:
    adapter = registry.get(name)
    cut = adapter.split(Response(status=200, body=json.dumps(body).encode()), [asked])[asked]
    assert isinstance(cut, bytes)
    return adapter.read(cut)


def shopee(*records: dict[str, Any], number: str | None = ONE, own: str | None = None) -> dict[str, Any]:
    order = {"order_info": {"spx_tn": own}} if own else {}
    return {"retcode": 0, "data": {"sls_tracking_info": {"sls_tn": number, "records": list(records)}, **order}}


async def ask(name: str, replies: Mapping[str, bytes], account: Account) -> tuple[Batch, list[str]]:
    """Asks about all numbers of `replies`; each call is answered by the number in its URL."""
    calls: list[str] = []

    def source(_: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        calls.append(f"{path} {headers.get('authorization', '')}".strip())
        return http(200, next(reply for number, reply in replies.items() if number in path))

    async with serving(source) as base:
        transport = HttpTransport(account_id=name)
        where = Account(id=account.id, base_url=base, secrets=account.secrets, options=account.options)
        try:
            queries = [Query(number=number) for number in replies]
            return await converse(registry.get(name), queries, where, Memory(), NOW, transport), calls
        finally:
            await transport.close()


@pytest.mark.parametrize("name", ["anjun", "shopee_xpress"])
def test_who_took_the_parcel_is_not_kept(name: str) -> None:
    """Rules across carriers 14: a name in a field, in a text, an address: none of them passes into a slice."""
    (sample,) = (s for s in cases.own(name) if s.case == "answer")
    assert b"Fulana" in sample.response.body
    (cut,) = registry.get(name).split(sample.response, ()).values()
    assert isinstance(cut, bytes)
    for word in (b"Fulana", b"Porteiro", b"Rua Exemplo"):
        assert word not in cut


async def test_anjun_is_asked_one_number_a_call() -> None:
    replies = {ONE: json.dumps({"trackNo": ONE}).encode(), TWO: b"<html>"}
    batch, calls = await ask("anjun", replies, Account(id="aj", base_url="", secrets={"api_key": "K1"}))
    assert calls == [f"/api/tracking/{ONE} K1", f"/api/tracking/{TWO} K1"]
    assert isinstance(batch.answers[ONE], bytes)
    second = batch.answers[TWO]
    assert isinstance(second, CarrierError)
    assert second.kind is ErrorKind.BAD_RESPONSE


@pytest.mark.parametrize(
    ("wall", "local", "offset"),
    [
        ("10-12-2018 09:22:13", "2018-12-10T09:22:13", -120),
        ("10-12-2026 09:22:13", "2026-12-10T09:22:13", -180),
        ("10-12-2026", "2026-12-10T00:00:00", None),
        ("soon", None, None),
        (None, None, None),
    ],
)
def test_anjuns_wall_clocks_are_brasilias_day_first(wall: str | None, local: str | None, offset: int | None) -> None:
    """Facts, times: dd-MM-yyyy, Brasilia local."""
    (event,) = read("anjun", {"trackNo": ONE, "nodeDataList": [{"statusCode": "delivering", "dateTime": wall}]}).events
    assert (event.local_time, event.offset, event.time is None) == (local, offset, offset is None)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("delivery_site_in_storage", TrackingStatus.IN_TRANSIT),
        ("transfer_air_storage", TrackingStatus.IN_TRANSIT),
        ("signed_by_neighbour", TrackingStatus.UNKNOWN),
        ("", TrackingStatus.UNKNOWN),
    ],
)
def test_anjuns_unknown_code_means_what_its_family_means_never_a_delivery(code: str, status: TrackingStatus) -> None:
    """Rules across carriers 8."""
    told = read("anjun", {"trackNo": ONE, "nodeDataList": [{"statusCode": code, "dateTime": "10-04-2026 09:00:00"}]})
    assert told.status is status


async def test_shopee_is_asked_only_where_the_account_agrees_one_number_a_call() -> None:
    replies = {ONE: json.dumps(shopee()).encode(), TWO: b'{"retcode":2,"message":"internal error"}'}
    with pytest.raises(CarrierError, match="public_page = true"):
        await ask("shopee_xpress", replies, Account(id="spx", base_url=""))
    batch, calls = await ask("shopee_xpress", replies, Account(id="spx", base_url="", options={"public_page": True}))
    path = "/shipment/order/open/order/get_order_info"
    assert calls == [f"{path}?spx_tn={number}&language_code=br" for number in (ONE, TWO)]
    assert isinstance(batch.answers[ONE], bytes)


async def test_retcode_2_is_never_not_found_and_leaves_nobody_unasked() -> None:
    """Promise 2: an unknown number and a broken backend look the same; two fresh labels must not hide a parcel behind them."""
    body = b'{"retcode":2,"message":"internal error"}'
    three = "BR260400000103C"
    replies = {ONE: body, TWO: body, three: json.dumps(shopee(number=three)).encode()}
    batch, calls = await ask("shopee_xpress", replies, Account(id="spx", base_url="", options={"public_page": True}))
    assert len(calls) == 3
    assert isinstance(batch.answers[three], bytes)
    for number in (ONE, TWO):
        error = batch.answers[number]
        assert isinstance(error, CarrierError)
        assert (error.kind, error.code) == (ErrorKind.UNAVAILABLE, "2")


@pytest.mark.parametrize(
    ("body", "code"), [(b'{"retcode":7}', "7"), (b"{}", None), (b'{"retcode":0}', None), (b'{"retcode":0,"data":{}}', None)]
)
def test_any_other_failure_of_shopee_is_no_answer(body: bytes, code: str | None) -> None:
    with pytest.raises(CarrierError) as failed:
        registry.get("shopee_xpress").split(Response(status=200, body=body), [ONE])
    assert (failed.value.kind, failed.value.code) == (ErrorKind.BAD_RESPONSE, code)


@pytest.mark.parametrize("asked", [ONE, TWO])
def test_shopees_parcel_answers_to_both_its_numbers(asked: str) -> None:
    assert read("shopee_xpress", shopee(own=TWO), asked).number == TWO


def test_a_parcel_of_shopee_without_a_number_is_nobodys() -> None:
    body = json.dumps(shopee(number=None)).encode()
    cut = registry.get("shopee_xpress").split(Response(status=200, body=body), [ONE])[ONE]
    assert isinstance(cut, CarrierError)


def test_shopees_codes_repeat_and_each_scan_stays() -> None:
    """R11: the same code at another time is another scan; the very same scan twice is one."""
    scans: list[dict[str, Any]] = [
        {
            "tracking_code": "F540",
            "actual_time": 1777300000,
            "tracking_name": "Left",
            "current_location": {"location_name": "Contagem - MG"},
        },
        {"tracking_code": "F540", "actual_time": 1777200000, "milestone_name": "In transit"},
        {"tracking_code": "F540", "actual_time": 1777200000, "milestone_name": "In transit"},
        {"tracking_code": "F000", "actual_time": None},
    ]
    told = read("shopee_xpress", shopee(*scans))
    assert [(event.time, event.description, event.location) for event in told.events if event.time] == [
        (1777200000, "In transit", ""),
        (1777300000, "Left", "Contagem - MG"),
    ]
    assert told.status is TrackingStatus.IN_TRANSIT


@pytest.mark.parametrize(
    ("code", "milestone", "status"),
    [
        ("F111", 1, TrackingStatus.INFO_RECEIVED),
        ("F111", 5, TrackingStatus.IN_TRANSIT),
        ("F111", 6, TrackingStatus.OUT_FOR_DELIVERY),
        ("F111", 8, TrackingStatus.UNKNOWN),
        ("F111", 7, TrackingStatus.UNKNOWN),
        ("F111", None, TrackingStatus.UNKNOWN),
    ],
)
def test_shopees_unknown_code_means_what_its_milestone_means_never_a_delivery(
    code: str, milestone: int | None, status: TrackingStatus
) -> None:
    """Rules across carriers 8."""
    told = read("shopee_xpress", shopee({"tracking_code": code, "actual_time": 1777200000, "milestone_code": milestone}))
    assert (told.status, told.unmapped) == (status, (code,))


@pytest.mark.parametrize("code", ["signed", "signed_by_neighbour", "sign_for_other"])
def test_no_text_of_a_signature_of_anjun_is_kept(code: str) -> None:
    """Rules across carriers 14: a code that nobody knows yet names people as well."""
    scan = {"statusCode": code, "dateTime": "10-04-2026 09:00:00", "status": "O pacote foi assinado para Fulana"}
    scan["address"] = "Rua Exemplo 5, Campinas / SP"
    (event,) = read("anjun", {"trackNo": ONE, "nodeDataList": [scan]}).events
    assert (event.description, event.location) == ("", "Campinas / SP")
