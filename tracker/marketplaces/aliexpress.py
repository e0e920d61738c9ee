"""AliExpress through its Open Platform gateway: window, disputes, extension (facts/marketplaces.md section 3).

All dates are US Pacific with daylight saving (D9). No API reads or sends its buyers' chat.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

import msgspec

from carriers.base import Request
from tracker.clock import Clock
from tracker.marketplaces import signing
from tracker.marketplaces.base import Answer, Capability, CaseList, CaseRead, WindowRead
from tracker.marketplaces.decoding import Id, decode, local_time
from tracker.marketplaces.errors import Fault, MarketplaceError
from tracker.marketplaces.gateway import call, form, refuse
from tracker.marketplaces.session import Session, Tokens
from tracker.model import Case, CaseKind, CaseReason

ZONE = "America/Los_Angeles"
_ORDER = "aliexpress.trade.new.redefining.findorderbyid"
_EXTEND = "aliexpress.trade.redefining.extendsbuyeracceptgoodstime"
_ISSUES = "aliexpress.issue.issuelist.get"
_REFRESH = "/auth/token/refresh"
_PAGE = 50
_MOST_PAGES = 200

_OVER = frozenset({"FINISH"})
"""Not IN_CANCEL: a cancellation that was asked for may be refused, and then the order goes on."""

REASONS: tuple[tuple[str, CaseReason], ...] = (
    ("transit", CaseReason.IN_TRANSIT),
    ("tracking", CaseReason.TRACKING_INVALID),
    ("customs", CaseReason.CUSTOMS),
    ("return", CaseReason.RETURNED_PARCEL),
    ("wrong address", CaseReason.WRONG_ADDRESS),
    ("not receive", CaseReason.NOT_RECEIVED),
    ("didn't receive", CaseReason.NOT_RECEIVED),
    ("damage", CaseReason.DAMAGED),
    ("broken", CaseReason.DAMAGED),
    ("quantity", CaseReason.SHORT),
    ("missing", CaseReason.SHORT),
    ("quality", CaseReason.QUALITY),
    ("description", CaseReason.NOT_AS_DESCRIBED),
    ("described", CaseReason.NOT_AS_DESCRIBED),
)
"""What a reason's English text holds -> our word; the first that fits wins, else it is another reason."""


class _Issue(msgspec.Struct, frozen=True):
    issue_status: str | None = None


class _Target(msgspec.Struct, frozen=True):
    id: Id
    order_status: str
    over_time_left: str | None = None
    frozen_status: str | None = None
    issue_status: str | None = None
    issue_info: _Issue | None = None


class _Found(msgspec.Struct, frozen=True):
    target: _Target | None = None
    request_id: str | None = None


class _Extended(msgspec.Struct, frozen=True):
    is_success: bool
    memo: str | None = None
    sub_error_code: Id | None = None
    request_id: str | None = None


class _Dispute(msgspec.Struct, frozen=True):
    issue_id: Id
    gmt_create: str
    order_id: Id | None = None
    parent_order_id: Id | None = None
    reason_english: str | None = None


class _Disputes(msgspec.Struct, frozen=True):
    issue_api_issue_dto: tuple[_Dispute, ...] | None = None


class _Page(msgspec.Struct, frozen=True):
    total_item: int | None = None
    data_list: _Disputes | None = None


class _Renewed(msgspec.Struct, frozen=True):
    access_token: str
    refresh_token: str | None = None


