"""Two legs of one journey: Cainiao hands over, Correios delivers (facts/carriers.md section 3, rule 11)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from carriers import registry
from carriers.base import Account
from carriers.http import HttpTransport
from carriers.model import Tracking, TrackingEvent, TrackingStatus
from tests import house
from tests.carriers.loopback import Reply, http, serving
from tests.house import START
from tests.polling.test_routing import due
from tracker.clock import SimulatedClock
from tracker.model import Shipment
from tracker.polling import Cadence, Pace, Poller, StoreGate
from tracker.polling.conversation import Source
from tracker.polling.legs import link_of, without_twins
from tracker.rules import Rules
from tracker.store import PollWrite, Store
from tracker.store.rows import Link, PollChange

FIRST, LAST = "LP00000000000017", "NX000000439BR"
DAY = timedelta(days=1)
RULES: Rules = replace(house.rules(), sources={"cainiao": ("cainiao",), "correios": ("correios",), "*": ()})


def wall(days: float) -> str:
    return (START + days * DAY).strftime("%Y-%m-%dT%H:%M:%S")


def cainiao_row(*scans: tuple[float, str], linked: str | None = LAST) -> dict[str, Any]:
    told = [
        {"timeStr": wall(day).replace("T", " "), "timeZone": "GMT+0", "actionCode": code, "desc": code} for day, code in scans
    ]
    return {"mailNo": FIRST, "destCountry": "Brazil", "detailList": told[::-1], "copyRealMailNo": linked}


def correios_object(*scans: tuple[float, str, str]) -> dict[str, Any]:
    if not scans:
        return {"codObjeto": LAST, "mensagem": "SRO-020: Objeto não encontrado na base de dados dos Correios."}
    unit = {"tipo": "Unidade", "nome": "CTE", "endereco": {"cidade": "SAO PAULO", "uf": "SP"}}
    # Wall clocks are Brasilia's, three hours behind.
    told = [
        {"codigo": code, "tipo": kind, "dtHrCriado": wall(day - 3 / 24), "descricao": f"{code} {kind}", "unidade": unit}
        for day, code, kind in scans
    ]
    return {"codObjeto": LAST, "eventos": told[::-1]}


class Legs:
    """Both sources on loopback, and a poller that knows them."""

    def __init__(self, store: Store, clock: SimulatedClock) -> None:
        self.store, self.clock = store, clock
        self.row = cainiao_row((1, "GWMS_ACCEPT"), (20, "LH_ARRIVE"))
        self.post: Reply = self.told(correios_object())
        self.asked: list[str] = []
        self.down = False
        self.poller: Poller

    @staticmethod
    def told(thing: Mapping[str, Any]) -> Reply:
        return http(200, json.dumps({"objetos": [thing]}).encode())

    def cainiao(self, _method: str, path: str, _headers: Mapping[str, str], _body: bytes) -> Reply:
        if self.down:
            return http(503)
        return http(200, json.dumps({"success": True, "module": [self.row]}).encode())

    def correios(self, _method: str, path: str, _headers: Mapping[str, str], _body: bytes) -> Reply:
        if "token" in path:
            return http(200, b'{"token": "t", "expiraEm": "2099-01-01T00:00:00", "zoneOffset": "-03:00"}')
        self.asked.append(path)
        return self.post

    async def poll(self, days: float) -> Shipment:
        self.clock.advance_to(START + days * DAY)
        while (await self.poller.poll_once()).more:
            pass
        (dossier,) = await self.store.load_dossiers([1])
        return dossier.shipments[0]


@pytest.fixture
async def legs(tmp_path: Path) -> AsyncIterator[Legs]:
    clock = house.simulated()
    async with house.database(tmp_path, clock) as store, AsyncExitStack() as stack:
        made = Legs(store, clock)
        await house.bring(
            store,
            [house.order("100001")],
            [house.parcel(FIRST, "100001", carrier="cainiao", service_text="cainiao", country="BR")],
            START,
        )
        gate = StoreGate(store, clock, {name: Pace(rps=1000) for name in ("cainiao", "correios")})

        async def source(name: str, handler: Callable[..., Reply]) -> Source:
            transport = HttpTransport(account_id=name, gate=gate, clock=clock)
            stack.push_async_callback(transport.close)
            account = Account(
                id=name,
                base_url=await stack.enter_async_context(serving(handler)),
                secrets={"user": "u", "access_code": "c"},
                options={"public_page": True},
            )
            return Source(account=account, adapter=registry.get(name), transport=transport, batch=10, concurrency=1)

        sources = {"cainiao": await source("cainiao", made.cainiao), "correios": await source("correios", made.correios)}
        made.poller = Poller(store=store, clock=clock, rules=RULES, sources=sources, cadence=Cadence())
        yield made


async def test_a_handed_over_parcel_is_followed_to_the_buyers_door(legs: Legs) -> None:
    """Rule 11, R6: economy lines fall silent after the hand-over; the last mile says delivered, and that word counts."""
    legs.post = legs.told(correios_object((25, "RO", "01"), (30, "BDE", "01")))
    first = await legs.poll(21)
    assert first.last_mile == (LAST, "correios")
    assert first.status is TrackingStatus.DELIVERED, "asked in the same round in which the number was told"
    assert first.last_scan is not None
    assert first.last_scan.latest == START + 30 * DAY
    (shipment,) = [found.number for found in await legs.store.find_orders(LAST)]
    assert shipment == "100001", "an order is found by its last mile, too"
    again = await legs.poll(22)
    assert (again.status, again.delivered_scan) == (first.status, first.delivered_scan), "Cainiao's silence takes nothing back"


async def test_a_post_that_does_not_know_the_number_yet_says_nothing(legs: Legs) -> None:
    """Promise 2, R8: the leg's not found starts no run and takes no word away."""
    for day in range(21, 39):
        await legs.poll(day)
    shipment = await legs.poll(39)
    assert (shipment.status, shipment.not_found) == (TrackingStatus.IN_TRANSIT, None)
    assert len(legs.asked) >= 15


