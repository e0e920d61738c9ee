"""Many parcels of one carrier, or on one route, that stand still at once: one alert, beside the hold on money (R93, D25)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tracker.rules import Manners
from tracker.store.stuck import Standing


def clusters(standing: Sequence[Standing], manners: Manners) -> Iterator[Standing]:
    """Carriers of which too many parcels stand still (`country` "*"); of the others the routes where that is so."""
    by_carrier: dict[str, list[Standing]] = {}
    for each in standing:
        by_carrier.setdefault(each.carrier, []).append(each)
    for carrier, routes in by_carrier.items():
        whole = Standing(
            carrier=carrier, country="*", moving=sum(each.moving for each in routes), stuck=sum(each.stuck for each in routes)
        )
        if len(routes) > 1 and _too_many(whole, manners):
            yield whole
        else:
            yield from (each for each in routes if _too_many(each, manners))


def _too_many(found: Standing, manners: Manners) -> bool:
    return found.stuck >= manners.stuck_parcels and found.stuck >= manners.stuck_share * found.moving
