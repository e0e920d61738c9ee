"""17TRACK's life cycle, held over real HTTP with a stand-in account on loopback (facts: 17TRACK)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from carriers.base import Account, Batch, Memory, Query, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.http import HttpTransport
from carriers.model import TrackingStatus
from carriers.scans import digest
from carriers.seventeen_track import SeventeenTrack
from tests.carriers.loopback import Reply, converse, http, serving

NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
ADAPTER = SeventeenTrack()
ONE, TWO = "RB000000115CN", "LB000000129CN"

Rejection = Callable[[dict[str, Any]], tuple[int, str] | None]


def info(status: str, sub_status: str | None = None) -> dict[str, Any]:
    latest = {"status": status, "sub_status": sub_status or f"{status}_Other"}
    event = {"time_iso": "2026-04-02T09:30:00+08:00", "description": "Accepted", "sub_status": "InTransit_PickedUp"}
    return {"latest_status": latest, "tracking": {"providers": [{"events": [] if status == "NotFound" else [event]}]}}


class StandIn:
    """An account at 17TRACK: what is registered under which carrier, and what each endpoint was asked."""

    def __init__(self) -> None:
        self.registered: dict[str, int] = {}
        self.retracked: set[str] = set()
        self.infos: dict[str, dict[str, Any]] = {}
        self.reject: dict[str, tuple[int, str]] = {}
        self.whole: dict[str, bytes] = {}
        self.log: list[tuple[str, list[dict[str, Any]]]] = []

    def __call__(self, _: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        assert headers["17token"] == "key-1"
        endpoint, items = path.rpartition("/")[2], json.loads(body)
        self.log.append((endpoint, items))
        if endpoint in self.whole:
            return self.whole[endpoint]
        accepted, rejected = [], []
        for item in items:
            said = getattr(self, endpoint)(item)
            refused = self.reject.get(f"{endpoint} {item['number']}") or (said if isinstance(said, tuple) else None)
            if refused:
                rejected.append({"number": item["number"], "error": {"code": refused[0], "message": refused[1]}})
            elif said is not None:
                accepted.append(said)
        return http(200, json.dumps({"code": 0, "data": {"accepted": accepted, "rejected": rejected}}).encode())

    def register(self, item: dict[str, Any]) -> dict[str, Any] | tuple[int, str] | None:
        if item["number"] in self.registered:
            return -18019901, "already registered"
        if f"register {item['number']}" not in self.reject:
            self.registered[item["number"]] = item.get("carrier", 3011)
        return {"origin": 1, "number": item["number"], "carrier": item.get("carrier", 3011)}

    def gettrackinfo(self, item: dict[str, Any]) -> dict[str, Any] | tuple[int, str] | None:
        number = item["number"]
        carrier = self.registered.get(number)
        if carrier is None or item.get("carrier", carrier) != carrier:
            return -18019902, "not registered"
        told = self.infos.get(number, info("NotFound"))
        return {"number": number, "carrier": carrier, "track_info": told} if told else None

    def retrack(self, item: dict[str, Any]) -> dict[str, Any] | tuple[int, str]:
        if item["number"] in self.retracked:
            return -18019905, "retrack allowed once only"
        self.retracked.add(item["number"])
        return {"number": item["number"]}

    def deletetrack(self, item: dict[str, Any]) -> dict[str, Any]:
        del self.registered[item["number"]]
        return {"number": item["number"]}

    def changecarrier(self, item: dict[str, Any]) -> dict[str, Any]:
        assert self.registered[item["number"]] == item["carrier_old"]
        if f"changecarrier {item['number']}" not in self.reject:
            self.registered[item["number"]] = item["carrier_new"]
        return {"number": item["number"], "carrier": item["carrier_new"]}

    def endpoints(self) -> list[str]:
        """What was asked since the last time."""
        asked = [endpoint for endpoint, _ in self.log]
        self.log.clear()
        return asked


class Talker:
    """Holds conversations one after the other and keeps the memory, as polling does."""

    def __init__(self, source: StandIn, transport: HttpTransport, base: str) -> None:
        self.source = source
        self.transport = transport
        self.base = base
        self.memory: dict[str, Mapping[str, Any]] = {}
        self.options: dict[str, Any] = {}

    async def ask(self, *queries: Query | str) -> Batch:
        asked = [query if isinstance(query, Query) else Query(number=query) for query in queries]
        account = Account(id="main", base_url=f"{self.base}/track/v2.2/", secrets={"api_key": "key-1"}, options=self.options)
        batch = await converse(ADAPTER, asked, account, Memory(numbers=self.memory), NOW, self.transport)
        self.memory |= batch.memory.numbers
        return batch

    async def status(self, number: str, carrier_code: str | None = None) -> TrackingStatus:
        answer = (await self.ask(Query(number=number, carrier_code=carrier_code))).answers[number]
        assert isinstance(answer, bytes)
        return ADAPTER.read(answer).status


@pytest.fixture
async def talker() -> AsyncIterator[Talker]:
    source = StandIn()
    async with serving(source) as base:
        transport = HttpTransport(account_id="main")
        yield Talker(source, transport, base)
        await transport.close()


def kind(answer: bytes | CarrierError) -> ErrorKind:
    assert isinstance(answer, CarrierError)
    return answer.kind


async def test_a_new_number_is_registered_once_and_then_only_looked_at(talker: Talker) -> None:
    """A registration is paid for: memory keeps it across polls."""
    assert await talker.status(ONE) is TrackingStatus.NOT_FOUND
    assert talker.source.endpoints() == ["register", "gettrackinfo"]
    assert talker.memory[ONE] == {"registered_at": NOW.isoformat(), "carrier": 3011}
    talker.source.infos[ONE] = info("InTransit")
    first = await talker.ask(ONE)
    assert talker.source.log == [("gettrackinfo", [{"number": ONE, "carrier": 3011}])]
    assert first.memory == Memory()


async def test_an_unchanged_parcel_gives_the_same_digest_though_the_source_looked_again(talker: Talker) -> None:
    """The hot path: sync times and day counts are not part of the slice."""
    talker.source.infos[ONE] = info("InTransit")
    first = (await talker.ask(ONE)).answers[ONE]
    noise = {"time_metrics": {"days_after_last_update": 3}, "milestone": [], "latest_event": {"time_iso": None}}
    talker.source.infos[ONE] |= noise
    talker.source.infos[ONE]["tracking"] |= {"providers_hash": 5}
    talker.source.infos[ONE]["tracking"]["providers"][0] |= {"latest_sync_time": "2026-05-02T06:00:00Z", "events_hash": 7}
    again = (await talker.ask(ONE)).answers[ONE]
    assert isinstance(first, bytes)
    assert isinstance(again, bytes)
    assert digest(first) == digest(again)


async def test_already_registered_is_success(talker: Talker) -> None:
    """Under another carrier than we have in mind: we look without one and learn it."""
    talker.source.registered[ONE] = 190271
    talker.source.infos[ONE] = info("InTransit")
    assert await talker.status(ONE, "3011") is TrackingStatus.IN_TRANSIT
    assert talker.source.endpoints() == ["register", "gettrackinfo"]
    assert talker.memory[ONE]["carrier"] == 190271


async def test_a_registration_that_the_source_forgot_is_made_again_once(talker: Talker) -> None:
    """-18019902: stopped numbers are erased after 90 days."""
    talker.memory[ONE] = {
        "registered_at": "2026-01-01T00:00:00+00:00",
        "carrier": 3011,
        "retracked_at": "2026-02-01T00:00:00+00:00",
    }
    assert await talker.status(ONE) is TrackingStatus.NOT_FOUND
    assert talker.source.endpoints() == ["gettrackinfo", "register", "gettrackinfo"]
    assert talker.memory[ONE] == {"registered_at": NOW.isoformat(), "carrier": 3011}


async def test_asking_again_and_again_is_bounded(talker: Talker) -> None:
    talker.memory[ONE] = {"registered_at": "2026-01-01T00:00:00+00:00"}
    talker.source.reject[f"gettrackinfo {ONE}"] = (-18019902, "not registered")
    assert kind((await talker.ask(ONE)).answers[ONE]) is ErrorKind.NOT_REGISTERED
    assert talker.source.endpoints() == ["gettrackinfo", "register", "gettrackinfo"]


async def test_a_refused_registration_is_the_numbers_error_and_others_go_on(talker: Talker) -> None:
    talker.source.reject["register 77"] = (-18010012, "format")
    answers = (await talker.ask("77", ONE)).answers
    assert kind(answers["77"]) is ErrorKind.INVALID_NUMBER
    assert isinstance(answers[ONE], bytes)
    assert "77" not in talker.memory


async def test_a_number_that_an_answer_leaves_out_is_an_error(talker: Talker) -> None:
    talker.source.infos[ONE] = {}
    assert kind((await talker.ask(ONE, TWO)).answers[ONE]) is ErrorKind.BAD_RESPONSE


async def test_expired_is_never_lost_and_is_woken_up_once(talker: Talker) -> None:
    """Issue: its Expired is not *lost*; one retrack per number, then it stays stopped."""
    talker.source.infos[ONE] = info("Expired")
    assert await talker.status(ONE) is TrackingStatus.EXPIRED
    assert talker.source.endpoints() == ["register", "gettrackinfo", "retrack"]
    assert talker.memory[ONE]["retracked_at"] == NOW.isoformat()
    batch = await talker.ask(ONE)
    assert talker.source.endpoints() == ["gettrackinfo"]
    answer = batch.answers[ONE]
    assert isinstance(answer, bytes)
    tracking = ADAPTER.read(answer)
    assert tracking.stopped
    assert tracking.reason is None
    assert tracking.notes == ("the source stopped looking after 30 days without news",)


async def test_a_retrack_used_up_elsewhere_is_remembered(talker: Talker) -> None:
    talker.source.infos[ONE] = info("Expired")
    talker.source.retracked.add(ONE)
    await talker.ask(ONE)
    assert "retracked_at" in talker.memory[ONE]


@pytest.mark.parametrize("failure", [http(500), http(200, b'{"code":0,"data":{"accepted":[]}}')], ids=["down", "left out"])
async def test_a_retrack_that_fails_takes_no_answer_away_and_is_tried_again(talker: Talker, failure: bytes) -> None:
    talker.source.infos[ONE] = info("Expired")
    talker.source.whole["retrack"] = failure
    assert await talker.status(ONE) is TrackingStatus.EXPIRED
    assert "retracked_at" not in talker.memory[ONE]
    talker.source.whole.clear()
    await talker.ask(ONE)
    assert "retracked_at" in talker.memory[ONE]


async def test_registering_anew_costs_quota_and_happens_only_where_the_account_allows_it_and_once(talker: Talker) -> None:
    talker.source.infos[ONE] = info("Expired")
    talker.options["reregister"] = True
    assert await talker.status(ONE) is TrackingStatus.EXPIRED
    assert "deletetrack" not in talker.source.endpoints()
    assert await talker.status(ONE) is TrackingStatus.EXPIRED
    assert talker.source.endpoints() == ["gettrackinfo", "deletetrack", "register"]
    assert talker.memory[ONE] == {"registered_at": NOW.isoformat(), "carrier": 3011, "reregistered_at": NOW.isoformat()}
    for _ in range(3):
        await talker.ask(ONE)
    assert {"deletetrack", "register"}.isdisjoint(talker.source.endpoints())


async def test_a_refused_new_registration_keeps_the_answer(talker: Talker) -> None:
    talker.source.infos[ONE] = info("Expired")
    talker.options["reregister"] = True
    await talker.ask(ONE)
    talker.source.reject[f"register {ONE}"] = (-18019908, "quota")
    assert await talker.status(ONE) is TrackingStatus.EXPIRED
    assert "registered_at" not in talker.memory[ONE]


async def test_a_corrected_carrier_is_changed_and_the_sources_own_correction_is_not_fought(talker: Talker) -> None:
    """Issue: change of carrier. 17TRACK corrected 3011 to 190271; only a person's new word changes it again."""
    talker.source.infos[ONE] = info("InTransit")
    talker.source.registered[ONE] = 190271
    talker.memory[ONE] = {"registered_at": NOW.isoformat(), "carrier": 190271, "asked": 3011}
    await talker.status(ONE, "3011")
    assert talker.source.endpoints() == ["gettrackinfo"]
    await talker.status(ONE, "190012")
    assert talker.source.log[0] == ("changecarrier", [{"number": ONE, "carrier_old": 190271, "carrier_new": 190012}])
    assert talker.source.log[1] == ("gettrackinfo", [{"number": ONE, "carrier": 190012}])
    assert talker.memory[ONE] == {"registered_at": NOW.isoformat(), "carrier": 190012, "asked": 190012, "changes": 1}


