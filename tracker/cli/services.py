"""`tracker services`: texts of shipping services in files, and what they map to."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from tracker.cli.context import Room, answer
from tracker.cli.options import At
from tracker.cli.output import Answer, Console


def services(*, unmatched: Annotated[bool, Parameter(negative=())] = False, common: At = At()) -> int:
    """Services that services.toml knows, and texts of files that none of them fits (those parcels are treated with caution).

    Example: `tracker services --unmatched`

    Args:
        unmatched: Only the texts that nothing fits, with the number of parcels.
    """

    async def work(room: Room) -> Answer:
        texts = await room.store.unmatched_services()
        known = () if unmatched else room.loaded.rules.services

        def text(console: Console) -> None:
            if not unmatched:
                rows = [(each.id, each.carrier, each.service, each.capability, each.settled_by) for each in known]
                console.table(("id", "carrier", "service", "tracking", "settled by"), rows, empty="services.toml is empty.")
            unknown = [(each.text, each.shipments) for each in texts]
            console.table(("text that no service fits", "parcels"), unknown, empty="Every text in the files is known.")

        return Answer(
            document={
                "services": [
                    {
                        "id": each.id,
                        "carrier": each.carrier,
                        "service": each.service,
                        "capability": each.capability,
                        "settled_by": each.settled_by,
                    }
                    for each in known
                ],
                "unmatched": [{"text": each.text, "shipments": each.shipments} for each in texts],
            },
            text=text,
        )

    return answer(common, work)
