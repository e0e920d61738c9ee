"""What AliExpress and Taobao share: one gateway, signed form posts, errors that come with HTTP 200 (facts/marketplaces.md 3)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlencode

import msgspec

from carriers.base import Request
from tracker.marketplaces.decoding import Id, decode
from tracker.marketplaces.errors import Fault, MarketplaceError
from tracker.marketplaces.session import WAIT_UNASKED, Session, Tokens

_SECONDS = re.compile(r"(\d{1,6})\s+(?:more\s+)?seconds?", re.IGNORECASE)
_VANISHED = re.compile(r"method[- ]not[- ](?:found|exist)|invalid[- ]?method|invalid ?api ?path", re.IGNORECASE)

CODES: Mapping[str, Fault] = {
    "IllegalAccessToken": Fault.AUTH,
    "IllegalRefreshToken": Fault.AUTH,
    "InvalidAppKey": Fault.AUTH,
    "IncompleteSignature": Fault.AUTH,
    "ApiCallLimit": Fault.THROTTLED,
    "InvalidApiPath": Fault.GONE,
    "7": Fault.THROTTLED,
    "22": Fault.GONE,
    "25": Fault.AUTH,
    "26": Fault.AUTH,
    "27": Fault.AUTH,
}
"""The gateway's own codes; numbers are TOP's (call limit, unknown method, signature, session missing or refused)."""

_BROKEN = re.compile(r"time[- ]?out|unavailable|internal|system[- ]?(?:error|busy)|service[- ]?(?:error|busy)", re.IGNORECASE)
"""Said where their side broke, perhaps after the work was done: no definite no."""

_THEIRS = "ISP"
"""The `type` of an error of the service behind the gateway."""

_REMOTE = frozenset({"10", "15"})
"""TOP's own codes of a service that is down or broke; with `sub_code = isv...` it is our request that was wrong."""

_REFRESHABLE = frozenset({"IllegalAccessToken", "27"})
"""A wrong key or signature is not mended by a new token."""

_FORM = {"content-type": "application/x-www-form-urlencoded;charset=utf-8"}


class _Problem(msgspec.Struct, frozen=True):
    type: str | None = None
    code: Id = ""
    msg: str | None = None
    sub_code: str | None = None
    sub_msg: str | None = None


class _Envelope(msgspec.Struct, frozen=True):
    error_response: _Problem | None = None
    type: str | None = None
    code: Id = ""
    message: str | None = None


async def call(
    session: Session,
    method: str,
    request: Callable[[Tokens], Request],
    fetch: Callable[[str], Awaitable[Tokens]] | None,
    *,
    write: bool = False,
) -> msgspec.Raw:
    """The body under `{method}_response`. A refused token is renewed once and the call repeated once. Raises MarketplaceError."""
    tokens = await session.tokens()
    try:
        return await _once(session, method, request(tokens), write=write)
    except MarketplaceError as error:
        if error.fault is not Fault.AUTH or error.code not in _REFRESHABLE or fetch is None:
            raise
    # A refused token is a definite no, so that even a write may be repeated.
    return await _once(session, method, request(await session.renew(tokens, fetch)), write=write)


async def _once(session: Session, method: str, request: Request, *, write: bool) -> msgspec.Raw:
    response = await session.send(request, write=write)
    refuse(response.body, write=write)
    parts = decode(response.body, dict[str, msgspec.Raw], write=write)
    name = f"{method.removeprefix('taobao.').replace('.', '_')}_response"
    if name not in parts:
        raise MarketplaceError(Fault.AMBIGUOUS if write else Fault.TRANSIENT, f"an answer without {name}")
    return parts[name]


def refuse(body: bytes, *, write: bool = False) -> None:
    """Raise what an `error_response` says; it comes with HTTP 200. System methods (tokens) say it at the top of the answer."""
    said = decode(body, _Envelope, write=write)
    problem = said.error_response or (_Problem(type=said.type, code=said.code, msg=said.message) if said.type else None)
    if problem is None:
        return
    code, sub = str(problem.code), problem.sub_code or ""
    text = " ".join(each for each in (code, problem.msg, sub, problem.sub_msg) if each)[:300]
    fault = CODES.get(code)
    if fault is None and sub.startswith("accesscontrol.limited-by"):
        fault = Fault.THROTTLED
    if fault is None and _broke(problem, code, sub):
        fault = Fault.AMBIGUOUS if write else Fault.TRANSIENT
    if fault is None:
        fault = Fault.GONE if _VANISHED.search(text) else Fault.REFUSED
    wait = None
    if fault is Fault.THROTTLED:
        named = _SECONDS.search(text)
        wait = float(named[1]) if named else WAIT_UNASKED
    raise MarketplaceError(fault, text, code=sub or code if fault is Fault.REFUSED else code, retry_after=wait)


def _broke(problem: _Problem, code: str, sub: str) -> bool:
    """Whether their side broke, perhaps after the work was done."""
    if sub.startswith("isv."):
        return False
    return problem.type == _THEIRS or sub.startswith("isp.") or code in _REMOTE or _BROKEN.search(f"{code} {sub}") is not None


def form(url: str, params: Mapping[str, str]) -> Request:
    """A form post."""
    return Request(method="POST", url=url, headers=_FORM, body=urlencode(params).encode())
