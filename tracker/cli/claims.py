"""`tracker claims`: what carriers owe, how far it has come, and why."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter
from msgspec import UNSET

from tracker.cli.choice import known_store
from tracker.cli.context import Room, answer
from tracker.cli.errors import UsageError
from tracker.cli.options import Amount, At, Day, Person, read_date
from tracker.cli.output import Answer, Console, money
from tracker.compensation import outstanding
from tracker.desk import claims as desk
from tracker.desk.claim_story import story
from tracker.model import ClaimChange, ClaimState, Liable, LossType, Paper, Settlement
from tracker.store.claims import ClaimView

app = App(name="claims", help="What carriers owe for lost and damaged parcels: from the loss to the money on the statement.")

app.command("tracker.cli.claim_files:export", name="export")
app.command("tracker.cli.claim_files:import_", name="import")
app.command("tracker.cli.claim_files:reconcile_", name="reconcile")

COLUMNS = ("id", "deadline", "store", "order", "parcel", "carrier", "rule", "amount", "claim_open", "state")

_SETTLED = frozenset({ClaimState.CLOSED, ClaimState.EXPIRED, ClaimState.WITHDRAWN, ClaimState.WRITTEN_OFF})


@app.command(name="list")
def list_(
    *,
    state: list[ClaimState] | None = None,
    carrier: str | None = None,
    store: str | None = None,
    everything: Annotated[bool, Parameter(name="--all", negative=())] = False,
    common: At = At(),
) -> int:
    """Claims, the one whose window closes first in front; without --state and --all those that are not over.

    Example: `tracker claims list --state ready --carrier yanwen`

    Args:
        state: Which states.
        carrier: One carrier only.
        store: One store only.
        everything: Those that are over, too.
    """

    async def work(room: Room) -> Answer:
        wanted = state or ([] if everything else [each for each in ClaimState if each not in _SETTLED])
        found = await room.store.claims(wanted, carrier=carrier, store=await known_store(store, room))
        rows = [_cells(view, room) for view in found]
        return Answer(
            document={"claims": [claim_document(view) for view in found]},
            text=lambda console: console.table(COLUMNS, rows, empty="list.nothing_here"),
        )

    return answer(common, work)


@app.command
def show(id: int, /, *, common: At = At()) -> int:  # noqa: A002 - what the user reads in --help
    """One claim with its whole history: who, when, what, why.

    Example: `tracker claims show 7`
    """

    async def work(room: Room) -> Answer:
        view = await room.store.claim(id)
        history = await room.store.claim_changes(id)
        document = {"claim": claim_document(view), "history": [msgspec.to_builtins(each) for each in history]}

        def text(console: Console) -> None:
            console.head(f"{view.claim.number} ({view.store}/{view.order})")
            console.facts({name: value for name, value in claim_document(view).items() if value not in (None, "", [], {})})
            rows = [
                (each.on, each.event, each.before or "", each.after, each.who, each.late or "", _why(each)) for each in history
            ]
            console.line()
            console.table(("on", "event", "before", "after", "by", "late", "reason"), rows, empty="list.nothing_here")

        return Answer(document=document, text=text)

    return answer(common, work)


@app.command
def explain(id: int, /, *, common: At = At()) -> int:  # noqa: A002 - what the user reads in --help
    """Why a claim is as it is: terms, phase, window, what is payable with its arithmetic, papers, attempts, who files with whom.

    Example: `tracker claims explain 7`
    """

    async def work(room: Room) -> Answer:
        view = await room.store.claim(id)
        dossier, shipment = await desk.parcel_of(room.store, view)
        told = story(view, dossier, shipment, room.loaded.rules, room.now)

        def text(console: Console) -> None:
            console.head(f"{view.claim.number} ({view.store}/{view.order})")
            console.facts({name: value for name, value in told.items() if name != "papers" and value not in (None, [])})
            rows = [
                (each["code"], "yes" if each["present"] else "no", each["file"], each["on"], each["acceptable_from"])
                for each in told["papers"]
            ]
            console.line()
            console.table(("papers", "there", "file", "on", "acceptable_from"), rows, empty="list.nothing_here")

        return Answer(document=told, text=text)

    return answer(common, work)


@app.command(name="set")
def set_(  # noqa: PLR0913 - each is a fact that somebody may know
    id: int,  # noqa: A002 - what the user reads in --help
    /,
    *,
    state: ClaimState | None = None,
    on: Day | None = None,
    ref: str | None = None,
    amount: Amount | None = None,
    currency: str | None = None,
    settles: Amount | None = None,
    how: Settlement = Settlement.CASH,
    whole: Annotated[bool, Parameter(negative=())] = False,
    again: Annotated[bool, Parameter(negative=())] = False,
    evidence: list[str] | None = None,
    loss_type: LossType | None = None,
    liable: Liable | None = None,
    item_cost: Amount | None = None,
    item_cost_currency: str | None = None,
    weight: Amount | None = None,
    insured: Amount | None = None,
    insured_currency: str | None = None,
    owner: str | None = None,
    note: str | None = None,
    reason: str = "",
    common: Person = Person(),
) -> int:
    """Say what became of a claim: a state with its day and figures, or single facts. The same again changes nothing.

    Example: `tracker claims set 7 --state filed --on 2026-11-03 --ref YW-4711 --amount 19.80 --by Mei`

    Example: `tracker claims set 7 --evidence proof_of_value=invoice.pdf@2026-10-30 --by Mei`

    Args:
        state: What it is now: inquiry_open, filed, acknowledged, waiting_documents, approved, rejected, appealed, paid, offset …
        on: The day on which it happened; today by default.
        ref: The carrier's reference; of a payment that of the statement.
        amount: What was claimed, approved or paid.
        currency: Its currency; that of the claim by default.
        settles: What a payment in another currency settles, in the claim's own.
        how: How it was paid: cash, or a coupon, which is no cash.
        whole: The payment ends the matter, though it is less than was approved.
        again: The carrier has refused: give this claim up and open the next attempt.
        evidence: A document that is there: code=FILE, or code=FILE@2026-10-30 with its date.
        loss_type: lost, short, damaged, delay, not_in_warehouse.
        liable: Who bears it: carrier, seller, buyer, unknown.
        item_cost: What the goods cost; needs --item-cost-currency.
        item_cost_currency: Its currency.
        weight: The parcel's weight in kg, 0.001 to 100, where the terms pay by weight.
        insured: The insured value.
        insured_currency: Its currency.
        owner: Whose work it is.
        note: What the next one should know.
        reason: Why; wanted where a claim is written off.
    """
    if again and state is not None:
        raise UsageError("--again gives the claim up and opens the next one: leave out --state")
    said = None
    if state is not None:
        said = desk.Said(
            state=state,
            on=on,
            reference=ref,
            amount=amount,
            currency=_upper(currency),
            settles=settles,
            how=how,
            why=reason,
            whole=whole,
        )
    patch = desk.ClaimPatch(
        loss_type=_or_unset(loss_type),
        liable=_or_unset(liable),
        carrier_ref=_or_unset(ref if state is None else None),
        claimed=_or_unset(amount if state is None else None),
        claimed_currency=_or_unset(_upper(currency) if state is None else None),
        item_cost=_or_unset(item_cost),
        item_cost_currency=_or_unset(_upper(item_cost_currency)),
        weight_kg=_or_unset(weight),
        insured=_or_unset(insured),
        insured_currency=_or_unset(_upper(insured_currency)),
        owner=_or_unset(owner),
        note=_or_unset(note),
        papers=dict(_paper(each) for each in evidence or ()),
    )
    if said is None and patch == desk.ClaimPatch() and not again:
        raise UsageError("say what is known: --state with --on, --ref, --amount; or --evidence, --note, --liable …")

    async def work(room: Room) -> Answer:
        doing = desk.Desk(store=room.store, rules=room.loaded.rules, by=room.who, now=room.now)
        view = await desk.say(doing, id, said, patch)
        if again:
            view = await desk.again(doing, id, reason)
        state = room.phrases.word("claim", view.claim.state)
        return Answer(
            document={"claim": claim_document(view)},
            text=lambda console: console.line(f"{view.claim.id}: {view.claim.number} {state}"),
        )

    return answer(common, work, writes=True)


def _why(change: ClaimChange) -> str:
    """The reason that was told; of a correction what it changed: field, old and new value."""
    if change.event != desk.FACTS_EVENT:
        return change.why
    changed = [f"{name}: {old or '-'} -> {new or '-'}" for name, (old, new) in change.fields.items()]
    told = [] if ("note" in change.fields and change.fields["note"][1] == change.why) or not change.why else [change.why]
    return "; ".join([*changed, *told])


def claim_document(view: ClaimView) -> dict[str, Any]:
    """One claim for `--json`."""
    claim: dict[str, Any] = msgspec.to_builtins(view.claim)
    amounts = {"number": view.claim.number, "settled": view.claim.settled, "open": outstanding(view.claim)}
    place = {"store": view.store, "order": view.order, "carrier": view.carrier, "service": view.service}
    return {"id": claim.pop("id"), **place, **claim, **amounts}


def _cells(view: ClaimView, room: Room) -> tuple[object, ...]:
    claim = view.claim
    return (
        claim.id,
        claim.latest_on,
        view.store,
        view.order,
        claim.shipment,
        view.carrier,
        claim.rule,
        money(claim.payable, claim.currency),
        money(outstanding(claim) or None, claim.claimed_currency),
        room.phrases.word("claim", claim.state),
    )


def _paper(text: str) -> tuple[str, Paper]:
    code, mark, rest = text.partition("=")
    file, _, day = rest.partition("@")
    if not mark or not code.strip() or not file.strip():
        raise UsageError(f"--evidence {text!r}: write code=FILE, or code=FILE@2026-10-30 with the day that stands on it")
    try:
        on: date | None = read_date(day) if day else None
    except ValueError as error:
        raise UsageError(f"--evidence {text!r}: {error}") from None
    return code.strip(), Paper(file=str(Path(file.strip())), on=on)


def _upper(text: str | None) -> str | None:
    if text is None:
        return None
    from babel.numbers import is_currency

    code = text.strip().upper()
    if code != "XDR" and not is_currency(code):
        raise UsageError(f"{text!r} is no currency; write USD")
    return code


def _or_unset(value: Any) -> Any:  # noqa: ANN401 - whatever the option holds
    return UNSET if value is None else value
