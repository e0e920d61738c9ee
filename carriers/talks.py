"""Conversations that several sources share: one call a number, and an access token that ends."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from carriers.answers import decode, http_error
from carriers.base import Account, Batch, Memory, Query, Request, Response
from carriers.errors import CarrierError, ErrorKind

Call = Generator[Request, Response, Response]
"""A part of a conversation that ends with one answer."""

Talk = Generator[Request, Response, Batch]
"""A whole conversation."""

Split = Callable[[Response, Sequence[str]], dict[str, bytes | CarrierError]]

_OF_THE_ACCOUNT = frozenset({ErrorKind.AUTH, ErrorKind.QUOTA_EXHAUSTED, ErrorKind.RATE_LIMITED})
"""What one number meets, the next one will meet too: the conversation ends there."""

_PASSING = frozenset({ErrorKind.QUOTA_EXHAUSTED, ErrorKind.RATE_LIMITED, ErrorKind.UNAVAILABLE})
"""What a token does not cause."""

_GIVE_UP = 2
"""Calls in a row without an answer after which a source counts as down: one number that breaks it must not hide the others."""

_EARLY = timedelta(minutes=5)
"""So long before its end a token is renewed."""

_REFUSED = 401


def secret(account: Account, name: str) -> str:
    """The secret `name` of an account. Raises CarrierError(auth) that names what is missing."""
    value = account.secrets.get(name)
    if not value:
        raise CarrierError(ErrorKind.AUTH, f"account {account.id} has no secret {name}")
    return value


def opted_in(account: Account) -> None:
    """Go on where the account agrees to a page made for people. Raises CarrierError(invalid_request) that tells how to agree.

    Such a page has no contract: it may change, slow down or shut out whoever asks it, so nobody uses it unawares.
    """
    if account.options.get("public_page") is not True:
        text = f"account {account.id} asks an unofficial public page: agree by options = {{ public_page = true }} or disable it"
        raise CarrierError(ErrorKind.INVALID_REQUEST, text)


def once(request: Request) -> Call:
    """One request, one answer."""
    return (yield request)


def all_at_once(call: Call, numbers: Sequence[str], split: Split) -> Talk:
    """One call for all `numbers`. Raises CarrierError."""
    return Batch(answers=split((yield from call), numbers))


def one_by_one(queries: Sequence[Query], call: Callable[[Query], Call], split: Split) -> Talk:
    """One call a number, for sources that take no list.

    What speaks of the account (auth, quota, rate) ends the conversation, and so do two calls in a row that nobody answered (an
    error that `split` puts beside the number is an answer); that error stands for every number still open. Raises it where
    nothing was learnt before.
    """
    answers: dict[str, bytes | CarrierError] = {}
    silent = 0
    for query in queries:
        try:
            answer = split((yield from call(query)), [query.number])[query.number]
        except CarrierError as error:
            answer = error
            silent = silent + 1 if error.kind is ErrorKind.UNAVAILABLE else 0
        else:
            silent = 0
        answers[query.number] = answer
        if isinstance(answer, CarrierError) and (answer.kind in _OF_THE_ACCOUNT or silent == _GIVE_UP):
            if not any(isinstance(each, bytes) for each in answers.values()):
                raise answer
            answers |= {each.number: answer for each in queries if each.number not in answers}
            break
    return Batch(answers=answers)


class Grant(msgspec.Struct):
    """The answer of an OAuth 2 token endpoint: the token, and for how many seconds it is good."""

    access_token: str
    expires_in: int | str = 0


_GRANT = msgspec.json.Decoder(Grant)


class Bearer:
    """The access token of one conversation: the kept one until shortly before its end, a fresh one where that is refused.

    `login` is the request for a token (OAuth 2, client credentials). The account's memory: `token`, `expires_at` (ISO time).
    """

    def __init__(self, login: Request, memory: Memory, now: datetime) -> None:
        self._login = login
        self._now = now
        self._token = _kept(memory.account, now)
        self._learnt: Mapping[str, Any] = {}

    def send(self, request: Request) -> Call:
        """`request` with the token in its `authorization`; once more with a fresh one where a kept one is refused.

        Raises CarrierError: auth where the source grants no token, unavailable, rate_limited, bad_response.
        """
        fresh = self._token is None
        if self._token is None:
            yield from self._log_in()
        response = yield self._signed(request)
        if response.status == _REFUSED and not fresh:
            yield from self._log_in()
            response = yield self._signed(request)
        return response

    def keep(self, talk: Talk, queries: Sequence[Query]) -> Talk:
        """The batch of `talk`, with the token to remember where there is a new one.

        Logins are counted too: where all that failed is what came after one, the error stands for every number of `queries`, and
        the token is not lost. Raises what `talk` raises where there is none to remember, or where it was refused.
        """
        try:
            batch = yield from talk
        except CarrierError as error:
            if not self._learnt or error.kind not in _PASSING:
                raise
            batch = Batch(answers={query.number: error for query in queries})
        return msgspec.structs.replace(batch, memory=Memory(account=self._learnt, numbers=batch.memory.numbers))

    def _signed(self, request: Request) -> Request:
        return msgspec.structs.replace(request, headers={**request.headers, "authorization": f"Bearer {self._token}"})

    def _log_in(self) -> Generator[Request, Response, None]:
        response = yield self._login
        failed = http_error(response)
        if failed is not None:
            # RFC 6749: an unknown client is a 400 here, which says nothing about the form of our request.
            wrong = failed.kind is ErrorKind.INVALID_REQUEST
            raise CarrierError(ErrorKind.AUTH, f"no token: {failed.message}", code=failed.code) if wrong else failed
        grant = decode(_GRANT, response.body)
        self._token = grant.access_token
        seconds = int(grant.expires_in) if str(grant.expires_in).isdecimal() else 0
        # Without a known end it is kept for this conversation alone.
        ends = (self._now + timedelta(seconds=min(seconds, _LONGEST))).isoformat()
        self._learnt = {"token": grant.access_token, "expires_at": ends} if seconds else {}


_LONGEST = 86_400
"""Seconds that a token is kept at most, whatever its source says."""


def _kept(account: Mapping[str, Any], now: datetime) -> str | None:
    token, ends = account.get("token"), account.get("expires_at")
    if not isinstance(token, str) or not isinstance(ends, str):
        return None
    return token if now < datetime.fromisoformat(ends) - _EARLY else None
