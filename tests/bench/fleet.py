"""Two workers on one PostgreSQL beside one: how many due parcels they take in hand a second, and that none is taken twice.

Wall clock, not CPU: what two workers gain is that they wait for nobody. The server is the tests' own (tests/postgres.py); without
its binaries these lines are left out.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg

from tests.bench.product import FIRST_AT, BenchClock
from tests.bench.report import Line, line, median
from tests.bench.worker import Ask, Figures
from tests.postgres import Server, binaries, server
from tracker.clock import epoch
from tracker.store import create, open_store

PAGE = 400
"""Parcels of one claim."""

_PARCELS = """
    INSERT INTO shipment (id, number, matched, status, failures, stamps, fingerprints, next_poll_at)
    SELECT n, 'S' || n, true, 'in_transit', 0, '{}', '', CASE WHEN n <= %(due)s THEN %(at)s - n ELSE %(at)s + 31536000 END
    FROM generate_series(1, %(all)s) n"""


def lines(ask: Ask, due: int, repeats: int) -> list[Line]:
    """Claims of `due` parcels among ten times as many by two workers and by one: medians of interleaved repeats."""
    if binaries() is None:
        return []
    one: list[float] = []
    two: list[float] = []
    with server() as running:
        for _ in range(repeats):
            one.append(_claims(ask, running, due, workers=1))
            two.append(_claims(ask, running, due, workers=2))
    return [
        line("fleet_claims", median(two), "1/s", median(one), what="claims of two workers on PostgreSQL", against="1/s of one")
    ]


def _claims(ask: Ask, running: Server, due: int, *, workers: int) -> float:
    """Claims a second while all work. Raises RuntimeError where a parcel was claimed twice, or never."""
    url = _filled(running, due)
    try:
        start = time.time() + 3.0
        with ThreadPoolExecutor(workers) as pool:
            jobs = [pool.submit(ask, "claim", url=url, worker=f"w{each}", start=start) for each in range(workers)]
            found: Sequence[Figures] = [job.result() for job in jobs]
        claimed = sum(each["claimed"] for each in found)
        with psycopg.connect(url) as connection:
            row = connection.execute("SELECT count(*) FROM shipment WHERE lease_token IS NOT NULL").fetchone()
    finally:
        running.drop(url)
    if row is None or not claimed == row[0] == due:
        raise RuntimeError(f"{due} parcels were due, {claimed:.0f} were claimed, {row and row[0]} are leased")
    return claimed / max(each["seconds"] for each in found)


def _filled(running: Server, due: int) -> str:
    url = running.database()
    create(url, rehearsal=True, now=FIRST_AT)
    with psycopg.connect(url) as connection:
        connection.execute(_PARCELS, {"due": due, "all": due * 10, "at": epoch(FIRST_AT)})
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE shipment")
    return url


async def claim(url: str, worker: str, start: float) -> dict[str, float]:
    """Claim until nothing is due: how many parcels, and seconds since `start` (epoch), at which all workers begin."""
    clock = BenchClock(FIRST_AT)
    store = await open_store(url, clock=clock, daemon=True, worker=worker)
    await clock.sleep(max(0.0, start - time.time()))
    begun, claimed = time.perf_counter(), 0
    while found := (await store.claim_due(clock.now(), PAGE)).shipments:
        claimed += len(found)
    seconds = time.perf_counter() - begun
    await store.close()
    return {"claimed": float(claimed), "seconds": seconds}