class AliExpress:
    """One seller's account at the gateway."""

    platform: ClassVar[str] = "aliexpress"
    offers: ClassVar[frozenset[Capability]] = frozenset(Capability)

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    async def window(self, order: str) -> WindowRead:
        """`over_time_left`: when the present status times out, which is the end of the receipt window while goods are awaited."""
        query = msgspec.json.encode({"order_id": int(order) if order.isdigit() else order}).decode()
        found = decode(await self._call(_ORDER, {"param1": query}), _Found)
        target = found.target
        if target is None or str(target.id) != order:
            raise MarketplaceError(Fault.REFUSED, "there is no such order in this account", code="no_order")
        issue = target.issue_info.issue_status if target.issue_info is not None else target.issue_status
        return WindowRead(
            order=order,
            end=local_time(target.over_time_left, ZONE) if target.over_time_left else None,
            status=target.order_status,
            disputed="IN_ISSUE" in {issue, target.issue_status, target.order_status},
            frozen=target.frozen_status == "IN_FROZEN" or target.order_status == "IN_FROZEN",
            over=target.order_status in _OVER,
            proof=f"{_ORDER} over_time_left {target.over_time_left} ({ZONE}), request {found.request_id}",
        )

    async def extend(self, order: str, days: int) -> Answer:
        """Ask for `days` more. `sub_error_code`: 201 longer than allowed, 210 not in this state, 601 no permission (R7)."""
        said = decode(await self._call(_EXTEND, {"param0": order, "param1": str(days)}, write=True), _Extended, write=True)
        code = None if said.sub_error_code is None else str(said.sub_error_code)
        return Answer(accepted=said.is_success, code=code, memo=said.memo or "", request=said.request_id)

    async def disputes(self, now: datetime) -> CaseList:  # noqa: ARG002 - other platforms ask by date
        """Every page of the disputes that are going on; they carry no due date, so the table of time rules dates them."""
        found: list[CaseRead] = []
        for page in range(1, _MOST_PAGES + 1):
            query = {"current_page": page, "page_size": _PAGE, "issue_status": "processing"}
            read = decode(await self._call(_ISSUES, {"query_dto": msgspec.json.encode(query).decode()}), _Page)
            listed = (read.data_list.issue_api_issue_dto if read.data_list is not None else None) or ()
            found += [_case(each) for each in listed]
            if read.total_item is None:
                break
            if page * _PAGE >= read.total_item or not listed:
                # By id: a dispute that is opened while we leaf through shows another one twice, and hides none of them.
                return CaseList(cases=tuple(found), complete=len({each.case.id for each in found}) >= read.total_item)
        return CaseList(cases=tuple(found), complete=False)

    async def _call(self, method: str, business: Mapping[str, str], *, write: bool = False) -> msgspec.Raw:
        def request(tokens: Tokens) -> Request:
            params = {
                "method": method,
                "app_key": self._session.account.app_key,
                "session": tokens.access,
                "timestamp": self._stamp(),
                "sign_method": "sha256",
                "format": "json",
                "v": "2.0",
                "simplify": "false",
                **business,
            }
            return self._signed("/sync", params, "")

        return await call(self._session, method, request, self._refresh, write=write)

    async def _refresh(self, token: str) -> Tokens:
        params = {
            "app_key": self._session.account.app_key,
            "refresh_token": token,
            "timestamp": self._stamp(),
            "sign_method": "sha256",
        }
        try:
            response = await self._session.send(self._signed(f"/rest{_REFRESH}", params, _REFRESH))
            refuse(response.body)
            renewed = decode(response.body, _Renewed)
        except MarketplaceError as error:
            if error.fault in {Fault.THROTTLED, Fault.TRANSIENT}:
                raise
            raise MarketplaceError(Fault.AUTH, f"the refresh token is refused: {error.message}", code=error.code) from error
        return Tokens(access=renewed.access_token, refresh=renewed.refresh_token or token)

    def _signed(self, where: str, params: Mapping[str, str], path: str) -> Request:
        account = self._session.account
        sign = signing.iop(account.secrets.get("app_secret", ""), params, path)
        return form(f"{account.base_url.rstrip('/')}{where}", {**params, "sign": sign})

    def _stamp(self) -> str:
        return str(int(self._clock.now().timestamp() * 1000))


def _case(said: _Dispute) -> CaseRead:
    text = (said.reason_english or "").casefold()
    reason = next((word for part, word in REASONS if part in text), CaseReason.OTHER if text else CaseReason.UNKNOWN)
    order = said.parent_order_id if said.parent_order_id is not None else said.order_id
    return CaseRead(
        order=None if order is None else str(order),
        case=Case(id=str(said.issue_id), kind=CaseKind.DISPUTE, opened_at=local_time(said.gmt_create, ZONE), reason=reason),
    )
