"""eBay: reading inquiries and payment disputes, independently of any mail (R42, R33; facts/marketplaces.md section 4).

The seller cannot extend a window there. The Post-Order API is being cut and has no sandbox: a call that has vanished switches the
reading off and tells a person, nothing breaks.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import ClassVar
from urllib.parse import urlencode, urlsplit

import msgspec

from carriers.base import Request, Response
from tracker.clock import Clock
from tracker.marketplaces.base import Answer, Capability, CaseList, CaseRead, WindowRead
from tracker.marketplaces.decoding import decode
from tracker.marketplaces.errors import Fault, MarketplaceError
from tracker.marketplaces.session import Session, Tokens
from tracker.model import Case, CaseKind, CaseReason, DateSource

_INQUIRIES = "/post-order/v2/inquiry/search"
_DISPUTES = "/sell/fulfillment/v1/payment_dispute_summary"
_TOKEN = "/identity/v1/oauth2/token"  # noqa: S105 - a path
_PAGE = 200
_MOST_PAGES = 50
_BACK = timedelta(days=90)
"""How far the payment disputes' list reaches."""

_ENDED = frozenset({"CLOSED", "CLOSED_WITH_REFUND", "CANCELLED", "RESOLVED"})

REASONS = {
    "ITEM_NOT_RECEIVED": CaseReason.NOT_RECEIVED,
    "SIGNIFICANTLY_NOT_AS_DESCRIBED": CaseReason.NOT_AS_DESCRIBED,
    "UNAUTHORIZED_TRANSACTION": CaseReason.STOLEN_CARD,
    "FRAUD": CaseReason.STOLEN_CARD,
    "DUPLICATE": CaseReason.DOUBLE_CHARGE,
    "CREDIT_NOT_PROCESSED": CaseReason.RETURN_NOT_REFUNDED,
}


class _Date(msgspec.Struct, frozen=True):
    value: datetime


class _Money(msgspec.Struct, frozen=True):
    value: Decimal
    currency: str


class _Inquiry(msgspec.Struct, frozen=True, rename="camel"):
    inquiry_id: str
    creation_date: _Date
    inquiry_status_enum: str | None = None
    order_id: str | None = None
    item_id: str | None = None
    transaction_id: str | None = None
    claim_amount: _Money | None = None
    respond_by_date: _Date | None = None
    seller_make_it_right_by_date: _Date | None = None


class _Paging(msgspec.Struct, frozen=True, rename="camel"):
    total_pages: int


class _Inquiries(msgspec.Struct, frozen=True, rename="camel"):
    members: tuple[_Inquiry, ...] = ()
    pagination_output: _Paging | None = None


class _Dispute(msgspec.Struct, frozen=True, rename="camel"):
    payment_dispute_id: str
    open_date: datetime
    payment_dispute_status: str | None = None
    reason: str | None = None
    order_id: str | None = None
    amount: _Money | None = None
    respond_by_date: datetime | None = None


class _Disputes(msgspec.Struct, frozen=True, rename="camel"):
    payment_dispute_summaries: tuple[_Dispute, ...] = ()
    total: int | None = None


class _Renewed(msgspec.Struct, frozen=True):
    access_token: str


