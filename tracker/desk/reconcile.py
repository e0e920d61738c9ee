"""`tracker claims reconcile FILE --carrier X --month M`: a carrier's statement against what it approved.

Credits on freight bills are common, so statement lines are matched, not bank lines (facts/compensation.md section 6). A line is
used once; one line may settle many claims, and one claim may be paid in parts.
"""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import TypeVar

import msgspec

from tracker.compensation import converted, outstanding, rounded
from tracker.desk.claim_sheets import BadLine, Line
from tracker.desk.claims import Desk, Said, ground_of, moved
from tracker.desk.errors import Refused
from tracker.desk.worksheet.cells import heading
from tracker.model import Claim, ClaimState
from tracker.rules import ClaimSheet
from tracker.store.claims import ClaimView, StatementUse

T = TypeVar("T")

_OWED = frozenset({ClaimState.APPROVED, ClaimState.APPROVED_PARTIAL})


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the statement, and the claims it is about. `left` is what stays open of them, `why` what is wrong with it."""

    line: int
    tracking_no: str
    amount: Decimal | None
    currency: str | None
    on: date | None
    claims: tuple[int, ...] = ()
    left: Decimal = Decimal(0)
    why: str | None = None


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """A claim that the carrier approved and that no line pays."""

    claim: int
    tracking_no: str
    approved_on: date | None
    open: Decimal
    currency: str | None


class Reconciled(msgspec.Struct, frozen=True, kw_only=True):
    """The four lists, and lines that an earlier run has used."""

    month: str
    matched: tuple[Found, ...]
    partly_paid: tuple[Found, ...]
    unknown: tuple[Found, ...]
    used_before: tuple[Found, ...]
    not_on_statement: tuple[Missing, ...]


class _Matcher:
    """Matches line after line: what one has paid is no longer open for the next."""

    def __init__(self, desk: Desk, layout: ClaimSheet, views: Sequence[ClaimView], carrier: str, month: str, file: str) -> None:
        self._desk, self._layout, self._carrier, self._month, self._file = desk, layout, carrier, month, file
        self._claims = {view.claim.id: view.claim for view in views}
        self._of_parcel: dict[str, list[int]] = {}
        for view in views:
            self._of_parcel.setdefault(view.claim.shipment.upper(), []).append(view.claim.id)
        self._seen: Counter[str] = Counter()
        self._paid: set[int] = set()
        self.uses: list[StatementUse] = []

    def key(self, line: Line) -> str:
        """The line's name for ever: what stands in it, and which of several alike it is.

        It is the same from a workbook and from a .csv, whatever either makes of 20.00 and of a day; the month counts only where
        nothing else in the line says when.
        """
        reference, on, amount = (
            line.text("reference"),
            _plain(lambda: line.day("on")),
            _plain(lambda: line.amount("amount", None)),
        )
        when = "" if reference or on else self._month
        numbers = " ".join(sorted(_plain(lambda: _numbers(line)) or [line.text("tracking_no")]))
        plain = line.text("amount") if amount is None else f"{amount.normalize():f}"
        said = "|".join([when, reference, str(on or line.text("on")), numbers, plain, line.text("currency").upper()])
        self._seen[said] += 1
        return f"{said}|{self._seen[said]}"

    def match(self, line: Line, key: str) -> Found:
        """Settle the claims that a line pays. Raises BadLine, `Refused`."""
        numbers = _numbers(line)
        mine = [each for number in numbers for each in self._owed(number)]
        own = mine[0].claimed_currency if mine else None
        currency = line.currency() or self._layout.currency or own
        amount, on = line.amount("amount", currency), self._day(line)
        found = Found(line=line.at, tracking_no=" ".join(numbers), amount=amount, currency=currency, on=on)
        if amount is None or currency is None:
            raise BadLine("the amount is missing")
        if amount < 0:
            return msgspec.structs.replace(found, why=self._taken_back(numbers))
        if not amount:
            raise BadLine(f"0 {currency} are no payment")
        if not mine:
            return msgspec.structs.replace(found, why=self._why_not(numbers))
        return self._settle(line, key, found, mine, amount, currency, on)

    def _settle(
        self, line: Line, key: str, found: Found, mine: Sequence[Claim], amount: Decimal, currency: str, on: date
    ) -> Found:
        left, settles = amount, []
        tolerance = self._layout.tolerance
        # Two lines that are alike are two payments: without a mark the second would be taken for the first, said again.
        number = int(key.rpartition("|")[2])
        reference = line.text("reference") or f"{self._file}, line {line.at}"
        reference = reference if number == 1 else f"{reference} ({number})"
        for at, claim in enumerate(mine):
            last = at == len(mine) - 1
            wanted = self._wanted(claim, currency, on)
            part = left if last else min(left, wanted)
            if part <= 0:
                break
            whole = abs(part - wanted) <= tolerance
            said = Said(
                state=self._how(line),
                on=on,
                reference=reference,
                amount=part,
                currency=currency,
                whole=whole,
            )
            if part - wanted > tolerance:
                raise BadLine(f"{part} {currency} are more than the {wanted} {currency} that are open")
            _, after = moved(claim, said, on, ground_of(claim, self._desk.rules))
            settles.append((claim, after))
            left -= part
        for _, after in settles:
            self._claims[after.id] = msgspec.structs.replace(after, revision=after.revision + 1)
            self._paid.add(after.id)
        self.uses.append(
            StatementUse(
                carrier=self._carrier,
                key=key,
                file=self._file,
                line=line.at,
                on=on,
                tracking_no=found.tracking_no,
                amount=amount,
                currency=currency,
                settles=tuple(settles),
            )
        )
        still = sum((outstanding(self._claims[each.id]) for each in mine), Decimal(0))
        return msgspec.structs.replace(found, claims=tuple(each.id for each in mine), left=still)

    def _wanted(self, claim: Claim, currency: str, on: date) -> Decimal:
        """What is open of a claim, in the line's currency. Raises BadLine where no rate tells."""
        own = claim.claimed_currency or currency
        found = converted(outstanding(claim), own, currency, on, self._desk.rules.rates)
        if found is None:
            raise BadLine(
                f"the claim is in {own}, and fx.toml has no rate of {on:%Y-%m} between {own} and {currency}: "
                f"say what it settles, tracker claims set {claim.id} --state paid --settles"
            )
        return rounded(found, currency)

    def _taken_back(self, numbers: Sequence[str]) -> str:
        paid = [str(each.id) for each in self._about(numbers) if each.payments]
        return f"the carrier takes money back: tracker claims set {' '.join(paid) or 'ID'} --state reversed"

    def _how(self, line: Line) -> ClaimState:
        """A credit on a freight bill, where the line's remark says so; else money."""
        words = {heading(each) for each in self._layout.words.get(ClaimState.OFFSET, ())}
        return ClaimState.OFFSET if heading(line.text("note")) in words else ClaimState.PAID

    def _owed(self, number: str) -> list[Claim]:
        return [each for each in self._about([number]) if each.state in _OWED]

    def _about(self, numbers: Sequence[str]) -> list[Claim]:
        return [self._claims[each] for number in numbers for each in self._of_parcel.get(number, ())]

    def _why_not(self, numbers: Sequence[str]) -> str:
        about = self._about(numbers)
        if not about:
            return "no claim with this carrier is known for it"
        newest = max(about, key=lambda each: each.attempt)
        return f"claim {newest.id} is {newest.state.value}: nothing approved is open"

    def _day(self, line: Line) -> date:
        first = date.fromisoformat(f"{self._month}-01")
        last = first.replace(day=monthrange(first.year, first.month)[1])
        on = line.day("on") or last
        if not first <= on <= last:
            raise BadLine(f"it is dated {on}, and this is the statement of {self._month}")
        return min(on, self._desk.now.date())

    def missing(self, before: date) -> tuple[Missing, ...]:
        """What was approved by then and is open still."""
        return tuple(
            Missing(
                claim=each.id,
                tracking_no=each.shipment,
                approved_on=each.answered_on,
                open=outstanding(each),
                currency=each.claimed_currency,
            )
            for each in sorted(self._claims.values(), key=lambda each: each.id)
            if each.state in _OWED and each.id not in self._paid and (each.answered_on is None or each.answered_on <= before)
        )