async def test_a_refused_change_is_tried_five_times_and_the_number_is_looked_at_all_the_same(talker: Talker) -> None:
    talker.source.infos[ONE] = info("InTransit")
    talker.source.registered[ONE] = 3011
    talker.memory[ONE] = {"registered_at": NOW.isoformat(), "carrier": 3011}
    talker.source.reject[f"changecarrier {ONE}"] = (-18019801, "no result yet")
    for _ in range(7):
        assert await talker.status(ONE, "190012") is TrackingStatus.IN_TRANSIT
    assert talker.source.endpoints().count("changecarrier") == 5


async def test_a_change_that_is_refused_as_a_whole_does_not_hide_what_is_known(talker: Talker) -> None:
    talker.source.infos[ONE] = info("InTransit")
    talker.source.registered[ONE] = 3011
    talker.memory[ONE] = {"registered_at": NOW.isoformat(), "carrier": 3011}
    errors = {"code": -18010015, "data": {"errors": [{"code": -18010015, "message": "carrier_new"}]}}
    talker.source.whole["changecarrier"] = http(200, json.dumps(errors).encode())
    for _ in range(7):
        assert await talker.status(ONE, "190012") is TrackingStatus.IN_TRANSIT
    assert talker.source.endpoints().count("changecarrier") == 5
    talker.memory[ONE] = {"registered_at": NOW.isoformat(), "carrier": 3011}
    talker.source.whole["changecarrier"] = http(503)
    with pytest.raises(CarrierError):
        await talker.ask(Query(number=ONE, carrier_code="190012"))


