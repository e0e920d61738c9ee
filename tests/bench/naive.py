"""The build that anybody would write first, with the same packages, as well as an ordinary user would.

A job of APScheduler looks for what is due; each parcel is asked about alone over one shared httpx client, with retries by
tenacity, and kept in a SQLModel session of its own; structlog says a line for each. It keeps scans, status and when to ask
again, and counts the stages by days; it has no outbox, no evidence, no reasons and no second chance after a crash.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlmodel import Field, Session, SQLModel, create_engine, select
from tenacity import AsyncRetrying, stop_after_attempt, wait_exponential

from tests.bench.answers import numbers
from tests.bench.product import FIRST_AT, NEWS_AT, SAME_AT, expect

_log = structlog.wrap_logger(
    structlog.WriteLogger(StringIO()),
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.JSONRenderer(),
    ],
)

_AT_ONCE = 16
_STAGES = (30, 45, 60)


class NaiveParcel(SQLModel, table=True):
    """A parcel."""

    __tablename__ = "naive_parcel"

    id: int | None = Field(default=None, primary_key=True)
    number: str = Field(index=True, unique=True)
    status: str = "unknown"
    stage: int = 0
    shipped_at: datetime
    last_scan_at: datetime | None = None
    last_answer_at: datetime | None = None
    next_poll_at: datetime = Field(index=True)


class NaiveScan(SQLModel, table=True):
    """A scan."""

    __tablename__ = "naive_scan"

    id: int | None = Field(default=None, primary_key=True)
    parcel_id: int = Field(foreign_key="naive_parcel.id", index=True)
    at: datetime
    status: str
    description: str
    location: str


class Naive:
    """The whole program."""

    def __init__(self, path: Path, base_url: str) -> None:
        self.engine = create_engine(f"sqlite:///{path}")
        SQLModel.metadata.create_all(self.engine, tables=[NaiveParcel.__table__, NaiveScan.__table__])  # type: ignore[attr-defined]
        self.client = httpx.AsyncClient(base_url=base_url, headers={"17token": "invented"}, timeout=20)
        self.now = FIRST_AT
        self.asked = 0
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def poll_due(self) -> None:
        """The scheduled job."""
        with Session(self.engine) as session:
            due = session.exec(select(NaiveParcel.number).where(NaiveParcel.next_poll_at <= self.now)).all()
        await asyncio.gather(*(self._poll(number) for number in due))

    async def _poll(self, number: str) -> None:
        async with self._turns:
            item = await self._fetch(number)
            new = self._keep(number, item)
            self.asked += 1
            _log.info("parcel.polled", number=number, new=new)

    async def _fetch(self, number: str) -> dict[str, Any]:
        async for attempt in AsyncRetrying(stop=stop_after_attempt(3), wait=wait_exponential(max=10), reraise=True):
            with attempt:
                answer = await self.client.post("/gettrackinfo", json=[{"number": number}])
                answer.raise_for_status()
                found: dict[str, Any] = answer.json()["data"]["accepted"][0]["track_info"]
                return found
        raise AssertionError("unreachable: tenacity returns or raises")

    def _keep(self, number: str, info: dict[str, Any]) -> int:
        with Session(self.engine) as session:
            parcel = session.exec(select(NaiveParcel).where(NaiveParcel.number == number)).one()
            scans = session.exec(select(NaiveScan).where(NaiveScan.parcel_id == parcel.id)).all()
            known = {(scan.at.replace(tzinfo=None), scan.description, scan.location) for scan in scans}
            new = 0
            for event in info["tracking"]["providers"][0]["events"]:
                at = datetime.fromisoformat(event["time_iso"]).astimezone(UTC)
                if (at.replace(tzinfo=None), event["description"], event["location"]) in known:
                    continue
                what = {"status": event["sub_status"], "description": event["description"], "location": event["location"]}
                session.add(NaiveScan(parcel_id=parcel.id or 0, at=at, **what))
                new += 1
                if parcel.last_scan_at is None or at > parcel.last_scan_at.replace(tzinfo=UTC):
                    parcel.last_scan_at = at
            parcel.status = info["latest_status"]["status"]
            days = (self.now - parcel.shipped_at.replace(tzinfo=UTC)).days
            parcel.stage = sum(days >= stage for stage in _STAGES)
            parcel.last_answer_at = self.now
            parcel.next_poll_at = self.now + timedelta(hours=6)
            session.add(parcel)
            session.commit()
            return new


def measure(path: Path, base_url: str, shipments: int) -> dict[str, float]:
    """CPU microseconds a parcel: `first` (all scans new), `same` (nothing new), `one` (one new scan each)."""
    return asyncio.run(_measure(path, base_url, shipments))


async def _measure(path: Path, base_url: str, shipments: int) -> dict[str, float]:
    naive = Naive(path, base_url)
    with Session(naive.engine) as session:
        for number in numbers(shipments):
            session.add(NaiveParcel(number=number, shipped_at=FIRST_AT - timedelta(days=35), next_poll_at=FIRST_AT))
        session.commit()
    figures = {}
    for name, at in (("first", FIRST_AT), ("same", SAME_AT), ("one", NEWS_AT)):
        naive.now, naive.asked = at, 0
        if name == "one":
            naive.client.base_url = httpx.URL(f"{base_url}/news")
        started = time.process_time()
        await _by_a_scheduler(naive.poll_due)
        figures[name] = (time.process_time() - started) * 1e6 / shipments
        expect(f"naive {name}", naive.asked, shipments)
    await naive.client.aclose()
    with Session(naive.engine) as session:
        scans = len(session.exec(select(NaiveScan.id)).all())
    expect("naive scans, more than one a parcel", scans > shipments, wanted=True)
    naive.engine.dispose()
    return figures


async def _by_a_scheduler(job: Callable[[], Awaitable[None]]) -> None:
    """Run the job once, as it would run every five minutes."""
    done = asyncio.Event()

    async def run() -> None:
        try:
            await job()
        finally:
            done.set()

    scheduler = AsyncIOScheduler(timezone=UTC)
    scheduler.add_job(run, "date")
    scheduler.start()
    await done.wait()
    scheduler.shutdown(wait=False)
