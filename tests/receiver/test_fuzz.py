"""Anything at all over a real socket: the door answers, keeps nothing that is not signed, and works on (faults 9, 10 and 28).

Whole requests are put together at random from what HTTP knows and what it does not; a schema would only make what is well formed.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import house
from tests.conftest import Lines
from tests.receiver.knocking import BEFORE, KEY, Knocker, body, door, signed

GOOD = body()
STATUSES = {200, 400, 401, 404, 405, 408, 411, 413, 414, 415, 426, 431, 501, 503, 505}
"""Never 500: that would be a mistake of ours that a stranger can call for."""

_WORDS = st.binary(max_size=20)
_METHODS = st.sampled_from([b"POST", b"GET", b"PUT", b"HEAD", b"OPTIONS", b"TRACE", b"CONNECT", b"post", b"PO ST"]) | _WORDS
_PATHS = st.sampled_from(
    [b"/push/tracks", b"/push/other", b"/push/..%2f..", b"/push/tracks?x=1", b"/push/%00", b"//push/tracks", b"*", b"/healthz"]
) | st.binary(max_size=60)
_VERSIONS = st.sampled_from([b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/9", b"FTP/1.1"])
_NAMES = (
    st.sampled_from(
        [
            b"sign",
            b"content-encoding",
            b"content-type",
            b"expect",
            b"connection",
            b"upgrade",
            b"x-forwarded-for",
            b"host",
            b"cookie",
        ]
    )
    | _WORDS
)
_VALUES = (
    st.sampled_from(
        [b"gzip", b"identity", b"100-continue", b"websocket", b"keep-alive", b"\xff\xfe", b"a" * 70_000, b"evil.example"]
    )
    | st.sampled_from([value.encode() for value in signed(GOOD, KEY).values()])
    | _WORDS
)
_BODIES = st.sampled_from([b"", GOOD, GOOD[:50], b"{}", b"[" * 5000, b'{"data":' * 900, b"\0" * 5000, b"x" * 4097]) | st.binary(
    max_size=300
)
_LENGTHS = st.sampled_from(
    ["right", "right", "right", "none", "-1", "+5", "5, 6", "0x10", "99999999999999999999", "both", "chunks"]
)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """One request, more or less."""
    content, length = draw(_BODIES), draw(_LENGTHS)
    lines = [b" ".join((draw(_METHODS), draw(_PATHS), draw(_VERSIONS)))]
    lines += [b"host: x"] * draw(st.sampled_from([0, 1, 1, 1, 2]))
    lines += [name + b": " + value for name, value in draw(st.lists(st.tuples(_NAMES, _VALUES), max_size=4))]
    if length in {"right", "both"}:
        lines.append(b"content-length: %d" % len(content))
    if length in {"chunks", "both"}:
        lines.append(b"transfer-encoding: chunked")
        content = b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)
    if length not in {"right", "none", "chunks", "both"}:
        lines.append(b"content-length: " + length.encode())
    return draw(st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n"])).join([*lines, b"", content])


async def _said(knocker: Knocker, request: bytes) -> bytes:
    try:
        return await knocker.raw(request)
    except ConnectionError:
        return b""  # hung up on in the middle of a word: an answer as well


def _statuses(answer: bytes) -> set[int]:
    return {int(line[9:12]) for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.")}


async def _knock(knocks: list[bytes], folder: Path) -> Mapping[str, Any]:
    """All of them side by side, then a push as it should be."""
    clock = house.simulated()
    async with house.database(folder, clock) as store, door(store, clock, max_body=4096, body_seconds=0.3) as knocker:
        answers = await asyncio.wait_for(asyncio.gather(*(_said(knocker, each) for each in knocks)), 20)
        kept = await store.waiting_pushes(100)
        proper = await knocker.push(body("LZ000000777CN"))
        return {"answers": answers, "kept": kept, "proper": proper.status_code, "refused": dict(knocker.receiver.refused)}


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(knocks=st.lists(requests(), min_size=10, max_size=25))
def test_whatever_is_said_at_the_door(knocks: list[bytes], log_lines: Lines) -> None:
    """Fault 28: no answer is our mistake, none says anything of us, nothing unsigned is kept, the log holds counts alone."""
    with tempfile.TemporaryDirectory() as folder:
        came = asyncio.run(_knock(knocks, Path(folder)))
    assert came["proper"] == 200
    for request, answer in zip(knocks, came["answers"], strict=True):
        assert _statuses(answer) <= STATUSES, (request, answer)
        for tell in (b"uvicorn", b"starlette", b"Python", b"Traceback"):
            assert tell.lower() not in answer.lower(), (request, answer)
    genuine = signed(GOOD, KEY)["sign"].encode()
    assert all(each.number in GOOD.decode() for each in came["kept"])
    assert came["kept"] == [] or any(genuine in request and GOOD in request for request in knocks)
    assert {line["event"] for line in log_lines()} <= {"receiver.open", "push.refused"}


async def test_a_hundred_replays_under_two_keys_at_once_are_one(tmp_path: Path) -> None:
    """Faults 15 and 28: the same body, signed with the new and the old key, side by side, while one replaces the other."""
    clock = house.simulated()
    async with house.database(tmp_path, clock) as store, door(store, clock) as knocker:

        async def insist(key: str) -> int:
            for _ in range(100):
                if (status := (await knocker.push(GOOD, key)).status_code) != 503:
                    return status
                await asyncio.sleep(0.05)
            return 503

        statuses = await asyncio.gather(*(insist((KEY, BEFORE, "forged")[at % 3]) for at in range(100)))
        assert [statuses.count(status) for status in (200, 401)] == [67, 33]
        assert len(await store.waiting_pushes(100)) == 1