async def test_no_information_yet_answers_a_look_and_nothing_else(talker: Talker) -> None:
    """-18019909 is "not found" where we look; a registration or a waking that it refuses has not happened."""
    talker.source.reject[f"register {ONE}"] = (-18019909, "no tracking information at this time")
    assert kind((await talker.ask(ONE)).answers[ONE]) is ErrorKind.INVALID_REQUEST
    assert ONE not in talker.memory
    talker.source.registered[TWO] = 3011
    talker.source.infos[TWO] = info("Expired")
    talker.source.reject[f"retrack {TWO}"] = (-18019909, "no tracking information at this time")
    await talker.ask(TWO)
    assert "retracked_at" not in talker.memory[TWO]


async def test_a_carrier_code_that_is_none_is_the_configurations_mistake(talker: Talker) -> None:
    answers = (await talker.ask(Query(number=ONE, carrier_code="china_post"), Query(number=TWO, carrier_code="3011"))).answers
    assert kind(answers[ONE]) is ErrorKind.INVALID_REQUEST
    assert isinstance(answers[TWO], bytes)
    assert talker.source.log[0] == ("register", [{"number": TWO, "auto_detection": True, "carrier": 3011}])


QUOTA = json.dumps({"code": -18019908, "data": {"errors": [{"code": -18019908, "message": "quota"}]}}).encode()


