"""Single steps of the hot path, each against the standard library's `json.loads` of the same bytes."""

from __future__ import annotations

import time
from collections.abc import Callable
from json import loads

from carriers.base import Response
from carriers.scans import digest
from carriers.seventeen_track import SeventeenTrack
from tests.bench.answers import BATCH, LATEST, body, numbers


def measure(rounds: int) -> dict[str, float]:
    """CPU microseconds a parcel: cut an answer and digest its slices, read a slice, and `json.loads` of the same answer."""
    adapter = SeventeenTrack()
    asked = numbers(BATCH)
    answer = Response(status=200, body=body(asked, LATEST))
    slices = [one for one in adapter.split(answer, asked).values() if isinstance(one, bytes)]

    def cut() -> None:
        for one in adapter.split(answer, asked).values():
            assert isinstance(one, bytes)
            digest(one)

    def read() -> None:
        for one in slices:
            adapter.read(one)

    return {
        "json_loads": cpu_us(lambda: loads(answer.body), rounds) / BATCH,
        "split_digest": cpu_us(cut, rounds) / BATCH,
        "read": cpu_us(read, rounds) / BATCH,
    }


def cpu_us(work: Callable[[], object], rounds: int) -> float:
    """CPU microseconds of one call, over `rounds` of them, after one to warm up."""
    work()
    started = time.process_time()
    for _ in range(rounds):
        work()
    return (time.process_time() - started) * 1e6 / rounds
