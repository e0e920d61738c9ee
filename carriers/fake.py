"""The scripted fake: a source whose answers stand in a file, so that rehearsals and tests need no network.

`script.json` in the drop folder:

    {"outages": [{"since": T, "until": T, "kind": "unavailable", "message": "…"}],
     "numbers": {"RB123456785GB": [{"at": T, "status": "info_received", "text": "label printed"},
                                   {"at": T, "code": "X1", "text": "a code nobody knows"},
                                   {"at": T, "error": "not_ready"},
                                   {"at": T, "answer": "expired"}]}}

Times carry an offset. A step with `error` or `answer` holds until the next step; every other step is a scan. Before its first
step a number is not found; a number that the script does not list is left out, as a real source would leave it out.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from carriers.answers import decode, http_error, join
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent, TrackingReason, TrackingStatus
from carriers.scans import alpha2, arrange, event_key, placed

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time with an offset: a script without one would mean another instant on every machine."""

_END = datetime.max.replace(tzinfo=UTC)


class Step(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """One line of a number's story: a scan, an `answer` (a status without a scan), or an `error`."""

    at: Moment
    status: TrackingStatus | None = None
    reason: TrackingReason | None = None
    code: str | None = None
    text: str = ""
    location: str = ""
    country: str | None = None
    answer: TrackingStatus | None = None
    error: ErrorKind | None = None


class Outage(msgspec.Struct, forbid_unknown_fields=True):
    """A time in which the whole source fails."""

    since: Moment
    until: Moment | None = None
    kind: ErrorKind = ErrorKind.UNAVAILABLE
    message: str = "a scripted outage"


class Script(msgspec.Struct, forbid_unknown_fields=True):
    """The whole file."""

    numbers: dict[str, list[Step]]
    outages: list[Outage] = []


class Story(msgspec.Struct, omit_defaults=True):
    """One number's slice: the steps that have happened."""

    number: str
    steps: list[Step]


_SCRIPT = msgspec.json.Decoder(Script)
_STORY = msgspec.json.Decoder(Story)


class Fake(Pushless):
    """Adapter `fake`: reads `script.json` from the account's drop folder."""

    name = "fake"
    batch_size = 1000

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """Answer as the script says for `now`."""
        response = yield Request(method="GET", url="drop:script.json")
        return Batch(answers=_as_of(response, [query.number for query in queries], now))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut a script into slices, as of its end."""
        return _as_of(response, asked, _END)

    def read(self, raw: bytes) -> Tracking:
        """Read one number's steps. A code without a status is one that no table knows."""
        story = decode(_STORY, raw)
        events = arrange([_event(step) for step in story.steps if step.answer is None and step.error is None])
        last = story.steps[-1] if story.steps else None
        told = TrackingStatus.NOT_FOUND if last is None else last.answer or last.status or TrackingStatus.UNKNOWN
        return Tracking(
            number=story.number,
            status=told,
            reason=last.reason if last is not None else None,
            raw_status=last.code if last is not None else None,
            events=events,
            stopped=told is TrackingStatus.EXPIRED,
            unmapped=tuple(dict.fromkeys(step.code for step in story.steps if step.code and step.status is None)),
        )


def _as_of(response: Response, asked: Sequence[str], now: datetime) -> dict[str, bytes | CarrierError]:
    failed = http_error(response)
    if failed is not None:
        raise failed
    script = decode(_SCRIPT, response.body)
    for outage in script.outages:
        if outage.since <= now and (outage.until is None or now < outage.until):
            raise CarrierError(outage.kind, outage.message)
    return join({number: _story(number, steps, now) for number, steps in script.numbers.items()}, asked)


def _story(number: str, steps: Sequence[Step], now: datetime) -> bytes | CarrierError:
    past = sorted((step for step in steps if step.at <= now), key=lambda step: step.at)
    if past and past[-1].error is not None:
        return CarrierError(past[-1].error, past[-1].text or "a scripted error")
    return msgspec.json.encode(Story(number, [step for step in past if step.error is None]))


def _event(step: Step) -> TrackingEvent:
    time, local, offset = placed(step.at)
    return TrackingEvent(
        key=event_key(step.at.isoformat(), step.status or "", step.code or "", step.text, step.location),
        time=time,
        local_time=local,
        offset=offset,
        status=step.status or TrackingStatus.UNKNOWN,
        reason=step.reason,
        raw_code=step.code,
        description=step.text,
        location=step.location,
        country=alpha2(step.country),
    )