async def test_without_quota_registered_numbers_are_still_looked_at(talker: Talker) -> None:
    """Looking is free; only new numbers wait."""
    await talker.ask(ONE)
    talker.source.whole["register"] = http(200, QUOTA)
    answers = (await talker.ask(ONE, TWO)).answers
    assert isinstance(answers[ONE], bytes)
    assert kind(answers[TWO]) is ErrorKind.QUOTA_EXHAUSTED
    with pytest.raises(CarrierError) as failed:
        await talker.ask(TWO)
    assert failed.value.kind is ErrorKind.QUOTA_EXHAUSTED


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (http(401, b'{"code":401,"data":{"errors":[{"code":-18010002,"message":"Invalid security key."}]}}'), ErrorKind.AUTH),
        (http(403, b"<html>Forbidden</html>"), ErrorKind.AUTH),
        (http(404, b"<html>nginx</html>"), ErrorKind.UNAVAILABLE),
        (http(429, b"", Retry_After="9"), ErrorKind.RATE_LIMITED),
        (http(503, b'{"code":0,"data":{"accepted":[]}}'), ErrorKind.UNAVAILABLE),
        (http(500, b'{"code":-18777777,"data":{"errors":[]}}'), ErrorKind.UNAVAILABLE),
        (http(200, b'{"code":500,"data":{"errors":[{"code":500,"message":"oops"}]}}'), ErrorKind.UNAVAILABLE),
        (http(200, b"<html>Just a moment</html>"), ErrorKind.BAD_RESPONSE),
        (http(200, b'{"code":0,"data":{"acc'), ErrorKind.BAD_RESPONSE),
        (http(200, b""), ErrorKind.BAD_RESPONSE),
        ([b""], ErrorKind.UNAVAILABLE),
    ],
    ids=["key", "forbidden", "gone", "429", "503", "500 in JSON", "500 in 200", "HTML", "truncated", "empty", "closed"],
)
async def test_a_failed_request_is_an_error_of_its_kind_and_teaches_nothing(
    talker: Talker, reply: bytes, expected: ErrorKind
) -> None:
    """Issue, bad input: no parcel ages towards "untrackable" because of it."""
    talker.memory[ONE] = {"registered_at": "then", "carrier": 3011}
    talker.source.whole["gettrackinfo"] = reply
    with pytest.raises(CarrierError) as failed:
        await talker.ask(ONE)
    assert failed.value.kind is expected
    assert failed.value.retry_after in {None, 9.0}