class Ebay:
    """One seller's account. `app_key` is the client id; option `marketplace`: EBAY_US and the like."""

    platform: ClassVar[str] = "ebay"
    offers: ClassVar[frozenset[Capability]] = frozenset({Capability.DISPUTES})

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    async def window(self, order: str) -> WindowRead:
        """Not there."""
        raise MarketplaceError(Fault.REFUSED, f"eBay shows no window to extend (order {order})")

    async def extend(self, order: str, days: int) -> Answer:
        """Not there."""
        raise MarketplaceError(Fault.REFUSED, f"eBay lets no seller extend a window (order {order}, {days} days)")

    async def disputes(self, now: datetime) -> CaseList:
        """Open inquiries and open payment disputes; `respondByDate` goes before every table (D3)."""
        inquiries, whole = await self._inquiries()
        disputes, all_of_them = await self._payment_disputes(now)
        since = {CaseKind.CHARGEBACK: now - _BACK}
        return CaseList(cases=(*inquiries, *disputes), complete=whole and all_of_them, since=since)

    async def _inquiries(self) -> tuple[list[CaseRead], bool]:
        found: list[CaseRead] = []
        for page in range(1, _MOST_PAGES + 1):
            query = urlencode({"limit": _PAGE, "offset": page, "inquiry_status": "OPEN"})
            read = decode((await self._get(f"{self._base}{_INQUIRIES}?{query}", "IAF")).body, _Inquiries)
            found += [_inquiry(each) for each in read.members if each.inquiry_status_enum not in _ENDED]
            if read.pagination_output is None:
                break
            if page >= read.pagination_output.total_pages or not read.members:
                return found, page >= read.pagination_output.total_pages
        return found, False

    async def _payment_disputes(self, now: datetime) -> tuple[list[CaseRead], bool]:
        found: list[CaseRead] = []
        since = f"{(now - _BACK).astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"
        for page in range(_MOST_PAGES):
            query = urlencode({"limit": _PAGE, "offset": page * _PAGE, "open_date_from": since})
            read = decode((await self._get(f"{self._payments}{_DISPUTES}?{query}", "Bearer")).body, _Disputes)
            found += [_dispute(each) for each in read.payment_dispute_summaries if each.payment_dispute_status not in _ENDED]
            if read.total is None:
                break
            if (page + 1) * _PAGE >= read.total or not read.payment_dispute_summaries:
                return found, (page + 1) * _PAGE >= read.total
        return found, False

    @property
    def _base(self) -> str:
        return self._session.account.base_url.rstrip("/")

    @property
    def _payments(self) -> str:
        """Payment disputes live on a host of their own: apiz.ebay.com beside api.ebay.com."""
        host = urlsplit(self._base).netloc
        return self._base.replace("//api.", "//apiz.", 1) if host.startswith("api.") else self._base

    async def _get(self, url: str, scheme: str) -> Response:
        tokens = await self._session.tokens()
        request = self._with(url, scheme)
        try:
            return await self._session.send(request(tokens))
        except MarketplaceError as error:
            if error.fault is not Fault.AUTH:
                raise
        return await self._session.send(request(await self._session.renew(tokens, self._refresh)))

    def _with(self, url: str, scheme: str) -> Callable[[Tokens], Request]:
        market = self._session.account.options.get("marketplace", "EBAY_US")

        def request(tokens: Tokens) -> Request:
            headers = {"authorization": f"{scheme} {tokens.access}", "x-ebay-c-marketplace-id": market}
            return Request(method="GET", url=url, headers={**headers, "accept": "application/json"})

        return request

    async def _refresh(self, token: str) -> Tokens:
        account = self._session.account
        basic = base64.b64encode(f"{account.app_key}:{account.secrets.get('app_secret', '')}".encode()).decode()
        headers = {"authorization": f"Basic {basic}", "content-type": "application/x-www-form-urlencoded"}
        body = urlencode({"grant_type": "refresh_token", "refresh_token": token}).encode()
        try:
            answer = await self._session.send(Request(method="POST", url=f"{self._base}{_TOKEN}", headers=headers, body=body))
        except MarketplaceError as error:
            if error.fault in {Fault.THROTTLED, Fault.TRANSIENT}:
                raise
            raise MarketplaceError(Fault.AUTH, f"the refresh token is refused: {error.message}", code=error.code) from error
        return Tokens(access=decode(answer.body, _Renewed).access_token, refresh=token)


def _inquiry(said: _Inquiry) -> CaseRead:
    due = said.respond_by_date or said.seller_make_it_right_by_date
    legacy = f"{said.item_id}-{said.transaction_id}" if said.item_id and said.transaction_id else None
    return CaseRead(
        order=said.order_id or legacy,
        case=Case(
            id=said.inquiry_id,
            kind=CaseKind.INQUIRY,
            opened_at=said.creation_date.value.astimezone(UTC),
            due_at=None if due is None else due.value.astimezone(UTC),
            due_source=None if due is None else DateSource.API,
            reason=CaseReason.NOT_RECEIVED,
            amount=None if said.claim_amount is None else said.claim_amount.value,
            currency=None if said.claim_amount is None else said.claim_amount.currency,
        ),
    )


def _dispute(said: _Dispute) -> CaseRead:
    due = said.respond_by_date
    return CaseRead(
        order=said.order_id,
        case=Case(
            id=said.payment_dispute_id,
            kind=CaseKind.CHARGEBACK,
            opened_at=said.open_date.astimezone(UTC),
            due_at=None if due is None else due.astimezone(UTC),
            due_source=None if due is None else DateSource.API,
            reason=REASONS.get(said.reason or "", CaseReason.OTHER),
            amount=None if said.amount is None else said.amount.value,
            currency=None if said.amount is None else said.amount.currency,
        ),
    )
