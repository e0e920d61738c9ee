"""The push door over real HTTP: what is believed, what is kept, what is refused (R6; faults rows 10, 15 and 28)."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from uvicorn import Server

from carriers.base import Push
from tests import house
from tests.conftest import Lines
from tests.receiver.knocking import BEFORE, DOORS, KEY, NUMBER, OTHER, Knocker, body, door, signed
from tests.waiting import until
from tracker.clock import SimulatedClock
from tracker.receiver import Doorkeeper, Limits, Receiver
from tracker.receiver import door as door_module
from tracker.receiver.serving import callers_most
from tracker.store import Damaged, Store, Unwritable
from tracker.store.pushes import REMEMBERED_DAYS

BODY = body(NUMBER, ("2026-03-01T10:00:00+08:00", "InTransit_PickedUp"))
HOST = b"Host: x\r\n"


@pytest.fixture
def clock() -> SimulatedClock:
    return house.simulated()


@pytest.fixture
async def store(tmp_path: Path, clock: SimulatedClock) -> AsyncIterator[Store]:
    async with house.database(tmp_path, clock) as opened:
        yield opened


@pytest.fixture
async def knocker(store: Store, clock: SimulatedClock) -> AsyncIterator[Knocker]:
    async with door(store, clock, max_body=4096, body_seconds=0.4) as opened:
        yield opened


async def kept(store: Store) -> list[tuple[str, str]]:
    return [(each.account, each.number) for each in await store.waiting_pushes(100)]


async def test_a_signed_push_is_kept_before_it_is_answered(knocker: Knocker, store: Store) -> None:
    """Faults row 15: write first, process afterwards."""
    answer = await knocker.push(BODY)
    assert (answer.status_code, answer.content) == (200, b"")
    assert "server" not in answer.headers
    assert await kept(store) == [(house.ACCOUNT, NUMBER)]
    assert len(knocker.heard) == 1


async def test_a_hundred_duplicates_at_once_are_one(knocker: Knocker, store: Store) -> None:
    """Faults row 15: posted a hundred times side by side; whoever was told to come again does."""

    async def insist() -> int:
        for _ in range(100):
            status = (await knocker.push(BODY)).status_code
            if status != 503:
                return status
            await asyncio.sleep(0.05)
        return 503

    assert set(await asyncio.gather(*(insist() for _ in range(100)))) == {200}
    assert await kept(store) == [(house.ACCOUNT, NUMBER)]
    assert len(knocker.heard) == 1


@pytest.mark.parametrize(
    "headers", [{}, {"sign": ""}, {"sign": "0" * 64}, signed(BODY, OTHER), signed(BODY + b" "), {"sign": "é" * 32}], ids=str
)
async def test_a_forged_push_leaves_nothing_behind(headers: dict[str, str], knocker: Knocker, store: Store) -> None:
    """Faults row 28: no signature, a wrong one, another account's, one over other bytes."""
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    answer = await knocker.client.post(f"/push/{house.ACCOUNT}", content=BODY, headers=raw)
    assert (answer.status_code, answer.content) == (401, b"")
    assert await kept(store) == []
    assert (await store.push_counts(house.START - timedelta(days=1))).received == {}
    assert (await knocker.push(BODY)).status_code == 200  # a forgery uses up nothing


async def test_the_secret_until_yesterday_holds_while_it_is_replaced(knocker: Knocker, store: Store) -> None:
    """Faults row 28: two active secrets for rotation."""
    assert (await knocker.push(BODY, BEFORE)).status_code == 200
    assert (await knocker.push(BODY, KEY)).status_code == 200
    assert len(await kept(store)) == 1


async def test_a_replay_changes_nothing_until_it_is_forgotten(knocker: Knocker, store: Store, clock: SimulatedClock) -> None:
    """Faults row 28: 17TRACK signs no time, so the body itself is known for thirty days."""
    assert (await knocker.push(BODY)).status_code == 200
    clock.advance_to(house.START + timedelta(days=REMEMBERED_DAYS - 1))
    assert (await knocker.push(BODY)).status_code == 200
    assert len(await kept(store)) == 1
    clock.advance_to(house.START + timedelta(days=REMEMBERED_DAYS + 2))
    assert (await knocker.push(BODY)).status_code == 200
    assert len(await kept(store)) == 2