async def test_what_was_learnt_before_a_failure_is_kept(talker: Talker) -> None:
    """A paid registration is not forgotten because the next request failed."""
    talker.source.whole["gettrackinfo"] = http(500)
    batch = await talker.ask(ONE)
    assert kind(batch.answers[ONE]) is ErrorKind.UNAVAILABLE
    assert talker.memory[ONE]["registered_at"] == NOW.isoformat()


def signed(body: bytes, key: str = "key-1") -> dict[str, str]:
    return {"sign": sha256(body + b"/" + key.encode()).hexdigest()}


def push(event: str, **data: Any) -> bytes:
    return json.dumps({"event": event, "data": {"number": ONE, "carrier": 3011, **data}}).encode()


def test_a_signed_push_goes_through_the_same_door_as_an_answer() -> None:
    body = push("TRACKING_UPDATED", track_info=info("Delivered"))
    (pushed,) = ADAPTER.read_push(signed(body), body, "key-1", NOW)
    asked = ADAPTER.split(
        Response(status=200, body=json.dumps({"code": 0, "data": {"accepted": [json.loads(body)["data"]]}}).encode()), [ONE]
    )
    assert (pushed.number, pushed.slice) == (ONE, asked[ONE])


def test_a_stopped_push_tells_that_nobody_looks_and_nothing_about_the_parcel() -> None:
    body = push("TRACKING_STOPPED")
    (pushed,) = ADAPTER.read_push(signed(body), body, "key-1", NOW)
    told = ADAPTER.read(pushed.slice)
    assert (told.stopped, told.status, told.events) == (True, TrackingStatus.UNKNOWN, ())


@pytest.mark.parametrize(
    ("headers", "secret"),
    [({}, "key-1"), ({"sign": "0" * 64}, "key-1"), (signed(push("TRACKING_STOPPED"), "other"), "key-1"), (signed(b"{}", ""), "")],
)
def test_a_forged_push_is_refused(headers: dict[str, str], secret: str) -> None:
    """Faults 28: by a changed key, a changed body, or an account that has no key at all."""
    with pytest.raises(CarrierError) as refused:
        ADAPTER.read_push(headers, push("TRACKING_STOPPED") if secret else b"{}", secret, NOW)
    assert refused.value.kind is ErrorKind.AUTH


