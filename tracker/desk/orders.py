"""Facts from outside: clerks refund in the marketplace's own pages, and no file says so (facts/daily-operations.md section 1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import pairwise

from msgspec import UNSET
from msgspec.structs import replace

from tracker.desk.errors import Refused
from tracker.desk.tasks import check_end, positive
from tracker.model import Intent, Order
from tracker.rules import STAGES
from tracker.store import Store
from tracker.store.rows import OrderPatch, OrderRef

_NOTHING_TOLD = (
    "say what is known: --refunded, --paid-again, --received, --window-end, --hold-until, --waiting-since, --unread-since, "
    "--chat, --opt-out, --vip, --risky, --reviewed, --payment, --tax-number, --ship-by, --confirmed, --stages, --note"
)


LONGEST_TO_SHIP = timedelta(days=365)
"""A last day to ship beyond it is a wrong year."""

SHORTEST_TAX_NUMBER = 8

TaxCheck = Callable[[str, str | None], bool | None]
"""Whether a text is a tax number of a country; None where that country's are not known (intake knows [tax] of formats.toml)."""


def _unknown(_number: str, _country: str | None) -> None:
    """No country's numbers are known."""


def wanting(patch: OrderPatch) -> Refused | None:
    """What is missing in the command itself, whatever the order: no fact at all, a refund or a reference without the other."""
    if patch == OrderPatch():
        return Refused("nothing_told", _NOTHING_TOLD)
    if patch.refunded is not UNSET and patch.paid_again is not UNSET:
        return Refused("unexpected_value", "--refunded and --paid-again have a reference each: tell them one after the other")
    money = patch.paid_again if patch.refunded is UNSET else patch.refunded
    if (money is UNSET) == (patch.reference is UNSET):
        return None
    if patch.reference is UNSET:
        what = "a refund" if patch.paid_again is UNSET else "a payment"
        return Refused("missing_value", f"{what} needs its reference: --ref TEXT")
    return Refused("unexpected_value", "--ref belongs to --refunded AMOUNT or --paid-again AMOUNT")


def check_stages(stages: Mapping[Intent, int]) -> None:
    """Days of an order's own ladder increase, as a destination's do. Raises `Refused`."""
    days = [stages[stage] for stage in STAGES if stage in stages]
    if not days or days[0] < 1 or any(later <= earlier for earlier, later in pairwise(days)):
        raise Refused("bad_value", f"the days of the stages have to increase, from 1 on (got {', '.join(map(str, days))})")


def check_tax_number(number: str, country: str | None, valid: TaxCheck) -> None:
    """A person's word releases a parcel, so its check digits count where the country's are known (R16). Raises `Refused`."""
    if valid(number, country) is False:
        raise Refused("bad_value", f"--tax-number: this is no tax number of {country}: a digit is wrong or missing")
    if len(number) < SHORTEST_TAX_NUMBER or not any(map(str.isdigit, number)):
        raise Refused("bad_value", f"--tax-number: a tax number has digits, and {SHORTEST_TAX_NUMBER} characters at least")


def _check_times(patch: OrderPatch, now: datetime) -> None:
    """What has happened lies behind, a hold ahead, a last day to ship near. Raises `Refused`."""
    if isinstance(patch.received_at, datetime) and patch.received_at > now:
        raise Refused("bad_value", f"{patch.received_at.date()} lies ahead: nobody can have received it then")
    if isinstance(patch.hold_until, datetime) and patch.hold_until <= now:
        raise Refused("bad_value", f"{patch.hold_until.date()} has passed: a hold ends in the future")
    for instant in (patch.confirmed_at, patch.reviewed_at, patch.unread_since, patch.waiting_since):
        if isinstance(instant, datetime) and instant > now:
            raise Refused("bad_value", f"{instant.date()} lies ahead: it cannot have happened yet")
    if isinstance(patch.ship_by, datetime) and abs(patch.ship_by - now) > LONGEST_TO_SHIP:
        raise Refused("bad_value", f"--ship-by {patch.ship_by.date()} is more than a year away: is the year right?")


async def tell(
    store: Store,
    order: str | OrderRef,
    patch: OrderPatch,
    *,
    by: str,
    reason: str | None,
    now: datetime,
    force: bool = False,
    tax: TaxCheck = _unknown,
) -> OrderRef:
    """Write what a person knows about an order. A refund needs its reference: without one nobody can find it again (D13).

    `force` takes a window's end that cannot well be; `tax` knows tax numbers. Raises `Refused`, `NotThere`, `NotUnique` (name the
    store), `Conflict` (more than the buyer paid).
    """
    if (refused := wanting(patch)) is not None:
        raise refused
    for told in (patch.refunded, patch.paid_again):
        if told is not UNSET:
            positive(told)
    _check_times(patch, now)
    if isinstance(patch.stages, Mapping):
        check_stages(patch.stages)
    if isinstance(patch.window_end, datetime) and not force:
        check_end(patch.window_end, now)
    found = await store.order_ref(order) if isinstance(order, str) else order
    if isinstance(patch.tax_number, str):
        check_tax_number(patch.tax_number, found.country, tax)
    return await store.set_order_facts(found.id, patch, by=by, reason=(reason or "").strip(), now=now)


def news(order: Order, patch: OrderPatch) -> OrderPatch:
    """What of a patch is not known yet: the same sheet twice tells nothing new. A refund is known by its reference (D13)."""
    window_end = order.window.end if order.window else None
    known = {name: getattr(order, name) for name in _KEPT if name != "window_end"} | {"window_end": window_end}
    changes = {name: UNSET for name, value in known.items() if getattr(patch, name) == value}
    # Whole, not split: a reference may hold a comma itself.
    if patch.reference is not UNSET and f", {patch.reference}, " in f", {order.refund_reference}, ":
        changes |= dict.fromkeys(("refunded", "reference", "refunded_at"), UNSET)
    return replace(patch, **changes)


_KEPT = (
    *("received_at", "window_end", "hold_until", "waiting_since", "opted_out", "vip", "note"),
    *("payment", "ship_by", "confirmed_at", "unread_since", "buyer_chat", "reviewed_at", "risky", "stages"),
)
