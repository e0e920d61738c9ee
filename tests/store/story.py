"""One order's story from import to send, to be killed and told again: `python -m tests.store.story URL POSTBOX`."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime, timedelta
from pathlib import Path

from tests.store.build import AT, NOW, batch, change, decision, dossier, order, parcel, pending, polled, scan, verdict
from tracker.clock import FixedClock
from tracker.model import Channel, Claim, ClaimState, Intent, OutboxState, Phase, Task
from tracker.store import Store, open_store


async def tell(store: Store, postbox: Path, now: datetime = NOW) -> None:
    """Import, ask, decide, send a message, open a task, register a claim; whatever is done already is passed over.

    What a worker of a fleet had in hand when it died is free again by `now`.
    """
    await store.recover({}, NOW)
    await store.save_import(batch(order(), parcel()), NOW)
    for due in await store.due_shipments(NOW, 10):
        await store.write_poll(polled(change(due.id, due.number, scan("a"), scan("b"), next_poll_at=AT + 3600)))
    for _, order_id in await store.due_dossiers(now, 10):
        rows = (
            pending(decision()),
            pending(decision(Intent.STAGE2), Channel.TASK),
            pending(decision(Intent.COMPENSATION, "shipment/LX001CN", occasion="1"), Channel.REGISTER),
        )
        await store.write_verdicts([verdict(await dossier(store, order_id), *rows)], NOW)
    for row in await store.due_rows(NOW, 10):
        version = (await dossier(store, row.order_id)).version
        if row.channel is Channel.TASK:
            await store.open_task(row.id, Task(kind="k", title="t", store="shop", order="8001"), version=version, now=NOW)
        elif row.channel is Channel.REGISTER:
            await store.open_claim(row.id, claim(), version=version, now=NOW)
        elif await store.claim_row(row.id, who="story", version=version, now=NOW):
            with postbox.open("a") as post:
                post.write(f"{row.key}\n")
            await store.finish_row(row.id, OutboxState.SENT, NOW)


def claim() -> Claim:
    """The parcel's first claim."""
    return Claim(
        shipment="LX001CN",
        attempt=1,
        state=ClaimState.DRAFT,
        rule="yanwen",
        phase=Phase.IN_TRANSIT,
        cause="lost",
        earliest_on=None,
        latest_on=None,
        payable=None,
        currency=None,
        opened_at=NOW,
    )


async def _main(url: str, postbox: Path, later: int) -> None:
    store = await open_store(url, clock=FixedClock(NOW), daemon=True)
    await tell(store, postbox, NOW + timedelta(seconds=later))
    await store.close()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