async def test_two_accounts_never_mix(knocker: Knocker, store: Store) -> None:
    """The key of one opens no other door; the same bytes at two doors are two pushes."""
    assert (await knocker.push(BODY, OTHER)).status_code == 401
    assert (await knocker.push(BODY, KEY)).status_code == 200
    assert (await knocker.push(BODY, OTHER, account="other")).status_code == 200
    assert await kept(store) == [(house.ACCOUNT, NUMBER), ("other", NUMBER)]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/push/nobody", 404),
        ("POST", "/push/", 404),
        ("POST", f"/push/{house.ACCOUNT}/", 404),
        ("POST", "/push", 404),
        ("GET", "/", 404),
        ("GET", "/docs", 404),
        ("GET", f"/push/{house.ACCOUNT}", 405),
        ("PUT", f"/push/{house.ACCOUNT}", 405),
        ("POST", "/healthz", 405),
        ("GET", "/healthz", 200),
    ],
)
async def test_there_are_two_ways_in_and_no_other(method: str, path: str, status: int, knocker: Knocker, store: Store) -> None:
    answer = await knocker.client.request(method, path, content=BODY if method != "GET" else None, headers=signed(BODY))
    assert answer.status_code == status
    assert await kept(store) == []
    assert status != 200 or answer.content == b""


async def test_a_body_that_says_it_is_too_large_is_not_read(knocker: Knocker) -> None:
    """Faults row 10."""
    head = b"POST /push/tracks HTTP/1.1\r\n" + HOST
    assert (await knocker.raw(head + b"Content-Length: 4097\r\n\r\n")).startswith(b"HTTP/1.1 413 ")


async def test_a_chunked_body_is_read_up_to_the_cap_and_no_further(knocker: Knocker, store: Store) -> None:
    """Faults row 10: it names no length."""
    chunk = b"400\r\n" + b"x" * 1024 + b"\r\n"
    head = b"POST /push/tracks HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    answer = await knocker.raw(head, chunk * 4, 0.1, b"1\r\nx\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")
    within = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (BODY[:99], BODY[99:])) + b"0\r\n\r\n"
    sign = b"sign: " + signed(BODY)["sign"].encode() + b"\r\n"
    answer = await knocker.raw(head.replace(HOST, HOST + sign + b"Connection: close\r\n"), within)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert len(await kept(store)) == 1


@pytest.mark.parametrize(("coding", "status"), [("gzip", 415), ("br, gzip", 415), ("identity", 200)])
async def test_a_compressed_body_is_refused(coding: str, status: int, knocker: Knocker, store: Store) -> None:
    """Faults row 10: no source compresses what it pushes, so nothing is ever unpacked here."""
    content = BODY if status == 200 else gzip.compress(BODY)
    sign = b"sign: " + signed(content)["sign"].encode() + b"\r\n"
    size = b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(content)
    head = b"POST /push/tracks HTTP/1.1\r\n" + HOST + sign + b"Content-Encoding: " + coding.encode() + b"\r\n" + size
    answer = await knocker.raw(head, content if status == 200 else b"")
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert len(await kept(store)) == (status == 200)


async def test_a_body_that_trickles_in_is_not_waited_for(knocker: Knocker) -> None:
    head = b"POST /push/tracks HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\n"
    assert (await knocker.raw(head, b"x", 0.2, b"x")).startswith(b"HTTP/1.1 408 ")


async def test_a_caller_who_hangs_up_leaves_nothing(knocker: Knocker, store: Store) -> None:
    head = b"POST /push/tracks HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\n"
    await knocker.raw(head, b"x", read=False)
    assert (await knocker.push(BODY)).status_code == 200
    assert len(await kept(store)) == 1


async def test_more_at_once_than_allowed_are_told_to_come_again(store: Store, clock: SimulatedClock) -> None:
    """What is in hand never takes more memory than at_once x max_body_kb."""
    async with door(store, clock, at_once=1, body_seconds=5.0) as knocker:
        head = b"POST /push/tracks HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\n"
        _, writer = await asyncio.open_connection("127.0.0.1", knocker.port)
        writer.write(head)
        await writer.drain()
        await asyncio.sleep(0.1)
        answer = await knocker.push(BODY)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
        writer.close()
        await asyncio.sleep(0.1)
        assert (await knocker.push(BODY)).status_code == 200


@pytest.mark.parametrize("error", [Unwritable("the disk is full"), Damaged("the file is damaged")], ids=repr)
async def test_what_cannot_be_kept_comes_again(
    error: Exception, knocker: Knocker, store: Store, monkeypatch: pytest.MonkeyPatch, log_lines: Lines
) -> None:
    """Faults rows 3, 4 and 15: never 200 for what is not on the disk."""

    async def refuse(*_: object) -> bool:
        raise error

    monkeypatch.setattr(Store, "keep_push", refuse)
    for _ in range(3):
        answer = await knocker.push(BODY)
        assert (answer.status_code, answer.headers["retry-after"], answer.content) == (503, "60", b"")
    told = [line for line in log_lines() if line["event"] == "push.failed"]
    assert [(line["error"], line["count"]) for line in told] == [(str(error), 1)]
    monkeypatch.undo()
    assert (await knocker.push(BODY)).status_code == 200


