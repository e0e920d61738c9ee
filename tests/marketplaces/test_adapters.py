"""What the platforms say, and what we make of it: signatures, envelopes, errors with HTTP 200, dates (R7, R42, D3, D9)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from carriers.base import Request, Response
from carriers.http import HttpTransport
from tests.marketplaces.standins import APP_KEY, SECRET, AliExpressStandIn, StandIn, TaobaoStandIn
from tracker.clock import FixedClock
from tracker.marketplaces import signing
from tracker.marketplaces.base import Account, Marketplace
from tracker.marketplaces.decoding import local_time
from tracker.marketplaces.ebay import Ebay
from tracker.marketplaces.errors import Fault, MarketplaceError
from tracker.marketplaces.registry import KNOWN
from tracker.marketplaces.session import Session
from tracker.model import CaseKind, CaseReason, DateSource

SAMPLES = Path(__file__).parents[1] / "samples" / "marketplaces"
NOW = datetime(2026, 10, 27, 12, tzinfo=UTC)
ORDER = "8190000000000001"


class Kept:
    """Remembers tokens."""

    def __init__(self) -> None:
        self.tokens: Mapping[str, str] = {}

    async def load(self, account: str) -> Mapping[str, str]:
        return self.tokens

    async def keep(self, account: str, tokens: Mapping[str, str]) -> None:
        self.tokens = tokens


class Played:
    """A transport that answers samples in turn, and keeps what was asked."""

    def __init__(self, *bodies: bytes, status: int = 200) -> None:
        self._bodies = list(bodies)
        self._status = status
        self.asked: list[Request] = []

    async def send(self, request: Request) -> Response:
        self.asked.append(request)
        return Response(status=self._status, body=self._bodies.pop(0))

    async def close(self) -> None:
        """Nothing is open."""


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.json").read_bytes()


def account(url: str = "https://api.example", **secrets: str) -> Account:
    given = {"app_secret": SECRET, "access_token": "kanarie-token-1", **secrets}
    return Account(id="ae", base_url=url, app_key=APP_KEY, secrets=given)


def played(platform: str, *names: str, status: int = 200) -> tuple[Marketplace, Played]:
    transport = Played(*(sample(name) for name in names), status=status)
    return KNOWN[platform].make(Session(account(), transport, Kept()), FixedClock(NOW)), transport


@asynccontextmanager
async def calling(
    stand_in: StandIn,
    platform: str,
    keeper: Kept | None = None,
    *,
    app_secret: str = SECRET,
    access_token: str = "kanarie-token-1",  # noqa: S107 - of the stand-in
    **refresh: str,
) -> AsyncIterator[Marketplace]:
    with stand_in:
        http = HttpTransport(account_id="ae", clock=FixedClock(NOW))
        try:
            known = account(stand_in.url, app_secret=app_secret, access_token=access_token, **refresh)
            yield KNOWN[platform].make(Session(known, http, keeper or Kept()), FixedClock(NOW))
        finally:
            await http.close()


@pytest.mark.parametrize("name", ["iop_rest", "top_sync_hmac_sha256"])
def test_r7_the_documented_signatures(name: str) -> None:
    """R7: the digest that the platform's own document prints, and the one of an extension."""
    vector = json.loads(sample("aliexpress/sign_vectors"))[name]
    assert signing.iop(vector["secret"], vector["params"], vector["path"]) == vector["sign"]
    assert vector["path"] + signing.joined({**vector["params"], "sign": "never signed"}) == vector["string"]


def test_r7_the_md5_signature_of_top() -> None:
    """R7: Taobao's usual form."""
    vector = json.loads(sample("aliexpress/sign_vectors"))["top_md5"]
    assert signing.top_md5(vector["secret"], vector["params"]) == vector["sign"]
    assert len(signing.top_hmac(vector["secret"], vector["params"])) == 32


