"""One case, and what must hold of it."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec

from carriers import registry
from carriers.base import Account, Adapter, Batch, Memory, Query, Request, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingStatus
from carriers.signatures import hmac_base64, hmac_hex
from tests.fuzz import evidence

NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
LONGEST_TEXT = 400
"""Characters of an error's text, and of its code."""

MOST_REQUESTS = 60
CPU_SECONDS = 5.0
CPU_SECONDS_PER_BYTE = 1e-5
"""Of one case: far more than it takes (a megabyte half a second, the search included), far less than what grows by squares."""

PEAK_BASE = 4 * 1024 * 1024
PEAK_PER_BYTE = 160
"""Bytes of memory that a case may take at most: the base, and so many for each byte of its bodies."""

_SECRET = "s3cret"
_YEARS = (datetime(1989, 12, 31, tzinfo=UTC).timestamp(), datetime(2100, 1, 2, tzinfo=UTC).timestamp())
_WALL = "YYYY-MM-DDTHH:MM:SS"
_MEMORY = 64 * 1024
_DAY = 1440


class Reply(msgspec.Struct, frozen=True):
    """What a source answers; `status` 0 is a call that nobody answered."""

    status: int
    body: bytes


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One case.

    `target`: an `answer` is split and read, a `slice` read; a `talk` is a whole conversation; a `push` is refused, and a `signed`
    one read.
    """

    carrier: str
    target: str
    how: str
    replies: list[Reply]
    asked: list[str] = []
    seed: int = 0
    index: int = 0

    @property
    def size(self) -> int:
        """Bytes of all bodies."""
        return sum(len(reply.body) for reply in self.replies)


class Finding(Exception):  # noqa: N818 - what a search finds
    """Something that must never be."""


def demand(true: object, text: str) -> None:
    """Raises Finding(text) where it is not so."""
    if not true:
        raise Finding(text)


def run(case: Case, adapter: Adapter | None = None) -> None:
    """Try `case`. Raises Finding, or whatever else the adapter raises: that is one too."""
    started = time.process_time()
    _try(case, adapter or registry.get(case.carrier))
    took = time.process_time() - started
    demand(took < CPU_SECONDS + CPU_SECONDS_PER_BYTE * case.size, f"it took {took:.1f} s for {case.size} bytes")


def _try(case: Case, adapter: Adapter) -> None:
    {"answer": _answer, "slice": _slice, "talk": _talk, "push": _push, "signed": _signed}[case.target](adapter, case)


def measured(case: Case, adapter: Adapter | None = None) -> int:
    """Try `case` and give its peak of memory in bytes. Raises Finding where that is beyond the allowed."""
    tracemalloc.start()
    try:
        _try(case, adapter or registry.get(case.carrier))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    demand(peak <= PEAK_BASE + PEAK_PER_BYTE * case.size, f"{peak} bytes of memory for {case.size} bytes")
    return peak


def _answer(adapter: Adapter, case: Case) -> None:
    (reply,) = case.replies
    response = Response(status=reply.status, body=reply.body)
    try:
        slices = adapter.split(response, case.asked)
    except CarrierError as error:
        _check_error(error)
        return
    demand(not case.asked or list(slices) == list(dict.fromkeys(case.asked)), "it answers other numbers than those asked for")
    again = adapter.split(response, case.asked) if case.index % 16 == 0 else None
    for number, cut in slices.items():
        if isinstance(cut, CarrierError):
            _check_error(cut)
        else:
            demand(again is None or again[number] == cut, "the same answer gives another slice")
            told = _read(adapter, cut, case.carrier, reply.body)
            demand(told is None or case.asked or told.number in {None, number}, "a slice names another number than its answer")


def _slice(adapter: Adapter, case: Case) -> None:
    (reply,) = case.replies
    _read(adapter, reply.body, case.carrier, reply.body)


def _read(adapter: Adapter, raw: bytes, carrier: str, body: bytes) -> Tracking | None:
    try:
        told = adapter.read(raw)
    except CarrierError as error:
        demand(error.kind is ErrorKind.BAD_RESPONSE, f"reading a slice says {error.kind}")
        _check_error(error)
        return None
    _check_tracking(told)
    statuses = {told.status, *(event.status for event in told.events)} - evidence.ALWAYS
    if statuses:
        invented = statuses - evidence.justified(carrier, body)
        demand(not invented, f"no value of the body means {', '.join(sorted(invented))}")
    return told


def _check_error(error: CarrierError) -> None:
    demand(len(error.message) <= LONGEST_TEXT, f"an error of {len(error.message)} characters")
    demand(error.code is None or len(error.code) <= LONGEST_TEXT, f"the code of an error of {len(error.code or '')} characters")
    _check_text(error.message, error.code)


def _check_tracking(told: Tracking) -> None:
    demand(isinstance(told.status, TrackingStatus), "a status that is none of ours")
    _check_text(
        told.number, told.raw_status, told.raw_sub_status, told.carrier_code, told.linked_number, *told.unmapped, *told.notes
    )
    keys = [event.key for event in told.events]
    demand(len(set(keys)) == len(keys), "the same event twice")
    for event in told.events:
        _check_text(event.raw_code, event.description, event.location)
        demand(event.time is None or _YEARS[0] <= event.time <= _YEARS[1], f"a time that is none: {event.time}")
        demand(event.offset is None or abs(event.offset) < _DAY, f"an offset that is none: {event.offset}")
        demand(event.local_time is None or len(event.local_time) == len(_WALL), f"no wall clock: {event.local_time!r}")
        demand(event.country is None or (len(event.country) == 2 and event.country.isalpha()), "a country that is none")
    times = [event.time for event in told.events if event.time is not None and event.offset is not None]
    demand(times == sorted(times) or len(times) < len(told.events), "events out of order")


def _check_text(*texts: Any) -> None:
    for text in texts:
        demand(text is None or isinstance(text, str), f"{type(text).__name__} instead of text")
        # Half a surrogate pair is no text that a database takes.
        demand(
            text is None or text.isascii() or text.encode("utf-8", "replace") == text.encode("utf-8", "surrogatepass"),
            "half a letter",
        )


def _talk(adapter: Adapter, case: Case) -> None:
    """Two conversations about the same numbers, the second one with what the first one learnt."""
    told = registry.describe(case.carrier)
    options = {"public_page": True, "register": True, "reregister": True, "zone": "+08:00"}
    account = Account(
        id="fuzz", base_url="https://source.invalid", secrets=dict.fromkeys(told.secrets, "s3cret"), options=options
    )
    codes = ("3011", None, "usps")
    queries = [Query(number=number, carrier_code=codes[at % 3]) for at, number in enumerate(dict.fromkeys(case.asked))]
    replies, memory = iter(case.replies), Memory()
    for _ in range(2):
        try:
            batch = _held(adapter, queries, account, memory, replies)
        except CarrierError as error:
            _check_error(error)
            continue
        _check_batch(batch, queries)
        memory = Memory(account=batch.memory.account or memory.account, numbers={**memory.numbers, **batch.memory.numbers})


def _held(adapter: Adapter, queries: Sequence[Query], account: Account, memory: Memory, replies: Any) -> Batch:
    talk = adapter.ask(queries, account, memory, NOW)
    try:
        request: Request = next(talk)
        for _ in range(MOST_REQUESTS):
            demand(request.url.startswith(("https://", "http://", "drop:")), "a request to nowhere")
            reply = next(replies, Reply(0, b""))
            if reply.status == 0:
                request = talk.throw(CarrierError(ErrorKind.UNAVAILABLE, "nobody answers"))
            else:
                request = talk.send(Response(status=reply.status, body=reply.body))
    except StopIteration as end:
        batch: Batch = end.value
        return batch
    raise Finding(f"a conversation of more than {MOST_REQUESTS} requests about {len(queries)} numbers")


def _check_batch(batch: Batch, queries: Sequence[Query]) -> None:
    demand(set(batch.answers) == {query.number for query in queries}, "the batch answers other numbers than those asked for")
    for cut in batch.answers.values():
        if isinstance(cut, CarrierError):
            _check_error(cut)
    kept = msgspec.json.encode(batch.memory)
    demand(len(kept) <= _MEMORY, f"a memory of {len(kept)} bytes")
    demand(set(batch.memory.numbers) <= {query.number for query in queries}, "it remembers numbers that nobody asked about")


def _push(adapter: Adapter, case: Case) -> None:
    """Whatever is not signed is refused, before anything of it is believed."""
    (reply,) = case.replies
    headers = dict.fromkeys(_signatures(reply.body), case.how)
    try:
        adapter.read_push(headers, reply.body, _SECRET, NOW)
    except CarrierError as error:
        _check_error(error)
        expected = (
            {ErrorKind.AUTH, ErrorKind.BAD_RESPONSE} if registry.describe(case.carrier).push else {ErrorKind.INVALID_REQUEST}
        )
        demand(error.kind in expected, f"an unsigned push is {error.kind}")
    else:
        raise Finding("a push that nobody signed is taken")


def _signed(adapter: Adapter, case: Case) -> None:
    """Whoever knows the secret may push what he likes: it is read as any other answer."""
    (reply,) = case.replies
    try:
        pushes = adapter.read_push(_signatures(reply.body), reply.body, _SECRET, NOW)
    except CarrierError as error:
        _check_error(error)
        return
    for push in pushes:
        told = _read(adapter, push.slice, case.carrier, reply.body)
        demand(told is None or told.number in {None, push.number}, "a push names another number than its slice")


def _signatures(body: bytes) -> dict[str, str]:
    """What every source that pushes wants to find in its headers."""
    key, moment = _SECRET.encode(), str(int(NOW.timestamp()))
    return {
        "sign": sha256(body + b"/" + key).hexdigest(),
        "signature": hmac_hex(key, body),
        "aftership-hmac-sha256": hmac_base64(key, body),
        "x-hmac-signature": f"hmac-sha256-hex={hmac_hex(key, body)}",
        "shippo-auth-signature": f"t={moment},v1={hmac_hex(key, moment.encode() + b'.' + body)}",
    }
