"""Taobao through TOP: window, refund requests, extension by 3, 5, 7 or 10 days (facts/marketplaces.md section 10).

Dates are UTC+8. There is no free chat API.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import ClassVar
from zoneinfo import ZoneInfo

import msgspec

from carriers.base import Request
from tracker.clock import Clock
from tracker.marketplaces import signing
from tracker.marketplaces.base import Answer, Capability, CaseList, CaseRead, WindowRead
from tracker.marketplaces.decoding import Id, decode, local_time
from tracker.marketplaces.errors import Fault, MarketplaceError
from tracker.marketplaces.gateway import call, form
from tracker.marketplaces.session import Session, Tokens
from tracker.model import Case, CaseKind, CaseReason, DateSource

ZONE = "Asia/Shanghai"
_TRADE = "taobao.trade.fullinfo.get"
_DELAY = "taobao.trade.receivetime.delay"
_REFUNDS = "taobao.refunds.receive.get"
_REFUND = "taobao.refund.get"
_PAGE = 100
_MOST_PAGES = 100

_OVER = frozenset({"TRADE_FINISHED", "TRADE_CLOSED", "TRADE_CLOSED_BY_TAOBAO"})
_ENDED = frozenset({"CLOSED", "SUCCESS", "NO_REFUND", None})
"""States of a refund request in which nothing is open any more."""

_SIGN: Mapping[str, Callable[[str, Mapping[str, str]], str]] = {"md5": signing.top_md5, "hmac": signing.top_hmac}

REASONS: tuple[tuple[str, CaseReason], ...] = (
    ("未收到", CaseReason.NOT_RECEIVED),
    ("未按约定时间发货", CaseReason.SLOW_LOGISTICS),
    ("物流", CaseReason.NOT_RECEIVED),
    ("空包", CaseReason.SHORT),
    ("少件", CaseReason.SHORT),
    ("破损", CaseReason.DAMAGED),
    ("质量", CaseReason.QUALITY),
    ("描述", CaseReason.NOT_AS_DESCRIBED),
)
"""What the reason's text holds -> our word; the first that fits wins."""


class _Line(msgspec.Struct, frozen=True):
    refund_status: str | None = None


class _Lines(msgspec.Struct, frozen=True):
    order: tuple[_Line, ...] = ()


class _Trade(msgspec.Struct, frozen=True):
    tid: Id
    status: str
    timeout_action_time: str | None = None
    orders: _Lines | None = None


class _Full(msgspec.Struct, frozen=True):
    trade: _Trade | None = None
    request_id: str | None = None


class _Delayed(msgspec.Struct, frozen=True):
    tid: Id


class _Delay(msgspec.Struct, frozen=True):
    trade: _Delayed
    request_id: str | None = None


class _Timeout(msgspec.Struct, frozen=True):
    timeout: str | None = None


class _Refund(msgspec.Struct, frozen=True):
    refund_id: Id
    tid: Id | None = None
    status: str | None = None
    created: str | None = None
    reason: str | None = None
    refund_fee: str | None = None
    has_good_return: bool | None = None
    refund_remind_timeout: _Timeout | None = None


class _Refunds(msgspec.Struct, frozen=True):
    refund: tuple[_Refund, ...] = ()


class _Page(msgspec.Struct, frozen=True):
    refunds: _Refunds | None = None
    has_next: bool | None = None


class _One(msgspec.Struct, frozen=True):
    refund: _Refund