@pytest.mark.parametrize(
    "trouble", [http(503), http(429, Retry_After="9000"), http(200, b"<html>"), http(200, b'{"objetos": []}')]
)
async def test_a_last_mile_without_an_answer_changes_nothing(legs: Legs, trouble: Reply) -> None:
    """Faults 7: the parcel has its own answer; nothing ages, nothing is counted against it."""
    legs.post = trouble
    shipment = await legs.poll(21)
    assert (shipment.status, shipment.unanswered) == (TrackingStatus.IN_TRANSIT, None)
    assert shipment.last_answer_at == START + 21 * DAY


async def test_a_delivery_that_the_post_takes_back_is_taken_back(legs: Legs) -> None:
    """Rule 10: EST voids the delivery, told by the same leg; a slower first leg never did."""
    legs.post = legs.told(correios_object((25, "RO", "01"), (30, "BDE", "01")))
    await legs.poll(31)
    legs.post = legs.told(correios_object((25, "RO", "01"), (30, "BDE", "01"), (31, "EST", "01")))
    shipment = await legs.poll(34)
    assert shipment.status is TrackingStatus.IN_TRANSIT


async def test_a_scan_that_both_legs_tell_counts_once(legs: Legs) -> None:
    """Issue: two legs merged, ordered by instant, de-duplicated."""
    legs.row = cainiao_row((1, "GWMS_ACCEPT"), (30, "GTMS_SIGNED"))
    legs.post = legs.told(correios_object((25, "RO", "01"), (30, "BDE", "01")))
    shipment = await legs.poll(31)
    events = (await legs.store.load_events([shipment.id]))[shipment.id]
    assert [event.status for event in events].count(TrackingStatus.DELIVERED) == 1
    assert len(events) == 3


@pytest.mark.parametrize("linked", [None, "", FIRST, "12345", "SAME AS ABOVE"])
async def test_what_is_no_other_number_is_not_followed(legs: Legs, linked: str | None) -> None:
    legs.row = cainiao_row((1, "GWMS_ACCEPT"), linked=linked)
    assert (await legs.poll(2)).last_mile is None
    assert legs.asked == []


async def test_a_number_of_another_parcel_is_not_followed(legs: Legs) -> None:
    """Two sources that name one number for two parcels name a bag: nobody may learn his delivery from it."""
    await house.bring(
        legs.store, [house.order("100002", row=2)], [house.parcel(LAST, "100002", row=2, carrier="correios")], START
    )
    legs.post = legs.told(correios_object((1.5, "BDE", "01")))
    shipment = await legs.poll(2)
    assert (shipment.last_mile, shipment.status) == (None, TrackingStatus.IN_TRANSIT)
    assert len(legs.asked) == 1, "about the other parcel alone"


