"""A plan as a file: what it saw, what it would do, so that exactly this is done later, or nothing (`tracker apply`).

Only what was due when the plan was made is done by applying it; what comes later is listed for people and done when its time
comes. A plan is bound to the configuration's hash and to the version of the facts of every order that it names.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from tracker.model import Dossier
from tracker.plan.ahead import Forecast, Planned

FORMAT = "tracker-plan"
FORMAT_VERSION = 1


class PlanFileError(Exception):
    """The file is no plan that this version can read. The message says why."""


class SavedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order of a plan: the version of its facts, the dedup keys that were due at once, and every effect until the end."""

    id: int
    store: str
    order: str
    version: int
    due: tuple[str, ...]
    effects: tuple[Planned, ...]


class SavedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The file. `config` is the hash of the configuration; times are UTC."""

    format: str
    format_version: int
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    until: Annotated[datetime, msgspec.Meta(tz=True)]
    config: str
    orders: tuple[SavedOrder, ...]

    @property
    def due(self) -> int:
        """How many effects applying it would let happen."""
        return sum(len(order.due) for order in self.orders)


def saved_order(dossier: Dossier, ahead: Forecast) -> SavedOrder | None:
    """What a plan keeps of an order; None where nothing happens to it."""
    if not ahead.effects:
        return None
    order = dossier.order
    return SavedOrder(
        id=order.id,
        store=order.store,
        order=order.number,
        version=dossier.version,
        due=tuple(decision.key for decision in ahead.steps[0].verdict.decisions),
        effects=ahead.effects,
    )


def write_plan(plan: SavedPlan) -> bytes:
    """The file's bytes."""
    return msgspec.json.format(msgspec.json.encode(plan, enc_hook=str), indent=1) + b"\n"


def read_plan(content: bytes) -> SavedPlan:
    """Read a file that `tracker plan --out` wrote. Raises PlanFileError."""
    try:
        head = msgspec.json.decode(content, type=dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PlanFileError(f"is no JSON document: {error}") from error
    if head.get("format") != FORMAT:
        raise PlanFileError("is no plan: tracker plan --out FILE writes one")
    if head.get("format_version") != FORMAT_VERSION:
        raise PlanFileError(
            f"has the format version {head.get('format_version')}, this Tracker reads {FORMAT_VERSION}: make the plan anew"
        )
    try:
        return msgspec.json.decode(content, type=SavedPlan)
    except msgspec.DecodeError as error:
        raise PlanFileError(f"is not as tracker plan wrote it: {error}") from error
