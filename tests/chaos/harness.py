"""Several shops, each with its world, are told their stories side by side; then the sum of it."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random

import msgspec

from tests.chaos.fleet import fleet
from tests.chaos.plan import points, rounds
from tests.chaos.reckoning import DOUBLED, LOST
from tests.chaos.shop import Shop
from tests.chaos.story import Story, Told
from tests.chaos.world import world

ROOT = Path(__file__).parents[2]

WORKERS = (3, 2, 4)
"""Of the first, the second ... shop, where it is a fleet."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for."""

    kills: int
    seed: str
    shops: int
    folder: Path
    defect: str = ""
    points: tuple[str, ...] = ()
    """Kill at these points alone; none: at all of them, and at random instants."""
    fleets: int = 0
    """So many of the shops have two to four workers on a PostgreSQL; the others one daemon on SQLite."""


async def run(wish: Wish, say: Callable[[str], None]) -> int:
    """Everything; 0 when nothing was lost, doubled or hidden. The folder of a shop with findings is kept."""
    shutil.rmtree(wish.folder, ignore_errors=True)
    shares = [wish.kills // wish.shops + (at < wish.kills % wish.shops) for at in range(wish.shops)]
    told = await asyncio.gather(*(_shop(wish, at, share) for at, share in enumerate(shares) if share))
    for each in told:
        if not each.findings:
            shutil.rmtree(wish.folder / each.shop, ignore_errors=True)
    return summed_up(wish, told, say)


def summed_up(wish: Wish, told: Sequence[Told], say: Callable[[str], None]) -> int:
    """Say what was found, one line each, and the sum in the last line."""
    points = sum((each.points for each in told), Counter[str]())
    for point, times in sorted(points.items()):
        say(f"{times:5} x {point}")
    kinds = Counter[str]()
    for each in told:
        for found in each.findings:
            kinds[found.kind] += 1
            after = f"; {found.kill}" if found.kill else ""
            say(f"{found.kind}: {found.row}: {found.what}{after} (seed {wish.seed}, {wish.folder / each.shop})")
    orders, mails = sum(each.orders for each in told), sum(each.mails for each in told)
    say(f"orders={orders} mails={mails} asked-again={sum(each.asked_again for each in told)} seed={wish.seed}")
    counts = f"kills={sum(each.kills for each in told)} lost={kinds[LOST]} doubled={kinds[DOUBLED]}"
    say(f"{counts} unknown={sum(each.unknown for each in told)} shown={sum(each.shown for each in told)}")
    return 1 if kinds else 0


async def _shop(wish: Wish, at: int, kills: int) -> Told:
    name = f"shop-{at + 1}"
    random = Random(f"{wish.seed}/{name}")  # noqa: S311 - a plan that can be played again
    with ExitStack() as stack:
        around = stack.enter_context(world(random))
        await around.open_post()
        folder = wish.folder / name
        folder.mkdir(parents=True)
        if at >= wish.shops - wish.fleets:
            names = tuple(f"w{number + 1}" for number in range(WORKERS[at % len(WORKERS)]))
            shop = Shop(name, folder, around, fleet=stack.enter_context(fleet(around.time)), workers=names)
        else:
            shop = Shop(name, folder, around)
        shop.furnish()
        where = wish.points or points(fleet=shop.fleet is not None)
        begin = at * len(where) // wish.shops
        turned, aimed = where[begin:] + where[:begin], 1.0 if wish.points else 0.7
        plan = rounds(f"{wish.seed}/{name}", kills, len(shop.workers), turned, aimed=aimed)
        return await Story(shop, random, wish.defect).tell(plan, kills)