class Taobao:
    """One seller's account at TOP. Option `sign_method`: md5 (usual) or hmac."""

    platform: ClassVar[str] = "taobao"
    offers: ClassVar[frozenset[Capability]] = frozenset(Capability)

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._method = session.account.options.get("sign_method", "md5")

    async def window(self, order: str) -> WindowRead:
        """`timeout_action_time`: when the present state ends by itself, which is the automatic confirmation of receipt."""
        fields = "tid,status,timeout_action_time,orders.refund_status"
        found = decode(await self._call(_TRADE, {"fields": fields, "tid": order}), _Full)
        trade = found.trade
        if trade is None or str(trade.tid) != order:
            raise MarketplaceError(Fault.REFUSED, "there is no such trade in this account", code="no_order")
        lines = trade.orders.order if trade.orders is not None else ()
        return WindowRead(
            order=order,
            end=local_time(trade.timeout_action_time, ZONE) if trade.timeout_action_time else None,
            status=trade.status,
            disputed=any(line.refund_status not in _ENDED for line in lines),
            over=trade.status in _OVER,
            proof=f"{_TRADE} timeout_action_time {trade.timeout_action_time} (UTC+8), request {found.request_id}",
        )

    async def extend(self, order: str, days: int) -> Answer:
        """Ask for `days` more; TOP takes 3, 5, 7 or 10 and says every no as an error (R7)."""
        try:
            raw = await self._call(_DELAY, {"tid": order, "days": str(days)}, write=True)
        except MarketplaceError as error:
            if error.fault is not Fault.REFUSED:
                raise
            return Answer(accepted=False, code=error.code, memo=error.message)
        said = decode(raw, _Delay, write=True)
        if str(said.trade.tid) != order:
            raise MarketplaceError(Fault.AMBIGUOUS, "an answer about another trade")
        return Answer(accepted=True, request=said.request_id)

    async def disputes(self, now: datetime) -> CaseList:  # noqa: ARG002 - other platforms ask by date
        """Every open refund request, with the due date that its detail tells (D3)."""
        found: list[CaseRead] = []
        fields = "refund_id,tid,status,created,reason,refund_fee,has_good_return"
        for page in range(1, _MOST_PAGES + 1):
            query = {"fields": fields, "page_no": str(page), "page_size": str(_PAGE), "use_has_next": "true"}
            read = decode(await self._call(_REFUNDS, query), _Page)
            listed = read.refunds.refund if read.refunds is not None else ()
            found += [await self._detailed(each) for each in listed if each.status not in _ENDED]
            if not read.has_next or not listed:
                # Without the word that nothing follows it is any answer, not a whole list: no case is over for it.
                return CaseList(cases=tuple(found), complete=read.has_next is False)
        return CaseList(cases=tuple(found), complete=False)

    async def _detailed(self, listed: _Refund) -> CaseRead:
        fields = "refund_id,tid,status,created,reason,refund_fee,has_good_return,refund_remind_timeout"
        query = {"fields": fields, "refund_id": str(listed.refund_id)}
        said = decode(await self._call(_REFUND, query), _One).refund
        due = said.refund_remind_timeout.timeout if said.refund_remind_timeout is not None else None
        created = said.created or listed.created
        if created is None:
            raise MarketplaceError(Fault.TRANSIENT, "a refund request without its date")
        text, order = said.reason or listed.reason or "", said.tid if said.tid is not None else listed.tid
        reason = next((word for part, word in REASONS if part in text), CaseReason.OTHER if text else CaseReason.UNKNOWN)
        amount = _amount(said.refund_fee or listed.refund_fee)
        return CaseRead(
            order=None if order is None else str(order),
            case=Case(
                id=str(said.refund_id),
                kind=CaseKind.RETURN_REQUEST if said.has_good_return else CaseKind.DISPUTE,
                opened_at=local_time(created, ZONE),
                due_at=local_time(due, ZONE) if due else None,
                due_source=DateSource.API if due else None,
                reason=reason,
                amount=amount,
                currency=None if amount is None else "CNY",
            ),
        )

    async def _call(self, method: str, business: Mapping[str, str], *, write: bool = False) -> msgspec.Raw:
        account = self._session.account

        def request(tokens: Tokens) -> Request:
            params = {
                "method": method,
                "app_key": account.app_key,
                "session": tokens.access,
                "timestamp": self._clock.now().astimezone(ZoneInfo(ZONE)).strftime("%Y-%m-%d %H:%M:%S"),
                "sign_method": self._method,
                "format": "json",
                "v": "2.0",
                **business,
            }
            sign = _SIGN[self._method](account.secrets.get("app_secret", ""), params)
            return form(account.base_url, {**params, "sign": sign})

        return await call(self._session, method, request, None, write=write)


def _amount(text: str | None) -> Decimal | None:
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation:
        return None
