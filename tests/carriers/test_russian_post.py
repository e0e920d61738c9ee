"""Russian Post: tickets that outlive a conversation and a restart, the single service, what operations mean (facts 22)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from carriers import codes, xmls
from carriers.base import Account, Batch, Memory, Query, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.http import HttpTransport
from carriers.model import Tracking, TrackingReason, TrackingStatus
from carriers.russian_post import RussianPost
from tests.carriers import cases
from tests.carriers.loopback import Reply, converse, http, serving

NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
ADAPTER = RussianPost()
ONE, TWO, THREE = "RB000007011CN", "RB000007025CN", "14102192012345"
NS = 'xmlns:ns2="http://fclient.russianpost.org/postserver" xmlns:ns3="http://fclient.russianpost.org"'


def envelope(inner: str) -> bytes:
    soap = "http://schemas.xmlsoap.org/soap/envelope/"
    return f'<S:Envelope xmlns:S="{soap}"><S:Body>{inner}</S:Body></S:Envelope>'.encode()


def answer(*items: str) -> bytes:
    return envelope(f"<ns2:answerByTicketResponse {NS}><value>{''.join(items)}</value></ns2:answerByTicketResponse>")


def operation(pair: str, at: str = "18.04.2026 04:05:00") -> str:
    kind, attr = pair.split("/")
    return f'<ns3:Operation OperTypeID="{kind}" OperCtgID="{attr}" OperName="n" DateOper="{at}"/>'


def item(number: str, *operations: str) -> str:
    return f'<ns3:Item Barcode="{number}">{"".join(operations)}</ns3:Item>'


def refusal(code: int, where: str = "answerByTicketResponse") -> bytes:
    return envelope(f'<ns2:{where} {NS}><error ErrorTypeID="{code}" ErrorName="because"/></ns2:{where}>')


class StandIn:
    """The batch service: numbers its tickets, and answers them from 15 minutes on unless told otherwise."""

    def __init__(self) -> None:
        self.now = NOW
        self.tickets: dict[str, tuple[datetime, list[str]]] = {}
        self.replies: dict[str, Reply] = {}
        self.new: Reply | None = None
        self.log: list[str] = []
        self.bodies: list[Element] = []

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        assert (method, path, headers["content-type"]) == ("POST", "/fc", "text/xml; charset=utf-8")
        root = xmls.root(body)
        self.bodies.append(root)
        ticket = xmls.text(root, ".//ticket")
        self.log.append(ticket or "new")
        if ticket is None:
            return self.new or self._order([each.get("Barcode", "") for each in xmls.all_of(root, "Item")])
        if ticket in self.replies:
            return self.replies[ticket]
        since, numbers = self.tickets[ticket]
        if self.now - since < timedelta(minutes=15):
            return http(200, refusal(6))
        return http(200, answer(*(item(number, operation("1/1")) for number in numbers)))

    def _order(self, numbers: list[str]) -> bytes:
        name = f"T{len(self.tickets) + 1}"
        self.tickets[name] = self.now, numbers
        return http(200, envelope(f"<ns2:ticketResponse {NS}><value>{name}</value></ns2:ticketResponse>"))


class Daemon:
    """Polls like the daemon: what it keeps goes through JSON, as through the database, and no conversation outlives a call."""

    def __init__(self) -> None:
        self.source = StandIn()
        self.account: dict[str, Any] = {}
        self.numbers: dict[str, Any] = {}

    async def poll(self, *numbers: str, after: float = 0, **options: Any) -> Batch:
        """Ask `after` minutes later than before."""
        self.source.now += timedelta(minutes=after)
        async with serving(self.source) as base:
            transport = HttpTransport(account_id="ru")
            secrets = {"login": "my<login>", "password": 'p"&w'}
            account = Account(id="ru", base_url=base, secrets=secrets, options=options)
            memory = Memory(account=self.account, numbers={each: self.numbers.get(each, {}) for each in numbers})
            try:
                queries = [Query(number=number) for number in numbers]
                batch = await converse(RussianPost(), queries, account, memory, self.source.now, transport)
            finally:
                await transport.close()
        self.account = json.loads(json.dumps(batch.memory.account or self.account))
        self.numbers |= json.loads(json.dumps(batch.memory.numbers))
        return batch


@pytest.fixture
def daemon() -> Daemon:
    return Daemon()


def kinds(batch: Batch) -> dict[str, str]:
    """What came of each number: `read`, or the kind of its error."""
    return {number: cut.kind.value if isinstance(cut, CarrierError) else "read" for number, cut in batch.answers.items()}


def waits(batch: Batch, number: str) -> float | None:
    cut = batch.answers[number]
    assert isinstance(cut, CarrierError)
    assert cut.kind is ErrorKind.NOT_READY
    return cut.retry_after


async def test_a_ticket_is_asked_for_and_its_answer_fetched_by_a_later_poll(daemon: Daemon) -> None:
    """Facts 22: the ticket is kept; a restart between the two polls loses nothing and asks for nothing twice."""
    first = await daemon.poll(ONE, TWO)
    assert (waits(first, ONE), daemon.numbers[TWO]) == (900.0, {"ticket": "T1", "asked_at": NOW.isoformat()})
    later = await daemon.poll(TWO, ONE, after=16)
    assert kinds(later) == {ONE: "read", TWO: "read"}
    assert daemon.source.log == ["new", "T1"]
    assert daemon.numbers == {ONE: {}, TWO: {}}
    cut = later.answers[TWO]
    assert isinstance(cut, bytes)
    assert ADAPTER.read(cut).number == TWO


async def test_requests_carry_numbers_and_credentials_escaped(daemon: Daemon) -> None:
    await daemon.poll("A<&\"'1", THREE, language="ENG")
    (body,) = daemon.source.bodies
    assert [each.get("Barcode") for each in xmls.all_of(body, "Item")] == ["A<&\"'1", THREE]
    told = [xmls.text(body, f".//{name}") for name in ("login", "password", "language")]
    assert told == ["my<login>", 'p"&w', "ENG"]


async def test_a_ticket_is_not_asked_about_before_a_quarter_of_an_hour_nor_oftener(daemon: Daemon) -> None:
    """Facts 22: first after 15 minutes, then at most once per 15 minutes, by whatever number of the ticket it is asked."""
    await daemon.poll(ONE, TWO)
    assert waits(await daemon.poll(ONE, after=10), ONE) == 300.0
    daemon.source.replies["T1"] = http(200, refusal(6))
    assert waits(await daemon.poll(ONE, after=6), ONE) == 900.0
    assert waits(await daemon.poll(TWO, after=5), TWO) == 600.0
    assert daemon.source.log == ["new", "T1"]
    del daemon.source.replies["T1"]
    assert kinds(await daemon.poll(TWO, after=10)) == {TWO: "read"}
    assert daemon.source.log == ["new", "T1", "T1"]
    assert daemon.account == {"tried": {}}


async def test_several_tickets_are_open_side_by_side_and_new_numbers_get_one_of_their_own(daemon: Daemon) -> None:
    await daemon.poll(ONE)
    await daemon.poll(TWO, after=1)
    batch = await daemon.poll(TWO, THREE, ONE, after=20)
    assert daemon.source.log == ["new", "new", "T2", "T1", "new"]
    assert kinds(batch) == {ONE: "read", TWO: "read", THREE: "not_ready"}
    assert daemon.numbers[THREE]["ticket"] == "T3"


async def test_after_half_a_day_and_when_the_source_forgot_it_a_ticket_is_asked_for_anew(daemon: Daemon) -> None:
    """Error 17: a new request is started in the same conversation. D20: what is fetched counts as fresh, so it must be young."""
    await daemon.poll(ONE)
    daemon.source.replies["T1"] = http(200, refusal(17))
    assert kinds(await daemon.poll(ONE, after=12 * 60 - 1)) == {ONE: "not_ready"}
    assert daemon.numbers[ONE]["ticket"] == "T2"
    await daemon.poll(ONE, after=12 * 60)
    assert daemon.source.log == ["new", "T1", "new", "new"]


async def test_a_number_that_a_ready_answer_leaves_out_is_an_error_and_starts_anew(daemon: Daemon) -> None:
    """Promise 2: never "not found"."""
    await daemon.poll(ONE, TWO)
    daemon.source.replies["T1"] = http(200, answer(item(TWO, operation("1/1"))))
    assert kinds(await daemon.poll(ONE, TWO, after=16)) == {ONE: "bad_response", TWO: "read"}
    await daemon.poll(ONE, after=30)
    assert daemon.source.log == ["new", "T1", "new"]


@pytest.mark.parametrize(
    ("reply", "kind", "kept"),
    [(http(200, b"<cut"), "bad_response", True), (http(200, refusal(2)), "invalid_request", False)],
)
async def test_what_is_wrong_with_one_ticket_does_not_hold_the_others_up(
    daemon: Daemon, reply: bytes, kind: str, *, kept: bool
) -> None:
    await daemon.poll(ONE)
    await daemon.poll(TWO)
    daemon.source.replies["T1"] = reply
    assert kinds(await daemon.poll(ONE, TWO, THREE, after=16)) == {ONE: kind, TWO: "read", THREE: "not_ready"}
    assert bool(daemon.numbers[ONE]) is kept


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (http(200, refusal(3)), ErrorKind.AUTH),
        (http(503), ErrorKind.UNAVAILABLE),
        (http(429), ErrorKind.RATE_LIMITED),
        (http(200, refusal(16)), ErrorKind.UNAVAILABLE),
    ],
)
async def test_a_source_that_is_down_ends_the_conversation_and_loses_nothing(
    daemon: Daemon, reply: bytes, kind: ErrorKind
) -> None:
    await daemon.poll(ONE)
    await daemon.poll(TWO)
    before = dict(daemon.numbers)
    daemon.source.replies |= {"T1": reply, "T2": reply}
    with pytest.raises(CarrierError) as failed:
        await daemon.poll(ONE, TWO, THREE, after=16)
    assert failed.value.kind is kind
    assert (daemon.numbers, daemon.source.log) == (before, ["new", "new", "T1"])
    del daemon.source.replies["T1"]
    assert kinds(await daemon.poll(ONE, TWO, THREE, after=1)) == {ONE: "read", TWO: kind.value, THREE: kind.value}
    assert daemon.numbers[TWO] == before[TWO]


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (http(200, refusal(18, "ticketResponse")), "invalid_request", "error 18: because"),
        (http(200, envelope("<x/>")), "bad_response", "names no ticket"),
    ],
)
async def test_a_ticket_that_is_not_given_is_an_error_of_its_numbers(daemon: Daemon, reply: bytes, kind: str, words: str) -> None:
    await daemon.poll(ONE)
    daemon.source.new = reply
    assert kinds(await daemon.poll(ONE, TWO, after=16)) == {ONE: "read", TWO: kind}
    with pytest.raises(CarrierError, match=words):
        await daemon.poll(TWO)


async def test_one_number_that_is_too_long_does_not_spoil_the_list(daemon: Daemon) -> None:
    """Error 21 refuses the whole list for one such number."""
    assert kinds(await daemon.poll("YT2612345678901234", ONE)) == {"YT2612345678901234": "invalid_number", ONE: "not_ready"}
    assert kinds(await daemon.poll("YT2612345678901234")) == {"YT2612345678901234": "invalid_number"}
    assert daemon.source.log == ["new"]


async def test_single_mode_asks_one_number_a_call_and_is_answered_at_once() -> None:
    (sample,) = (s for s in cases.own("russian_post") if s.case == "in_transit")
    (empty,) = (s for s in cases.own("russian_post") if s.case == "empty_events")
    (number,) = sample.numbers
    seen: list[tuple[str, str | None, str | None]] = []

    def single(_: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        assert headers["content-type"] == "application/soap+xml; charset=utf-8"
        root = xmls.root(body)
        asked = xmls.text(root, ".//Barcode")
        seen.append((path, asked, xmls.text(root, ".//AuthorizationHeader/login")))
        return http(200, (sample if asked == number else empty).response.body)

    async with serving(single) as base:
        transport = HttpTransport(account_id="ru")
        account = Account(id="ru", base_url=base, secrets={"login": "l", "password": "p"}, options={"mode": "single"})
        batch = await converse(ADAPTER, [Query(number=ONE), Query(number=number)], account, Memory(), NOW, transport)
        await transport.close()
    assert seen == [("/rtm34", ONE, "l"), ("/rtm34", number, "l")]
    read = [ADAPTER.read(cut) for cut in batch.answers.values() if isinstance(cut, bytes)]
    assert [(told.number, told.status) for told in read] == [(ONE, TrackingStatus.NOT_FOUND), (number, TrackingStatus.IN_TRANSIT)]


def cut(*items: str) -> Tracking:
    told = ADAPTER.split(Response(status=200, body=answer(*items)), [ONE])[ONE]
    assert isinstance(told, bytes)
    return ADAPTER.read(told)


def read(*pairs: str) -> Tracking:
    """One operation a day, from the first of May on."""
    return cut(item(ONE, *(operation(pair, f"{day:02d}.05.2026 10:00:00") for day, pair in enumerate(pairs, 1))))


DELIVERED, RETURNED, EXCEPTION = TrackingStatus.DELIVERED, TrackingStatus.RETURNED, TrackingStatus.EXCEPTION
IN_TRANSIT, UNKNOWN = TrackingStatus.IN_TRANSIT, TrackingStatus.UNKNOWN


@pytest.mark.parametrize(
    ("operations", "status", "reason", "notes"),
    [
        (["1/1", "2/1"], DELIVERED, None, 0),
        (["2/1", "63/0"], DELIVERED, None, 1),
        (["2/1", "26/2"], IN_TRANSIT, None, 0),
        (["2/1", "3/4"], EXCEPTION, TrackingReason.REFUSED, 0),
        (["2/1", "999/9"], UNKNOWN, None, 0),
        (["18/0", "8/4"], EXCEPTION, TrackingReason.LOST, 1),
        (["21/1"], DELIVERED, None, 0),
        (["3/4", "8/4"], EXCEPTION, TrackingReason.RETURNING, 1),
        (["3/4", "8/2"], EXCEPTION, TrackingReason.RETURNING, 1),
        (["3/4", "26/1", "8/4"], IN_TRANSIT, None, 0),
        (["3/4", "8/2", "2/2"], RETURNED, None, 0),
        (["3/4", "2/1"], DELIVERED, None, 0),
        (["12/1"], TrackingStatus.FAILED_ATTEMPT, TrackingReason.RECIPIENT_ABSENT, 0),
        (["22/999"], TrackingStatus.FAILED_ATTEMPT, None, 0),
        (["2/999"], UNKNOWN, None, 0),
        (["8/999"], UNKNOWN, None, 0),
        (["/"], UNKNOWN, None, 0),
        ([], UNKNOWN, None, 0),
    ],
)
def test_the_newest_operation_says_where_a_parcel_stands_with_two_exceptions(
    operations: list[str], status: TrackingStatus, reason: TrackingReason | None, notes: int
) -> None:
    """Facts 22 and rules across carriers 6, 8, 10: a return wins, paperwork does not, nothing is guessed."""
    told = read(*operations)
    assert (told.status, told.reason, len(told.notes)) == (status, reason, notes)


@pytest.mark.parametrize("attr", [2, 4, 7, 9, 16, 20, 22, 24, 28, 29, 30, 31])
def test_what_is_handed_to_the_sender_is_returned(attr: int) -> None:
    """Facts 22; rules across carriers 6: "delivered" to the sender is not delivered to the buyer."""
    assert read(f"2/{attr}").status is RETURNED


def test_an_operation_without_a_time_decides_nothing() -> None:
    told = cut(item(ONE, operation("1/1"), operation("2/1", "")))
    assert (told.status, len(told.events)) == (IN_TRANSIT, 2)


def test_of_two_items_for_one_number_the_one_that_tells_more_counts() -> None:
    short, error = item(ONE, operation("1/1")), item(ONE, '<ns3:Error ErrorTypeID="16" ErrorName="x"/>')
    full = item(ONE, operation("1/1"), operation("8/4"))
    assert len(cut(short, full, error).events) == len(cut(error, full, short).events) == 2


def test_a_fault_that_nobody_knows_means_what_its_http_status_means() -> None:
    fault = envelope("<S:Fault><faultcode>S:Server</faultcode><faultstring>gone</faultstring></S:Fault>")
    for status, kind in ((500, ErrorKind.UNAVAILABLE), (400, ErrorKind.INVALID_REQUEST), (200, ErrorKind.UNAVAILABLE)):
        with pytest.raises(CarrierError, match="gone") as failed:
            ADAPTER.split(Response(status=status, body=fault), [ONE])
        assert failed.value.kind is kind
    for status, code in ((500, "500"), (200, None)):
        with pytest.raises(CarrierError) as failed:
            ADAPTER.split(Response(status=status, body=envelope("")), [ONE])
        assert failed.value.code == code


def test_names_of_people_and_the_post_office_of_nobody_else_are_kept() -> None:
    """Rules across carriers 14: an allow-list of fields; the slice already holds nothing else."""
    (sample,) = (s for s in cases.own("russian_post") if s.case == "in_transit")
    assert "ПРИМЕРОВ" in sample.response.body.decode()
    (cut,) = ADAPTER.split(sample.response, ()).values()
    assert isinstance(cut, bytes)
    assert "ПРИМЕРОВ" not in cut.decode()
    assert [event.country for event in ADAPTER.read(cut).events] == ["CN", "RU", "RU"]


def test_the_table_holds_every_operation_and_its_last_ones() -> None:
    """Facts 4: 446 pairs; 2/* without 2/0, 5/1, 5/2 and 15-18 are a parcel's last."""
    rows = codes.rows("russian_post")
    finals = {row["oper_type"] for row in rows if row["final"] == "1"}
    assert (len(rows), finals) == (446, {"2", "5", "15", "16", "17", "18"})
