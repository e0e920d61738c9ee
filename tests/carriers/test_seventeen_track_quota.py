"""What 17TRACK costs: what is left of an account, the day's limit, and what a registration asks for (facts: 17TRACK)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from carriers.base import Account, Batch, Memory, Metered, Query, Quota, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.seventeen_track import SeventeenTrack

NOW = datetime(2026, 5, 2, 18, tzinfo=UTC)
ADAPTER = SeventeenTrack()
ONE, TWO = "RB000000115CN", "LB000000129CN"


def account(**options: object) -> Account:
    return Account(id="main", base_url="https://source.invalid/track/v2.4", secrets={"api_key": "key-1"}, options=options)


def left(body: bytes, status: int = 200) -> Quota:
    talk = ADAPTER.quota(account())
    request = next(talk)
    assert (request.method, request.url) == ("POST", "https://source.invalid/track/v2.4/getquota")
    assert request.headers["17token"] == "key-1"
    with pytest.raises(StopIteration) as end:
        talk.send(Response(status=status, body=body))
    told: Quota = end.value.value
    return told


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            {"quota_total": 200, "quota_used": 150, "quota_remain": 50, "today_used": 3, "max_track_daily": 100},
            Quota(left=50, used_today=3, daily=100),
        ),
        ({"quota_total": "200", "quota_used": "150", "free_email_quota": 9}, Quota(left=50)),
        ({"quota_total": 200}, Quota()),
        ({}, Quota()),
    ],
    ids=["all", "texts, and what is left must be counted", "not enough", "nothing we know"],
)
def test_what_is_left_is_asked_for_and_read_tolerantly(data: Mapping[str, Any], expected: Quota) -> None:
    """Issue, politeness: the quota is a resource; the names of its fields are not documented for certain."""
    assert isinstance(ADAPTER, Metered)
    assert left(json.dumps({"code": 0, "data": data}).encode()) == expected


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b'{"code":401,"data":{"errors":[{"code":-18010002,"message":"Invalid security key."}]}}', 401, ErrorKind.AUTH),
        (b'{"code":0,"data":null}', 200, ErrorKind.BAD_RESPONSE),
        (b'{"code":0,"data":{"quota_total":"many"}}', 200, ErrorKind.BAD_RESPONSE),
        (b'{"event":"TRACKING_STOPPED","data":{"number":"A"}}', 200, ErrorKind.BAD_RESPONSE),
        (b"", 429, ErrorKind.RATE_LIMITED),
    ],
)
def test_no_answer_about_the_quota_is_an_error(body: bytes, status: int, kind: ErrorKind) -> None:
    with pytest.raises(CarrierError) as failed:
        left(body, status)
    assert failed.value.kind is kind
    assert failed.value.retry_after is None


def registration(query: Query, **options: object) -> dict[str, Any]:
    request = next(ADAPTER.ask([query], account(**options), Memory(), NOW))
    assert request.url.endswith("/v2.4/register")
    (item,) = json.loads(request.body)
    return dict(item)


HINTS = Query(number=ONE, postcode="50030-230", phone="+55 (81) 90000-1234", ship_date="2026-04-01")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {}),
        ({"param": "postcode"}, {"param": "50030-230"}),
        ({"param": "phone"}, {"param": "1234"}),
        ({"param": "date"}, {"param": "2026-04-01"}),
        ({"param": "name"}, {}),
        ({"lang": "en"}, {"lang": "en"}),
    ],
)
def test_a_hint_or_a_language_goes_out_only_where_the_account_says_so(options: dict[str, str], expected: dict[str, str]) -> None:
    """Facts: v2.4 adds fields of the carriers; a language makes the registration cost two. Nothing personal goes out unasked."""
    assert registration(HINTS, **options) == {"number": ONE, "auto_detection": True} | expected
    assert registration(Query(number=TWO), **options) == {"number": TWO, "auto_detection": True} | (
        expected if "lang" in expected else {}
    )


LIMIT = {"code": -18019907, "message": "Daily tracking limit exceeded."}


def conversation(numbers: list[str], memory: Memory, *replies: bytes) -> Batch:
    talk = ADAPTER.ask([Query(number=number) for number in numbers], account(), memory, NOW)
    next(talk)
    *first, last = (Response(status=200, body=reply) for reply in replies)
    for reply in first:
        talk.send(reply)
    with pytest.raises(StopIteration) as end:
        talk.send(last)
    batch: Batch = end.value.value
    return batch


def test_a_full_day_ends_at_midnight_and_registered_numbers_are_looked_at_all_the_same() -> None:
    """-18019907 comes back by itself; -18019908 needs a person. Neither keeps us from looking, which is free."""
    item = {"number": ONE, "carrier": 3011, "track_info": {"latest_status": {"status": "InTransit"}}}
    looked = json.dumps({"code": 0, "data": {"accepted": [item], "rejected": []}}).encode()
    known = Memory(numbers={ONE: {"registered_at": NOW.isoformat(), "carrier": 3011}})
    whole = json.dumps({"code": -18019907, "data": {"errors": [LIMIT]}}).encode()
    single = json.dumps({"code": 0, "data": {"accepted": [], "rejected": [{"number": TWO, "error": LIMIT}]}}).encode()
    for refusal in (whole, single):
        answers = conversation([ONE, TWO], known, refusal, looked).answers
        assert isinstance(answers[ONE], bytes)
        refused = answers[TWO]
        assert isinstance(refused, CarrierError)
        assert (refused.kind, refused.retry_after) == (ErrorKind.RATE_LIMITED, 6 * 3600)
    with pytest.raises(CarrierError) as failed:
        conversation([TWO], Memory(), whole)
    assert failed.value.retry_after == 6 * 3600


def test_whose_the_last_mile_is_comes_with_its_number() -> None:
    """Facts, rules across carriers 11: local_key where it is told, else the name; nothing without a number."""
    for misc, code in (
        ({"local_number": "NX1", "local_key": 2151, "local_provider": "Correios"}, "2151"),
        ({"local_number": "NX1", "local_key": 0, "local_provider": "Correios"}, "Correios"),
        ({"local_number": None, "local_key": 2151}, None),
    ):
        item = {"number": ONE, "track_info": {"misc_info": misc}}
        body = json.dumps({"code": 0, "data": {"accepted": [item]}}).encode()
        cut = ADAPTER.split(Response(status=200, body=body), [ONE])[ONE]
        assert isinstance(cut, bytes)
        assert ADAPTER.read(cut).linked_code == code
