"""Holding a conversation: passing failures are tried again, the adapter keeps what it learnt, nothing waits for real."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from datetime import UTC, datetime

import pytest

from carriers.base import Account, Batch, Memory, Push, Query, Request, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingStatus
from tracker.clock import SimulatedClock
from tracker.polling import Source
from tracker.polling.conversation import converse

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


class TwoSteps:
    """Registers, then looks. A failed look keeps the registration."""

    name = "two_steps"
    batch_size = 40

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        numbers = [query.number for query in queries]
        yield Request(method="POST", url="register")
        learnt = Memory(numbers={number: {"registered": True} for number in numbers})
        try:
            response = yield Request(method="POST", url="look")
            answers = self.split(response, numbers)
        except CarrierError as error:
            answers = dict.fromkeys(numbers, error)
        return Batch(answers=answers, memory=learnt)

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        if response.status != 200:
            raise CarrierError(ErrorKind.UNAVAILABLE, f"HTTP {response.status}")
        return dict.fromkeys(asked, response.body)

    def read(self, raw: bytes) -> Tracking:
        return Tracking(number=None, status=TrackingStatus.UNKNOWN)

    def read_push(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> Sequence[Push]:
        return ()


class Script:
    """A transport that plays a list: a Response, or an error to raise."""

    def __init__(self, *steps: Response | CarrierError) -> None:
        self.steps = list(steps)
        self.sent: list[str] = []

    async def send(self, request: Request) -> Response:
        self.sent.append(request.url)
        step = self.steps.pop(0)
        if isinstance(step, CarrierError):
            raise step
        return step

    async def close(self) -> None:
        self.steps.clear()


OK = Response(status=200, body=b"fine")
DOWN = CarrierError(ErrorKind.UNAVAILABLE, "no answer")


async def hold(transport: Script) -> Batch:
    source = Source(account=Account(id="a", base_url="x"), adapter=TwoSteps(), transport=transport, batch=40)
    return (await converse(source, [Query(number="N1")], Memory(), AT, SimulatedClock(AT)))[0]


async def test_each_request_is_answered_to_the_adapter() -> None:
    transport = Script(OK, OK)
    batch = await hold(transport)
    assert batch.answers == {"N1": b"fine"}
    assert transport.sent == ["register", "look"]


@pytest.mark.parametrize("passing", [DOWN, Response(status=503, body=b""), Response(status=500, body=b"")])
async def test_a_passing_failure_is_tried_again_at_once(passing: Response | CarrierError) -> None:
    transport = Script(OK, passing, passing, OK)
    batch = await hold(transport)
    assert batch.answers == {"N1": b"fine"}
    assert transport.sent == ["register", "look", "look", "look"]


@pytest.mark.parametrize("lasting", [DOWN, Response(status=503, body=b"")])
async def test_after_three_attempts_the_adapter_hears_of_it_and_keeps_what_it_learnt(lasting: Response | CarrierError) -> None:
    """A paid registration must not be forgotten because the look after it failed."""
    transport = Script(OK, lasting, lasting, lasting)
    batch = await hold(transport)
    assert isinstance(batch.answers["N1"], CarrierError)
    assert batch.memory.numbers == {"N1": {"registered": True}}


@pytest.mark.parametrize(
    "answer",
    [
        Response(status=429, body=b""),
        Response(status=503, body=b"", headers={"retry-after": "120"}),
        CarrierError(ErrorKind.RATE_LIMITED, "later", retry_after=3600),
        CarrierError(ErrorKind.BAD_RESPONSE, "a redirect"),
    ],
)
async def test_who_asks_us_to_wait_or_answers_rubbish_is_not_asked_again_at_once(answer: Response | CarrierError) -> None:
    transport = Script(OK, answer, OK)
    await hold(transport)
    assert transport.sent == ["register", "look"]


async def test_a_failure_of_the_whole_request_is_raised() -> None:
    with pytest.raises(CarrierError):
        await hold(Script(DOWN, DOWN, DOWN))