async def test_pushes_try_a_locked_database_one_at_a_time(
    knocker: Knocker, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults row 3: each try stands still with the loop for a quarter second; thirty side by side would be the whole daemon's."""
    unlocked, inside = asyncio.Event(), list[None]()

    async def patient(*_: object) -> bool:
        inside.append(None)
        await unlocked.wait()
        return True

    monkeypatch.setattr(Store, "keep_push", patient)
    monkeypatch.setattr(door_module, "TURN", 0.5)
    pushed = [asyncio.create_task(knocker.push(BODY + b" " * i)) for i in range(5)]
    await until(lambda: sum(each.done() for each in pushed) == 4)
    waiting = [each for each in pushed if not each.done()]
    assert (len(inside), len(waiting)) == (1, 1)
    unlocked.set()
    answers = [each.result().status_code for each in pushed if each not in waiting]
    answers += [(await each).status_code for each in waiting]
    assert sorted(answers) == [200, 503, 503, 503, 503]
    assert (await knocker.push(BODY)).status_code == 200
    assert knocker.receiver.refused == {(house.ACCOUNT, "busy"): 4}


async def test_a_mistake_of_the_store_is_said_and_the_push_comes_again(
    knocker: Knocker, store: Store, monkeypatch: pytest.MonkeyPatch, log_lines: Lines
) -> None:
    """The web server says nothing: without a line of ours nobody would know."""

    async def broken(*_: object) -> bool:
        raise ValueError("no such column")

    monkeypatch.setattr(Store, "keep_push", broken)
    answer = await knocker.push(BODY)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert [line["event"] for line in log_lines() if line["level"] == "error"] == ["push.failed"]


async def test_signed_rubbish_is_refused_and_an_adapters_mistake_is_ours(
    knocker: Knocker, store: Store, monkeypatch: pytest.MonkeyPatch, log_lines: Lines
) -> None:
    assert (await knocker.push(b"<html>")).status_code == 400

    def broken(*_: object) -> list[Push]:
        raise RuntimeError("no such key")

    monkeypatch.setattr(DOORS[0].adapter, "read_push", broken, raising=False)
    assert (await knocker.push(BODY)).status_code == 500
    assert await kept(store) == []
    assert [line["event"] for line in log_lines() if line["level"] == "error"] == ["push.failed"]


async def test_a_stranger_cannot_fill_the_log(knocker: Knocker, clock: SimulatedClock, log_lines: Lines) -> None:
    """Faults row 28: one line an hour, account and reason, with the count; nothing of what he sent is in it."""
    for _ in range(5):
        await knocker.push(b"<secret words>", "guess")
    clock.advance_to(house.START + timedelta(hours=1))
    await knocker.push(b"<secret words>", "guess")
    await knocker.push(b"<secret words>", "guess", account="other")
    told = [(line["source"], line["reason"], line["count"]) for line in log_lines() if line["event"] == "push.refused"]
    assert told == [(house.ACCOUNT, "signature", 1), (house.ACCOUNT, "signature", 5), ("other", "signature", 1)]
    assert knocker.receiver.refused == {(house.ACCOUNT, "signature"): 6, ("other", "signature"): 1}
    assert "secret words" not in str(log_lines())
    assert {line["event"] for line in log_lines()} == {"receiver.open", "push.refused"}


async def test_a_broken_request_writes_no_line_at_all(knocker: Knocker, log_lines: Lines) -> None:
    """The web server's own warnings are anybody's to cause."""
    assert (await knocker.raw(b"rubbish\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
    assert [line["event"] for line in log_lines()] == ["receiver.open"]


async def test_rubbish_after_an_answer_writes_no_line_either(knocker: Knocker, log_lines: Lines) -> None:
    """The library fails at it: a traceback a request would be a stranger's way to fill the log (faults row 28)."""
    head = b"POST /push/nobody HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    assert (await knocker.raw(head, 0.1, b"zz\r\n")).startswith(b"HTTP/1.1 404 ")
    assert [line["event"] for line in log_lines()] == ["receiver.open"]


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (b"POST /push/tracks HTTP/1.1\r\nHost",),
        (b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n", 0.1, b"GET /he"),
        (b"POST /push/nobody HTTP/1.1\r\n" + HOST + b"Content-Length: 99\r\n\r\n", *(0.1, b"x") * 9),
    ],
    ids=["nothing", "half a head", "half a second head", "a body that nobody wants"],
)
async def test_who_keeps_us_waiting_is_hung_up_on(parts: tuple[bytes | float, ...], knocker: Knocker) -> None:
    """Faults row 9: a caller who says nothing, or never comes to an end, holds a descriptor that the daemon needs."""
    async with asyncio.timeout(4):
        with suppress(ConnectionError):
            await knocker.raw(*parts)


async def test_more_callers_than_there_are_places_are_hung_up_on(store: Store, clock: SimulatedClock, log_lines: Lines) -> None:
    """Three hundred of them take no descriptors from the database, the journal and the mails; those who leave make room."""
    async with door(store, clock, at_once=1) as knocker:
        callers = [await asyncio.open_connection("127.0.0.1", knocker.port) for _ in range(300)]
        async with asyncio.timeout(4):
            gone = await asyncio.gather(*(_hung_up(reader) for reader, _ in callers[callers_most(1) :]))
        assert all(gone)
        for _, writer in callers:
            writer.close()
        await asyncio.sleep(0.1)
        assert (await knocker.push(BODY)).status_code == 200
    assert [line["event"] for line in log_lines()] == ["receiver.open"]


async def _hung_up(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read() == b""
    except ConnectionError:
        return True


async def test_only_trusted_names_are_answered_to(store: Store, clock: SimulatedClock) -> None:
    """The monitoring on this machine, which knows no name, asks whether the door is open."""
    async with door(store, clock, hosts=("push.shop.example",)) as knocker:
        assert (await knocker.push(BODY)).status_code == 400
        assert (await knocker.client.get("/healthz")).status_code == 200
        assert (await knocker.push(BODY, host="push.shop.example")).status_code == 200


async def test_a_port_that_is_taken_stops_only_the_door_and_is_said_once(
    store: Store, clock: SimulatedClock, log_lines: Lines
) -> None:
    stop = asyncio.Event()
    async with door(store, clock) as knocker:
        late = Receiver(Doorkeeper(store, clock, DOORS), Limits(), ("127.0.0.1", knocker.port), clock, drain_seconds=1)
        waiting = asyncio.create_task(late.run(stop))
        await until(lambda: "receiver.failed" in [line["event"] for line in log_lines()])
    await until(lambda: late.port is not None)
    stop.set()
    await waiting
    assert [line["event"] for line in log_lines()] == ["receiver.open", "receiver.failed", "receiver.open"]


async def test_a_door_that_breaks_is_said_and_opened_again(
    store: Store, clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch, log_lines: Lines
) -> None:
    """Whatever the web server meets: nobody else would notice that sources knock in vain."""
    start, failures = Server.startup, [RuntimeError("no such protocol")]

    async def frail(self: Server, sockets: list[socket.socket] | None = None) -> None:
        if failures:
            raise failures.pop()
        await start(self, sockets)

    monkeypatch.setattr(Server, "startup", frail)
    async with door(store, clock) as knocker:
        await until(lambda: [line["event"] for line in log_lines()].count("receiver.open") == 2)
        await until(lambda: knocker.receiver.port is not None)
        knocker.client.base_url = httpx.URL(f"http://127.0.0.1:{knocker.receiver.port}")
        assert (await knocker.push(BODY)).status_code == 200
    assert [line.get("error") for line in log_lines() if line["event"] == "receiver.failed"] == ["no such protocol"]


async def test_a_push_in_hand_is_finished_when_the_door_closes(store: Store, clock: SimulatedClock) -> None:
    """What was begun before the stop is kept and answered; nobody comes in after it."""
    async with door(store, clock, body_seconds=5.0) as knocker:
        reader, writer = await asyncio.open_connection("127.0.0.1", knocker.port)
        sign = signed(BODY)["sign"].encode()
        writer.write(
            b"POST /push/tracks HTTP/1.1\r\n" + HOST + b"sign: %s\r\nContent-Length: %d\r\n\r\n" % (sign, len(BODY)) + BODY[:50]
        )
        await writer.drain()
        await asyncio.sleep(0.1)
        rest = asyncio.get_running_loop().call_later(0.3, writer.write, BODY[50:])
        answered = asyncio.create_task(reader.read())
    assert rest.when() > 0
    assert (await answered).startswith(b"HTTP/1.1 200 ")
    assert len(await kept(store)) == 1
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", knocker.port)
    writer.close()


def test_a_door_does_not_show_its_secrets() -> None:
    assert repr(DOORS[0]) == "Door('tracks')"