def read(track_info: dict[str, Any]) -> Any:
    body = json.dumps({"code": 0, "data": {"accepted": [{"number": ONE, "carrier": 3011, "track_info": track_info}]}}).encode()
    cut = ADAPTER.split(Response(status=200, body=body), [ONE])[ONE]
    assert isinstance(cut, bytes)
    return ADAPTER.read(cut)


def test_two_records_of_a_number_give_the_fuller_one_whatever_their_order() -> None:
    records = [
        {"number": ONE, "carrier": 1, "track_info": info("NotFound")},
        {"number": ONE, "carrier": 2, "track_info": info("InTransit")},
    ]
    for accepted in (records, records[::-1]):
        body = json.dumps({"code": 0, "data": {"accepted": accepted}}).encode()
        cut = ADAPTER.split(Response(status=200, body=body), [ONE])[ONE]
        assert isinstance(cut, bytes)
        assert ADAPTER.read(cut).carrier_code == "2"


def test_a_parcel_without_any_status_is_unknown() -> None:
    assert read({}).status is TrackingStatus.UNKNOWN
    scans = read(info("InTransit") | {"latest_status": None})
    assert (scans.status, scans.notes) == (TrackingStatus.IN_TRANSIT, ()), "its scans speak"
    assert read({"latest_status": {"status": None, "sub_status": "InTransit_Arrival"}}).status is TrackingStatus.IN_TRANSIT


def test_a_delivery_that_its_own_sub_status_or_a_later_scan_denies_is_none() -> None:
    """Rules across carriers 6: a return wins, also where a scan without a meaning follows it."""
    assert read({"latest_status": {"status": "Delivered", "sub_status": "Exception_Returned"}}).status is TrackingStatus.RETURNED
    for codes, status in (
        (("Delivered_Other", "Exception_Returned", None), TrackingStatus.RETURNED),
        (("Exception_Returned", "Delivered_Other", None), TrackingStatus.DELIVERED),
    ):
        scans = [{"time_iso": f"2026-04-0{day}T10:00:00Z", "sub_status": code} for day, code in enumerate(codes, 1)]
        assert read(info("Delivered") | {"tracking": {"providers": [{"events": scans}]}}).status is status


def test_not_found_beside_undated_events_is_unknown() -> None:
    told = info("NotFound")
    told["tracking"]["providers"][0]["events"] = [{"description": "somewhere", "sub_status": "InTransit_Other"}]
    assert read(told).status is TrackingStatus.UNKNOWN


def test_times_come_from_what_is_there() -> None:
    """time_iso, else time_utc, else the carrier's own text as a wall clock of unknown zone."""
    told = info("InTransit")
    told["tracking"]["providers"][0]["events"] = [
        {"time_raw": {"date": "2026-04-01", "time": None, "timezone": None}},
        {"time_utc": "2026-04-02T01:30:00Z"},
        {"time_iso": "2026-04-03T09:30:00+08:00", "time_utc": "never"},
    ]
    tracking = read(told)
    assert [(event.time, event.local_time, event.offset) for event in tracking.events] == [
        (None, "2026-04-01T00:00:00", None),
        (1775093400, "2026-04-02T01:30:00", 0),
        (1775179800, "2026-04-03T09:30:00", 480),
    ]
    assert tracking.notes == ("time_iso and time_utc of an event name two instants",)


def test_two_scans_without_an_instant_are_told_apart_by_what_was_printed() -> None:
    event = {"description": "Arrived", "sub_status": "InTransit_Arrival"}
    events = [event | {"time_raw": {"date": f"2026-04-0{day}", "time": "10:00:00"}} for day in (1, 2)]
    latest = {"status": "InTransit", "sub_status": "InTransit_Arrival"}
    parcel = {"number": ONE, "track_info": {"latest_status": latest, "tracking": {"providers": [{"events": events}]}}}
    told = ADAPTER.read(json.dumps(parcel).encode())
    assert [each.local_time for each in told.events] == ["2026-04-01T10:00:00", "2026-04-02T10:00:00"]


