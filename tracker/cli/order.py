"""`tracker order`: facts from outside."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from msgspec import UNSET
from msgspec.structs import replace

from tracker.cli.context import Room, answer
from tracker.cli.errors import UsageError
from tracker.cli.options import Amount, Day, Person, Time, read_time
from tracker.cli.order_sheet import tax_check
from tracker.cli.output import Answer
from tracker.desk import orders, tasks
from tracker.intake.outside import payment_word, read_stages
from tracker.model import Intent
from tracker.store.rows import OrderPatch

app = App(name="order", help="Facts from outside, which no file tells: clerks refund in the marketplace's own pages.")


@app.command(name="set")
def set_(  # noqa: PLR0913 - each is a fact that somebody may know
    order: str | None = None,
    /,
    *,
    store: str | None = None,
    refunded: Amount | None = None,
    ref: str | None = None,
    paid_again: Amount | None = None,
    received: str | None = None,
    window_end: Day | None = None,
    hold_until: Time | None = None,
    waiting_since: Time | None = None,
    opt_out: bool | None = None,
    vip: bool | None = None,
    risky: bool | None = None,
    unread_since: Time | None = None,
    chat: str | None = None,
    reviewed: str | None = None,
    payment: str | None = None,
    tax_number: str | None = None,
    ship_by: Time | None = None,
    confirmed: str | None = None,
    stages: str | None = None,
    note: str | None = None,
    reason: str | None = None,
    force: Annotated[bool, Parameter(negative=())] = False,
    sheet: Annotated[Path | None, Parameter(name="--from")] = None,
    common: Person = Person(),
) -> int:
    """Tell what is known about an order. What follows from it is decided at the next pass.

    Example: `tracker order set 8170000000000011 --refunded 12.50 --ref R-4711 --by Mei`

    Example: `tracker order set --from refunds.csv --by Mei`

    Args:
        order: The order's number.
        store: The store, where two of them use the same number.
        refunded: What was paid back now, in the order's currency; needs --ref. Earlier refunds stay, this one is added.
        ref: The reference of that refund, or of that payment.
        paid_again: What the buyer paid again whose parcel came after the refund; needs --ref. It is counted as recovered.
        received: The buyer has it: the day he got it, or "now".
        window_end: The last day of the delivery window, as the marketplace shows it.
        hold_until: Nothing goes out about this order before that time.
        waiting_since: Since when the buyer waits for an answer.
        opt_out: The buyer wants no messages.
        vip: A buyer to look after.
        risky: A buyer to be careful with: what is recommended about this order says so.
        unread_since: Since when the marketplace shows that our last message was not read.
        chat: The buyer's chat with your Telegram bot, which he has opened.
        reviewed: The buyer has left a review: the day, or "now".
        payment: How it is paid, in one word: boleto, paypal, card, bank_transfer ...
        tax_number: The buyer's tax number (CPF, CNPJ ...); it releases a parcel that waits for it.
        ship_by: The last moment to ship, as the marketplace shows it.
        confirmed: The shipment is confirmed to the marketplace: when, or "now".
        stages: The days of this order's own stages, for instance 40,55,70.
        note: What the next one should know.
        reason: How you know.
        force: Take a window's end that is long past or far ahead.
        sheet: A sheet instead, a row an order: order, refunded, reference, ship_by, payment, tax_number, stages, note ...
            The same sheet again changes nothing.
    """
    plain = OrderPatch(
        refunded=UNSET if refunded is None else refunded,
        reference=UNSET if ref is None else ref,
        paid_again=UNSET if paid_again is None else paid_again,
        hold_until=UNSET if hold_until is None else hold_until,
        waiting_since=UNSET if waiting_since is None else waiting_since,
        opted_out=UNSET if opt_out is None else opt_out,
        vip=UNSET if vip is None else vip,
        risky=UNSET if risky is None else risky,
        unread_since=UNSET if unread_since is None else unread_since,
        buyer_chat=UNSET if chat is None else chat.strip() or None,
        payment=UNSET if payment is None else None,  # its word stands in the formats: below
        tax_number=UNSET if tax_number is None else tax_number.strip() or None,
        ship_by=UNSET if ship_by is None else ship_by,
        stages=UNSET if stages is None else _stages(stages),
        note=UNSET if note is None else note,
    )
    later = received or window_end or reviewed or confirmed
    if sheet is not None:
        if order is not None or plain != OrderPatch() or later:
            raise UsageError("--from names a sheet that says everything: leave out ORDER and the facts")
        return answer(common, partial(_set_all, sheet, store, reason, force), writes=True)
    if order is None:
        raise UsageError("name the order, or a sheet of them: --from FILE")
    missing = orders.wanting(plain)
    if missing is not None and not (plain == OrderPatch() and later):
        raise UsageError(str(missing))

    async def work(room: Room) -> Answer:
        found = await room.store.order_ref(order, store)
        patch = replace(
            plain,
            payment=UNSET if payment is None else _payment(payment, room),
            received_at=UNSET if received is None else _moment(received, room.now, "--received"),
            reviewed_at=UNSET if reviewed is None else _moment(reviewed, room.now, "--reviewed"),
            confirmed_at=UNSET if confirmed is None else _moment(confirmed, room.now, "--confirmed"),
            window_end=UNSET if window_end is None else tasks.end_of_day(window_end, room.zone_of(found.store)),
        )
        told = await orders.tell(
            room.store, found, patch, by=room.who, reason=reason, now=room.now, force=force, tax=tax_check(room)
        )
        return Answer(
            document={"order": {"store": told.store, "number": told.number, "facts_version": told.version}},
            text=lambda console: console.line(f"Noted. See what follows: tracker explain {told.number}"),
        )

    return answer(common, work, writes=True)


async def _set_all(sheet: Path, store: str | None, reason: str | None, force: bool, room: Room) -> Answer:
    from tracker.cli.order_sheet import set_all

    return await set_all(room, sheet, by=room.who, store=store, reason=reason, force=force)


def _payment(text: str, room: Room) -> str | None:
    from tracker.intake.importing import knowledge_of

    word = payment_word(text, knowledge_of(room.loaded).formats)
    if word is None and text.strip():
        raise UsageError("--payment: write how it is paid in one word, without a number: card, boleto, bank_transfer ...")
    return word


def _stages(text: str) -> dict[Intent, int]:
    found = read_stages(text)
    if found is None:
        raise UsageError(f'--stages: three days, for instance 40,55,70 (got "{text}")')
    return found


def _moment(text: str, now: datetime, option: str) -> datetime:
    try:
        return now if text == "now" else read_time(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}, or now") from error