async def test_r7_the_end_of_the_window_is_read_in_us_pacific() -> None:
    """R7, D9: 03:12:11 in Los Angeles on 18 November is 11:12:11 UTC, because summer time is over."""
    market, transport = played("aliexpress", "aliexpress/findorderbyid_in_transit")
    read = await market.window(ORDER)
    assert read.end == datetime(2026, 11, 18, 11, 12, 11, tzinfo=UTC)
    assert (read.status, read.disputed, read.frozen, read.over) == ("WAIT_BUYER_ACCEPT_GOODS", False, False, False)
    assert "over_time_left 2026-11-18 03:12:11" in read.proof
    assert "Maria" not in repr(read), "no person's data leaves the adapter"
    assert b"session=kanarie-token-1" in transport.asked[0].body


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2026-03-08 01:59:59", datetime(2026, 3, 8, 9, 59, 59, tzinfo=UTC)),
        ("2026-03-08 02:30:00", datetime(2026, 3, 8, 9, 30, tzinfo=UTC)),
        ("2026-03-08 03:00:00", datetime(2026, 3, 8, 10, 0, tzinfo=UTC)),
        ("2026-11-01 01:30:00", datetime(2026, 11, 1, 8, 30, tzinfo=UTC)),
        ("2026-11-01 02:00:00", datetime(2026, 11, 1, 10, 0, tzinfo=UTC)),
    ],
)
def test_d9_the_change_of_summer_time(local: str, utc: datetime) -> None:
    """D9: a time that does not exist, or exists twice, counts as the earlier instant: extending an hour early costs nothing."""
    assert local_time(local, "America/Los_Angeles") == utc


@pytest.mark.parametrize(("name", "code"), [("extend_error_201", "201"), ("extend_error_210", "210")])
async def test_r7_a_refused_extension_is_an_answer(name: str, code: str) -> None:
    market, _ = played("aliexpress", f"aliexpress/{name}")
    answer = await market.extend(ORDER, 15)
    assert (answer.accepted, answer.code) == (False, code)


async def test_r7_an_extension_says_order_and_days() -> None:
    market, transport = played("aliexpress", "aliexpress/extend_ok")
    assert (await market.extend(ORDER, 5)).accepted
    assert b"param0=8190000000000001&param1=5" in transport.asked[0].body


async def test_r42_disputes_are_read_with_their_parent_order() -> None:
    """R42: cases come from the platform itself, not from mail; ids stay whole."""
    market, _ = played("aliexpress", "aliexpress/issuelist_processing")
    listed = await market.disputes(NOW)
    (read,) = listed.cases
    assert listed.complete
    assert (read.order, read.case.id) == ("8190000000000021", "60000000000001")
    assert (read.case.kind, read.case.reason) == (CaseKind.DISPUTE, CaseReason.IN_TRANSIT)
    assert read.case.opened_at == datetime(2026, 10, 2, 15, tzinfo=UTC)


async def test_r42_a_taobao_refund_request_brings_its_due_date() -> None:
    """R42, D3: the platform's own timeout goes before every table; closed requests are none."""
    market, transport = played("taobao", "taobao/refunds_receive", "taobao/refund_get")
    (read,) = (await market.disputes(NOW)).cases
    assert (read.order, read.case.reason, read.case.amount) == ("2231958349000001", CaseReason.NOT_RECEIVED, Decimal("35.00"))
    assert (read.case.due_at, read.case.due_source) == (datetime(2026, 10, 4, 1, tzinfo=UTC), DateSource.API)
    assert len(transport.asked) == 2


async def test_r42_ebay_inquiries_and_payment_disputes_bring_their_due_dates() -> None:
    """R42, R33, D3: `respondByDate` wins; an inquiry without an order id goes by item and transaction."""
    market, transport = played("ebay", "ebay/inquiry_search_waiting_seller", "ebay/payment_dispute_summary")
    inquiry, dispute = (await market.disputes(NOW)).cases
    assert (inquiry.order, inquiry.case.kind) == ("110000000001-20000000001", CaseKind.INQUIRY)
    assert inquiry.case.due_at == datetime(2026, 10, 28, 6, 59, 59, tzinfo=UTC)
    assert (dispute.order, dispute.case.kind, dispute.case.amount) == ("12-12345-12345", CaseKind.CHARGEBACK, Decimal("23.40"))
    assert dispute.case.due_source is DateSource.API
    assert [request.headers["authorization"] for request in transport.asked] == ["IAF kanarie-token-1", "Bearer kanarie-token-1"]


@pytest.mark.parametrize(
    ("name", "fault", "wait"),
    [
        ("aliexpress/error_response_illegal_token", Fault.AUTH, None),
        ("aliexpress/call_limit", Fault.THROTTLED, 7.0),
        ("aliexpress/method_gone", Fault.GONE, None),
        ("taobao/error_response", Fault.REFUSED, None),
        ("aliexpress/extend_ok", Fault.TRANSIENT, None),
    ],
)
async def test_errors_come_with_http_200(name: str, fault: Fault, wait: float | None) -> None:
    """Each class has its own reaction (facts/marketplaces.md section 2)."""
    market, _ = played("aliexpress", name)
    with pytest.raises(MarketplaceError) as caught:
        await market.window(ORDER)
    assert (caught.value.fault, caught.value.retry_after) == (fault, wait)