async def test_a_number_that_two_parcels_share_is_a_bags(legs: Legs) -> None:
    """Promise 2: what becomes of a bag says nothing about one parcel in it; nor is one's journey written over the other's."""
    legs.post = legs.told(correios_object((1.5, "BDE", "01")))
    await house.bring(
        legs.store, [house.order("100002", row=2)], [house.parcel("LP00000000000025", "100002", row=2, carrier="cainiao")], START
    )
    share = "UPDATE shipment SET linked_number = ?, linked_carrier = 'correios'"
    await legs.store._db.write(lambda tx: tx.run(share, LAST))
    assert (await legs.poll(2)).status is TrackingStatus.IN_TRANSIT
    assert legs.asked == []


async def test_a_last_mile_number_that_was_used_before_says_nothing(legs: Legs) -> None:
    """Faults row 17: the post still tells the parcel of last year; ours is neither delivered nor suspect by it."""
    legs.post = legs.told(correios_object((-300, "RO", "01"), (-290, "BDE", "01")))
    shipment = await legs.poll(21)
    assert (shipment.status, shipment.suspect) == (TrackingStatus.IN_TRANSIT, None)


async def test_a_leg_is_not_hurried_while_the_first_source_is_down(legs: Legs) -> None:
    """Politeness: the parcel comes back every few minutes then; the post is asked about it a few times a day."""
    await legs.poll(21)
    legs.asked.clear()
    legs.down = True
    for quarter in range(2 * 96):
        await legs.poll(21.5 + quarter / 96)
    assert 1 <= len(legs.asked) <= 10


async def test_an_answer_about_a_leg_heals_the_source(legs: Legs) -> None:
    """Faults 6: whoever is asked about legs alone comes back as well; three failures over weeks are no outage."""
    legs.post = http(503)
    for day in (21, 22, 23, 24):
        await legs.poll(day)
    assert (await legs.store.breaker("correios")).since is not None
    legs.post = legs.told(correios_object((22, "RO", "01")))
    await legs.poll(25.5)
    state = await legs.store.breaker("correios")
    assert (state.since, state.failures) == (None, 0)


def test_whose_the_last_mile_is_a_source_may_say_by_its_own_code() -> None:
    """Facts 17TRACK: local_key names the carrier of the last mile; a form of the number is only the next best guess."""
    told = Tracking(number=FIRST, status=TrackingStatus.IN_TRANSIT, linked_number="36YPH337263201000935107", linked_code="21051")
    link = link_of(due(FIRST), told, "FR", rules=house.rules(), adapter="seventeen_track")
    assert link == Link("36YPH337263201000935107", "usps")
    assert link_of(due(FIRST), told, "FR", rules=house.rules(), adapter="aftership") == Link(link.number, "la_poste")


def test_twins_are_found_by_instant_or_by_wall_clock() -> None:
    """One source prints seconds, the other does not; one names the zone, the other does not."""

    def scan(time: str, *, known: bool = True, status: TrackingStatus = TrackingStatus.IN_TRANSIT) -> TrackingEvent:
        instant = int(datetime.fromisoformat(time + "+00:00").timestamp()) if known else None
        return TrackingEvent(key=time.encode()[-8:], time=instant, local_time=time, status=status)

    there = [scan("2026-05-01T16:00:20"), scan("2026-05-02T09:30:00", known=False)]
    here = [
        scan("2026-05-01T16:01:00"),
        scan("2026-05-01T16:02:00"),
        scan("2026-05-01T16:00:20", status=TrackingStatus.DELIVERED),
        scan("2026-05-02T09:30:45", known=False),
        TrackingEvent(key=b"undated0", time=None, local_time=None),
    ]
    assert [event.key for event in without_twins(here, there)] == [here[1].key, here[2].key, b"undated0"]


async def test_a_push_about_a_bag_is_nobodys(legs: Legs) -> None:
    """A number that two parcels share tells neither of them anything, pushed as little as polled."""
    await house.bring(legs.store, [house.order("100003", row=3)], [house.parcel("LP00000000000025", "100003", row=3)], START)
    await legs.poll(2)
    assert list(await legs.store.shipments_by_leg([LAST])) == [LAST]
    (other,) = await legs.store.load_dossiers([2])
    journey = (await legs.store.load_polled([other.shipments[0].id]))[other.shipments[0].id].journey
    change = PollChange(
        id=other.shipments[0].id,
        number=other.shipments[0].number,
        next_poll_at=None,
        journey=journey,
        source="cainiao",
        link=Link(LAST, "correios"),
    )
    await legs.store.write_poll(PollWrite(at=int(START.timestamp()), changed=(change,)))
    assert await legs.store.shipments_by_leg([LAST]) == {}
