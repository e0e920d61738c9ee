"""One shop's story: round after round of lives that end by SIGKILL, then peace, then the reckoning."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from random import Random

import httpx
import msgspec

from tests import house
from tests.chaos.defects import DEFECTS
from tests.chaos.desk import Desk
from tests.chaos.plan import POINTS, Life, Round
from tests.chaos.reckoning import TROUBLE, Finding, Reckoning
from tests.chaos.shop import Boredom, Shop, ended
from tests.chaos.witness import Witness
from tests.receiver.knocking import signed
from tracker.clock import epoch
from tracker.daemon import AGAIN
from tracker.store import Store, StoreError

SOMEWHERE = "at a random instant"

PATIENCE, BORED, BORED_IN_A_FLEET = 30.0, 3.0, 6.0
"""Seconds that a life may take to reach its point, and of idleness after which it will not: then it is killed where it is."""

HOPELESS = 10
"""So much trouble ends a story early: something else than a kill is wrong."""

PEACE = 240.0
"""Seconds until everything that is due must have been done: a fleet's queue gives a worker up after a minute and a half."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """How a shop's story ended."""

    shop: str
    kills: int
    unknown: int
    shown: int
    mails: int
    orders: int
    asked_again: int
    points: Counter[str]
    findings: tuple[Finding, ...]


class Story:
    """Plays one shop's plan. `defect` names a mistake that is built in, to see whether it is noticed."""

    def __init__(self, shop: Shop, random: Random, defect: str = "") -> None:
        self.shop = shop
        self.desk = Desk(shop, random)
        self.witness = Witness(shop)
        self.points: Counter[str] = Counter()
        self._random = random
        self._defect = DEFECTS.get(defect)

    async def tell(self, plan: Sequence[Round], kills: int) -> Told:
        """Everything, until so many kills are done."""
        reckoning, findings = Reckoning(self.shop, self.desk, self.witness), list[Finding]()
        try:
            await self._live(plan, kills)
            await self._peace()
            findings = await reckoning.all()
        except (StoreError, OSError) as error:  # a TimeoutError is an OSError
            findings.append(Finding(kind=TROUBLE, what="the harness gave up", row=repr(error)))
        return Told(
            shop=self.shop.name,
            kills=len(self.witness.kills),
            unknown=len(self.witness.doubtful),
            shown=reckoning.shown,
            mails=self.shop.world.post.accepted.total(),
            orders=len(self.desk.orders),
            asked_again=reckoning.asked_again,
            points=self.points,
            findings=tuple(findings),
        )

    async def _live(self, plan: Sequence[Round], kills: int) -> None:
        for round_ in _for_ever(plan):
            left = kills - len(self.witness.kills)
            if left <= 0 or len(self.desk.trouble) > HOPELESS:
                return
            await self._round(msgspec.structs.replace(round_, lives=round_.lives[:left]))

    async def _round(self, round_: Round) -> None:
        self.shop.jump(timedelta(seconds=round_.jump))
        await self._sabotage()
        if round_.lose_queue and self.shop.fleet is not None:
            self.shop.fleet.lose_queue()
        if round_.command:
            before = len(self.desk.killed)
            await self.desk.kill(round_)
            for each in self.desk.killed[before:]:
                self.witness.hear(each.words, each.where)
                self.points[each.where if each.where in POINTS else SOMEWHERE] += 1
            return
        lives = zip(self.shop.workers, round_.lives, strict=False)
        beside = self._restart() if round_.restart else self._beside(round_)
        await asyncio.gather(*(self._life(worker, life) for worker, life in lives), beside)

    async def _life(self, worker: str, life: Life) -> None:
        since = self.shop.world.time.now()
        process = self.shop.start(worker, life)
        if life.crash_at:
            idle = BORED if self.shop.fleet is None else BORED_IN_A_FLEET
            code = await ended(process, PATIENCE, bored=Boredom(self.shop, idle))
        else:
            code = await ended(process, life.seconds)
        if code == AGAIN and self.shop.fleet is not None:
            self.points["the database went away, exit code 75"] += 1
            await self.witness.see(worker, "exit code 75", process.life, killed=False)
            return
        if code != -signal.SIGKILL:
            self.desk.trouble.append(f"{worker} ended by itself with exit code {code}")
            return
        point = life.crash_at.partition(":")[0]
        reached = bool(point) and not process.shot
        self.points[point if reached else SOMEWHERE] += 1
        lived = (self.shop.world.time.now() - since).total_seconds()
        await self.witness.see(worker, life.crash_at if reached else f"after {lived:.1f} s", process.life)

    async def _restart(self) -> None:
        """PostgreSQL is restarted under everybody (fault 5)."""
        assert self.shop.fleet is not None
        await asyncio.sleep(self._random.uniform(0.5, 2.5))
        await asyncio.to_thread(self.shop.fleet.restart)

    async def _beside(self, round_: Round) -> None:
        """What happens while the daemons live and die."""
        await self.desk.bring(round_.orders)
        if round_.knocks:
            await self._knock()
        for what in round_.beside:
            await self.desk.beside(what)

    async def _knock(self) -> None:
        """The carrier pushes what it knows about some parcels; nobody may be at home."""
        carrier = self.shop.world.carrier
        known = sorted(carrier.registered)
        async with httpx.AsyncClient(trust_env=False) as client:
            for number in self._random.sample(known, min(6, len(known))):
                body, scans = carrier.news_of(number)
                try:
                    url = f"http://127.0.0.1:{self.shop.push_port}/push/tracks"
                    answer = await client.post(url, content=body, headers=signed(body, house.TOKEN), timeout=5)
                except httpx.TransportError:
                    await asyncio.sleep(0.4)
                    continue
                if answer.status_code == httpx.codes.OK:
                    carrier.told[number] |= scans

    async def _peace(self) -> None:
        """Nobody is killed any more: everything that is due is done, and the daemons are stopped as systemd stops them."""
        self.shop.jump(timedelta(hours=1))
        await self._sabotage()
        if self.shop.fleet is not None:
            self.shop.fleet.lose_queue()
        processes = [self.shop.start(worker, Life()) for worker in self.shop.workers]
        await self._settled()
        for process in processes:
            process.send(signal.SIGTERM)
        for process in processes:
            code = await ended(process, limit=40)
            if code != 0:
                self.desk.trouble.append(f"a daemon that was asked to stop ended with {code}")

    async def _sabotage(self) -> None:
        if self._defect is not None:
            await self.shop.run(self._defect)

    async def _settled(self) -> None:
        loop = asyncio.get_running_loop()
        end, quiet = loop.time() + PEACE, 0
        while quiet < 3 and loop.time() < end:
            await asyncio.sleep(0.7)
            first, pushed = await self.shop.look(_left)
            quiet = quiet + 1 if not pushed and (first is None or first > epoch(self.shop.world.time.now())) else 0


async def _left(store: Store) -> tuple[int | None, int]:
    """When the next thing is due, and how many pushes wait."""
    return (await store.next_due()).first, len(await store.waiting_pushes(1))


def _for_ever(plan: Sequence[Round]) -> Iterator[Round]:
    """A command that ended before its kill, or a life that ended by itself, is made up for: the plan begins anew."""
    while True:
        yield from plan