async def reconcile(
    desk: Desk, lines: Sequence[Line], layout: ClaimSheet, *, carrier: str, month: str, file: str, dry_run: bool
) -> Reconciled:
    """Match every line, then write all matches in one transaction, unless it is a rehearsal.

    A line that cannot be read or matched is among the unknown ones, with why. Raises Conflict where a claim has changed
    meanwhile; then nothing is written.
    """
    used = await desk.store.used_lines(carrier)
    matcher = _Matcher(desk, layout, await desk.store.claims(carrier=carrier), carrier, month, file)
    whole: list[Found] = []
    partly: list[Found] = []
    unknown: list[Found] = []
    before: list[Found] = []
    for line in lines:
        key = matcher.key(line)
        if key in used:
            before.append(_bare(line))
            continue
        found = _matched(matcher, line, key)
        (unknown if found.why else partly if found.left else whole).append(found)
    if not dry_run:
        await desk.store.settle_claims(matcher.uses, who=desk.by, now=desk.now)
    first = date.fromisoformat(f"{month}-01")
    end = first.replace(day=monthrange(first.year, first.month)[1])
    return Reconciled(
        month=month,
        matched=tuple(whole),
        partly_paid=tuple(partly),
        unknown=tuple(unknown),
        used_before=tuple(before),
        not_on_statement=matcher.missing(end),
    )


def _matched(matcher: _Matcher, line: Line, key: str) -> Found:
    try:
        return matcher.match(line, key)
    except (BadLine, Refused) as error:
        return msgspec.structs.replace(_bare(line), why=str(error))


def _bare(line: Line) -> Found:
    return Found(line=line.at, tracking_no=line.text("tracking_no"), amount=None, currency=line.text("currency") or None, on=None)


def _numbers(line: Line) -> list[str]:
    """The parcels of a line: one, or several parted by commas, semicolons, slashes or blanks."""
    cell = line.cells.get("tracking_no", "")
    if not isinstance(cell, str):
        return [line.number("tracking_no")]
    parts = cell.replace(",", " ").replace(";", " ").replace("/", " ").replace("，", " ").replace("、", " ").split()
    return list(dict.fromkeys(part.upper().removeprefix("'") for part in parts))


def _plain(read: Callable[[], T]) -> T | None:
    """What a cell says; None where it cannot be read, which matching will tell."""
    try:
        return read()
    except BadLine:
        return None
