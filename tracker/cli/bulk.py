"""`tracker review approve --reason R --up-to AMOUNT`: many small refunds at once, the total shown before and after."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from tracker.cli import mass
from tracker.cli.context import Room, answer
from tracker.cli.options import Person
from tracker.cli.output import Answer, Console
from tracker.cli.rows import COLUMNS, outcomes, row_cells, row_document, second_of
from tracker.desk import bulk, limits
from tracker.model import DecisionReason


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which refunds are approved: of this reason, up to this amount each."""

    reason: DecisionReason
    up_to: Decimal
    store: str | None
    note: str
    dry_run: bool

    @property
    def why(self) -> str:
        """What the audit keeps as the reason."""
        return self.note.strip() or f"in bulk: {self.reason.value}, up to {self.up_to} each"


def approve_many(asked: Asked, common: Person) -> int:
    """Run the command; its exit code."""

    async def work(room: Room) -> Answer:
        rules = room.loaded.rules
        found = await bulk.gather(
            room.store, reason=asked.reason, up_to=asked.up_to, of_store=asked.store, rules=rules, now=room.now
        )
        bad = await mass.behind(room, found.rows)
        warnings = [mass.numbers(room, one) for one in bad]

        def before(console: Console) -> None:
            _table(console, found)
            for one in bad:
                console.line(mass.told(console, room, one))

        if asked.dry_run or not found.rows:
            return Answer(document=_document(asked, found) | {"plausibility": warnings}, text=before)
        done = await bulk.approve(room.store, found, by=room.who, note=asked.why, rules=rules, now=room.now)
        became = outcomes("approved", done, note=lambda view: second_of(view, room))
        approved = limits.totals(each.view for each in done if each.view is not None and each.view.row.approved_by is not None)

        def text(console: Console) -> None:
            before(console)
            became.text(console)
            console.line(console.phrases.say("review.approved_total", total=_sum(approved)))

        document = {**_document(asked, found), **became.document, "approved": approved, "plausibility": warnings}
        return Answer(document=document, text=text, code=became.code)

    return answer(common, work, writes=not asked.dry_run)


def _document(asked: Asked, found: bulk.Bulk) -> dict[str, object]:
    return {
        "dry_run": asked.dry_run,
        "reason": asked.reason,
        "up_to": asked.up_to,
        "store": asked.store,
        "rows": [row_document(view) for view in found.rows],
        "totals": found.totals,
        "one_by_one": [view.row.id for view in found.above],
    }


def _table(console: Console, found: bulk.Bulk) -> None:
    console.table(COLUMNS, [row_cells(view, console.phrases) for view in found.rows], empty="review.none_small")
    if found.rows:
        console.line(console.phrases.say("review.total", count=len(found.rows), total=_sum(found.totals)))
    if found.above:
        ids = " ".join(str(view.row.id) for view in found.above)
        console.line(console.phrases.say("review.one_by_one", count=len(found.above), ids=ids))


def _sum(totals: Mapping[str, Decimal]) -> str:
    return " + ".join(f"{amount} {currency}" for currency, amount in totals.items()) or "0"