def test_whoever_signed_is_not_in_the_description() -> None:
    """Rules across carriers 14: couriers write a name behind "signed for by"."""
    for text in ("Delivered - Signed for by: JANE DOE", "Delivered. SIGNED BY JANE DOE"):
        event = {"time_iso": "2026-04-01T10:00:00Z", "description": text}
        parcel = {"number": ONE, "track_info": {"tracking": {"providers": [{"events": [event]}]}}}
        assert ADAPTER.read(json.dumps(parcel).encode()).events[0].description == "Delivered"


def test_a_place_without_a_text_is_made_of_town_and_state() -> None:
    told = info("InTransit")
    told["tracking"]["providers"][0]["events"][0] |= {"address": {"country": "BR", "state": "PE", "city": "Recife"}}
    (event,) = read(told).events
    assert (event.location, event.country) == ("Recife, PE", "BR")


def test_the_parcels_own_number_is_no_last_mile_number() -> None:
    assert read(info("InTransit") | {"misc_info": {"local_number": ONE}}).linked_number is None
    assert read(info("InTransit") | {"misc_info": {"local_number": ""}}).linked_number is None
    assert read(info("InTransit") | {"misc_info": {"local_number": "NX1"}}).linked_number == "NX1"


def test_a_rejection_that_drifted_is_that_numbers_error() -> None:
    body = json.dumps({"code": 0, "data": {"accepted": [], "rejected": [{"number": ONE, "error": "no"}, {"error": "nobody"}]}})
    told = ADAPTER.split(Response(status=200, body=body.encode()), ())
    assert [(number, kind(cut)) for number, cut in told.items()] == [(ONE, ErrorKind.BAD_RESPONSE)]
    with pytest.raises(CarrierError):
        ADAPTER.split(Response(status=200, body=b'{"code":-1,"data":{"accepted":[7]}}'), ())


def test_an_unknown_kind_of_delivery_on_top_is_one_and_in_a_scan_is_none() -> None:
    """Style 7: the main status is the source's verdict; a scan that nobody can read may be a delivery to the sender."""
    told = info("Delivered", "Delivered_Warped")
    told["tracking"]["providers"][0]["events"][0]["sub_status"] = "Delivered_Warped"
    tracking = read(told)
    assert (tracking.status, tracking.events[0].status) == (TrackingStatus.DELIVERED, TrackingStatus.UNKNOWN)
    assert tracking.unmapped == ("Delivered_Warped",)


def test_what_is_kept_of_an_answer_holds_no_street_and_no_signer() -> None:
    """Facts rule 14, D10: a slice's scans are cut out unread; what is kept as evidence holds the allowed fields alone."""
    scan = {
        "time_iso": "2026-05-01T10:00:00-03:00",
        "description": "Delivered, signed for by J. Doe",
        "location": "Sao Paulo",
        "sub_status": "Delivered_Other",
        "signature": "J. Doe",
        "address": {"country": "BR", "state": "SP", "city": "Sao Paulo", "street": "Rua Um 1", "coordinates": {"latitude": "1"}},
    }
    info = {"latest_status": {"status": "Delivered"}, "tracking": {"providers": [{"events": [scan]}]}}
    body = json.dumps({"code": 0, "data": {"accepted": [{"number": "RB000000115CN", "track_info": info}], "rejected": []}})
    adapter = SeventeenTrack()
    (cut,) = adapter.split(Response(status=200, body=body.encode()), ()).values()
    assert isinstance(cut, bytes)
    kept = adapter.discreet(cut)
    assert not any(word in kept for word in (b"Doe", b"Rua", b"latitude", b"signature"))
    # The fingerprint is over the raw text, so it differs: what is kept is evidence, and never read again.
    told, shown = adapter.read(cut).events[0], adapter.read(kept).events[0]
    assert (told.time, told.description, told.location) == (shown.time, shown.description, shown.location)
    assert adapter.discreet(b'{"number": "A"}') == adapter.discreet(b'{"number": "A", "more": 1}')
