"""The carrier stand-in keeps the aggregator's own rules, so that what the product learns from it is true of the real one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from tracker.demo.standin import Aggregator, ScriptedEvent, ScriptedParcel, StandIn, Trouble

START = datetime(2026, 4, 1, tzinfo=UTC)
NUMBER = "LX400100119CN"


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.day = 0.0

    def now(self) -> datetime:
        return START + timedelta(days=self.day)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def aggregator(clock: Clock, *events: tuple[float, str], known: bool = True, trouble: Trouble | None = None) -> Aggregator:
    script = tuple(ScriptedEvent(at=START + timedelta(days=day), sub_status=what, description=what) for day, what in events)
    parcel = ScriptedParcel(number=NUMBER, events=script, known=known)
    return Aggregator([parcel], clock.now, token="key", troubles=[trouble] if trouble else [])


def call(source: Aggregator, door: str, *numbers: str) -> dict[str, Any]:
    body = msgspec.json.encode([{"number": number} for number in numbers or (NUMBER,)])
    return msgspec.json.decode(source.handle(f"/track/v2.2/{door}", "key", body)[1], type=dict[str, Any])


def codes(answer: dict[str, Any]) -> list[int]:
    return [each["error"]["code"] for each in answer["data"]["rejected"]]


def status(source: Aggregator) -> str:
    return str(call(source, "gettrackinfo")["data"]["accepted"][0]["track_info"]["latest_status"]["status"])


def test_a_number_is_registered_once_and_asked_about_only_then(clock: Clock) -> None:
    source = aggregator(clock)
    assert codes(call(source, "gettrackinfo")) == [-18019902]
    assert call(source, "register")["data"]["accepted"][0]["number"] == NUMBER
    assert codes(call(source, "register")) == [-18019901]
    assert source.quota_used == 1


def test_forty_numbers_a_request_and_not_one_more(clock: Clock) -> None:
    source = aggregator(clock)
    many = [f"LX4001{at:05d}CN" for at in range(41)]
    assert call(source, "register", *many)["data"]["errors"][0]["code"] == -18010014
    assert len(call(source, "register", *many[:40])["data"]["accepted"]) == 40


def test_a_bad_number_and_a_bad_key_are_refused(clock: Clock) -> None:
    source = aggregator(clock)
    assert codes(call(source, "register", "1234")) == [-18010012]
    assert source.handle("/track/v2.2/register", "other", b"[]")[0] == 401


def test_the_thirty_day_stop_hides_later_news_until_the_one_retrack(clock: Clock) -> None:
    source = aggregator(clock, (1, "InTransit_PickedUp"), (40, "InTransit_Arrival"))
    call(source, "register")
    clock.day = 2
    assert codes(call(source, "retrack")) == [-18019904], "only stopped numbers can be retracked"
    clock.day = 41
    assert status(source) == "Expired"
    call(source, "retrack")
    assert status(source) == "InTransit"
    clock.day = 75
    assert status(source) == "Expired"
    assert codes(call(source, "retrack")) == [-18019905], "retrack is allowed once"


def test_a_delivery_can_be_taken_back(clock: Clock) -> None:
    event = ScriptedEvent(
        at=START + timedelta(days=5), sub_status="Delivered_Other", description="Delivered", until=START + timedelta(days=7)
    )
    first = ScriptedEvent(at=START + timedelta(days=1), sub_status="InTransit_PickedUp", description="Accepted")
    source = Aggregator([ScriptedParcel(number=NUMBER, events=(first, event))], clock.now, token="key")
    call(source, "register")
    clock.day = 6
    assert status(source) == "Delivered"
    clock.day = 8
    assert status(source) == "InTransit"


@pytest.mark.parametrize(
    ("kind", "http"), [("unavailable", 503), ("rate_limited", 429), ("html", 200), ("inside_200", 200), ("truncated", 200)]
)
def test_trouble_comes_and_goes(clock: Clock, kind: str, http: int) -> None:
    source = aggregator(clock, trouble=Trouble(start=START, end=START + timedelta(days=1), kind=kind))
    assert source.handle("/track/v2.2/register", "key", b"[]")[0] == http
    with pytest.raises((msgspec.DecodeError, KeyError)):
        _ = call(source, "register")["data"]["accepted"]
    clock.day = 1
    assert call(source, "register")["code"] == 0


def test_it_answers_over_http_on_loopback(clock: Clock) -> None:
    with StandIn(aggregator(clock)) as server:
        answer = httpx.post(f"{server.base_url}/register", content=b"[]", headers={"17token": "key"})
        assert answer.json() == {"code": 0, "data": {"accepted": [], "rejected": []}}
