"""Australia Post: Shipping and Tracking, one GET for up to ten numbers (facts: others, from samples only; rules 4).

Events have no codes: the status is the article's own word. Articles lie under `trackable_items`, sometimes one level deeper. An
error stands in the result of its number; ESB-10001 is a number that cannot be. Times carry their offset.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Generator, Sequence
from datetime import datetime
from urllib.parse import urlencode

import msgspec

from carriers.answers import decode, each, http_error, join, richest
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import UNKNOWN, Glossary, table
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent
from carriers.scans import arrange, event_key, instant
from carriers.talks import secret


class Event(msgspec.Struct, omit_defaults=True, gc=False):
    """One scan: a text, a time with its offset, sometimes a place."""

    description: str = ""
    date: str = ""
    location: str = ""


class Article(msgspec.Struct, omit_defaults=True):
    """One thing that is carried."""

    status: str | None = None
    events: list[Event] = []


class Item(Article, omit_defaults=True):
    """An article, or a consignment whose articles lie one level deeper."""

    items: list[Article] = []


class Fault(msgspec.Struct):
    """Why there is no answer for a number."""

    code: str


class Result(msgspec.Struct, omit_defaults=True):
    """One number; encoded it is the slice."""

    tracking_id: str
    status: str | None = None
    trackable_items: list[Item] = []
    errors: list[Fault] = []


class Answer(msgspec.Struct):
    """All numbers."""

    tracking_results: list[msgspec.Raw]


_ANSWER = msgspec.json.Decoder(Answer)
_RESULT = msgspec.json.Decoder(Result)
_ERRORS = {"ESB-10001": ErrorKind.INVALID_NUMBER}


class AustraliaPost(Pushless):
    """Adapter `australia_post`. Secrets: `api_key`, `password`, `account_number`. The request is (unverified)."""

    name = "australia_post"
    batch_size = 10

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """One GET for all numbers, by HTTP Basic."""
        basic = b64encode(f"{secret(account, 'api_key')}:{secret(account, 'password')}".encode()).decode()
        numbers = [query.number for query in queries]
        response = yield Request(
            method="GET",
            url=f"{account.base_url.rstrip('/')}/shipping/v1/track?{urlencode({'tracking_ids': ','.join(numbers)})}",
            headers={"authorization": f"Basic {basic}", "account-number": secret(account, "account_number")},
        )
        return Batch(answers=self.split(response, numbers))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut the answer into results."""
        failed = http_error(response)
        if failed is not None:
            raise failed
        results = each(decode(_ANSWER, response.body).tracking_results, _RESULT, "tracking_id")
        return join(richest((number, _cut(result)) for number, result in results), asked)

    def read(self, raw: bytes) -> Tracking:
        """The number's own word tells the status, else the one on which all its articles agree."""
        result, words = decode(_RESULT, raw), Glossary(table("australia_post", "code"))
        articles = [article for item in result.trackable_items for article in (item, *item.items)]
        told = [result.status] if result.status else sorted({article.status for article in articles if article.status})
        status, reason = words.of(told[0]) if len(told) == 1 else UNKNOWN
        return Tracking(
            number=result.tracking_id,
            status=status,
            reason=reason,
            raw_status=", ".join(told) or None,
            events=arrange(*([_event(event) for event in article.events] for article in articles)),
            unmapped=words.unmapped,
            notes=(f"its articles stand differently: {', '.join(told)}",) if len(told) > 1 else (),
        )


def _cut(result: Result | CarrierError) -> bytes | CarrierError:
    if isinstance(result, CarrierError):
        return result
    if result.errors:
        code = result.errors[0].code
        return CarrierError(_ERRORS.get(code, ErrorKind.BAD_RESPONSE), f"Australia Post: {code}", code=code)
    return msgspec.json.encode(result)


def _event(event: Event) -> TrackingEvent:
    time, local, offset = instant(event.date)
    return TrackingEvent(
        key=event_key(event.description, event.date, event.location),
        time=time,
        local_time=local,
        offset=offset,
        description=event.description,
        location=event.location,
    )