@pytest.mark.parametrize(
    ("status", "fault"),
    [(401, Fault.AUTH), (404, Fault.GONE), (429, Fault.THROTTLED), (503, Fault.AMBIGUOUS), (400, Fault.REFUSED)],
)
async def test_http_statuses_of_a_write(status: int, fault: Fault) -> None:
    """A 5xx after a write says nothing about what was done: it is never repeated by itself."""
    market, _ = played("aliexpress", "aliexpress/extend_ok", status=status)
    with pytest.raises(MarketplaceError) as caught:
        await market.extend(ORDER, 15)
    assert caught.value.fault is fault


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"x": 1.5', b"[" * 5000, b"\xff"])
async def test_rubbish_is_no_answer(body: bytes) -> None:
    """Rubbish to a read is transient, to a write ambiguous (faults row 8)."""
    for write, fault in ((False, Fault.TRANSIENT), (True, Fault.AMBIGUOUS)):
        market = KNOWN["aliexpress"].make(Session(account(), Played(body), Kept()), FixedClock(NOW))
        with pytest.raises(MarketplaceError) as caught:
            await (market.extend(ORDER, 5) if write else market.window(ORDER))
        assert caught.value.fault is fault


async def test_the_stand_in_refuses_a_wrong_signature() -> None:
    async with calling(AliExpressStandIn(), "aliexpress", app_secret="wrong") as market:
        with pytest.raises(MarketplaceError, match="IncompleteSignature"):
            await market.window(ORDER)


async def test_a_refused_token_is_renewed_once_and_the_call_repeated_once() -> None:
    """The refresh token rotates: the newest pair is kept for the next start."""
    stand_in, kept = AliExpressStandIn(), Kept()
    stand_in.order(ORDER, "2026-11-18 03:12:11")
    async with calling(stand_in, "aliexpress", kept, access_token="old", refresh_token="kanarie-refresh-1") as market:
        assert (await market.window(ORDER)).end is not None
        assert stand_in.calls == {"findorderbyid": 2, "refresh": 1}
        assert (kept.tokens["access"], kept.tokens["refresh"]) == ("kanarie-token-2", "kanarie-refresh-2")


@pytest.mark.parametrize("refresh", [{}, {"refresh_token": "used-up"}], ids=["none", "refused"])
async def test_a_token_that_cannot_be_renewed_is_for_a_person(refresh: dict[str, str]) -> None:
    stand_in = AliExpressStandIn()
    async with calling(stand_in, "aliexpress", None, access_token="old", **refresh) as market:
        with pytest.raises(MarketplaceError) as caught:
            await market.window(ORDER)
    assert caught.value.fault is Fault.AUTH
    assert stand_in.calls["findorderbyid"] == 1


async def test_a_connection_that_breaks_off_leaves_a_write_in_doubt() -> None:
    """The stand-in has done it all the same: only reading back tells."""
    stand_in = TaobaoStandIn()
    stand_in.order("2231958349000001", "2026-10-08 10:00:00")
    stand_in.script["delay"].append("drop")
    async with calling(stand_in, "taobao") as market:
        with pytest.raises(MarketplaceError) as caught:
            await market.extend("2231958349000001", 5)
        read = await market.window("2231958349000001")
    assert caught.value.fault is Fault.AMBIGUOUS
    assert read.end == datetime(2026, 10, 13, 2, tzinfo=UTC)


async def test_taobao_says_every_no_as_an_error() -> None:
    market, _ = played("taobao", "taobao/error_response")
    answer = await market.extend("2231958349000001", 4)
    assert (answer.accepted, answer.code) == (False, "isv.invalid-parameter")


async def test_ebay_extends_nothing() -> None:
    market: Any = Ebay(Session(account(), Played(), Kept()), FixedClock(NOW))
    for call in (market.window("1"), market.extend("1", 3)):
        with pytest.raises(MarketplaceError) as caught:
            await call
        assert caught.value.fault is Fault.REFUSED


async def test_many_pages_of_disputes_are_read_to_the_end() -> None:
    """R42: a list is complete only when its last page was read."""
    stand_in = AliExpressStandIn()
    stand_in.cases = [
        {"issue_id": 60000000000000 + each, "parent_order_id": 1, "gmt_create": "2026-10-02 08:00:00"} for each in range(120)
    ]
    async with calling(stand_in, "aliexpress") as market:
        listed = await market.disputes(NOW)
    assert (len(listed.cases), listed.complete, stand_in.calls["get"]) == (120, True, 3)
