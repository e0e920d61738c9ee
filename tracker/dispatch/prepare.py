"""What an outbox row becomes: a finished text, a mail, a task, a line of the claims register. Pure; the shell around it acts."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from email.utils import parseaddr
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from tracker.channels import task as tasks
from tracker.compensation import Known, match, origin_days, payable, phase_of, window
from tracker.dates import day0
from tracker.messages import (
    MESSAGE_TYPES,
    Chosen,
    Hit,
    Kind,
    Rendered,
    RenderError,
    Texts,
    Value,
    base_key,
    choose,
    draft,
    lint,
    message_id,
    render,
    variables,
    variant,
    written,
)
from tracker.messages.catalogue import BRIEF_BELOW, SHORT
from tracker.model import (
    ActionKind,
    Channel,
    Claim,
    ClaimState,
    DecisionReason,
    Dossier,
    LossType,
    Order,
    OutboxRow,
    Outgoing,
    Task,
)
from tracker.phrases import Phrases
from tracker.policy.early import closes_first
from tracker.policy.ringing import zones_of
from tracker.rules import Rules

EMPTY_BLANK = "empty_blank"
"""Why a text became a task: a blank that it has to name stayed empty."""


_LOSSES: Mapping[DecisionReason, LossType] = {
    DecisionReason.CARRIER_SAYS_DAMAGED: LossType.DAMAGED,
    DecisionReason.BUYER_SAYS_DAMAGED: LossType.DAMAGED,
    DecisionReason.BUYER_SAYS_SHORT: LossType.SHORT,
}
"""What became of the goods, by what tells it (R86, R88); everything else is lost."""


class NotByItselfError(Exception):
    """The text must not leave without a person: a forbidden word, an empty blank, a translation that nobody has reviewed."""

    def __init__(self, rule: str, words: str) -> None:
        super().__init__(f"{rule}: {words}")
        self.rule = rule
        self.words = words


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """The finished text of a message, its twin where the operators do not read its language, what the lint says; else empty."""

    text: Rendered | None = None
    twin: str | None = None
    hits: tuple[Hit, ...] = ()
    missing: tuple[str, ...] = ()
    """Blanks that a person has to fill in: they stand in the text as visible gaps."""
    blanks: Mapping[str, str] = {}
    """All facts as the text's language writes them: a messenger's own template takes them, not the text."""


class _Letter(msgspec.Struct, frozen=True, kw_only=True):
    chosen: Chosen
    text: Rendered
    twin: str | None
    missing: tuple[str, ...]
    blanks: Mapping[str, str]


class Preparer(msgspec.Struct, frozen=True, kw_only=True):
    """Makes things of rows. `sender` stands in the mails of stores that name none; `phrases` are the operators'."""

    rules: Rules
    texts: Texts
    sender: str
    phrases: Phrases

    def prepare(self, row: OutboxRow, dossier: Dossier, now: datetime) -> Prepared:
        """Render and lint a message before anything is claimed; also the text that a task brings along (R16, R38, D17).

        A blank that nothing fills makes it a person's (facts/messages.md section 1): his draft shows the gap. A text that is
        broken for everybody fails. Raises RenderError, NotByItselfError.
        """
        if row.kind is not ActionKind.MESSAGE and row.template is None:
            return Prepared()
        market = self.rules.marketplace(dossier.order.platform)
        letter = self._letter(row, dossier, now)
        hits = tuple(lint(letter.text.text, market.id, self.rules.lint, letter.text.known))
        if row.channel is not Channel.TASK:
            if letter.missing:
                raise NotByItselfError(EMPTY_BLANK, ", ".join(letter.missing))
            if hits:
                raise NotByItselfError(hits[0].rule, hits[0].found)
            if not letter.chosen.reviewed:
                raise NotByItselfError("unreviewed_language", letter.chosen.language)
        return Prepared(text=letter.text, twin=letter.twin, hits=hits, missing=letter.missing, blanks=letter.blanks)

    def _letter(self, row: OutboxRow, dossier: Dossier, now: datetime) -> _Letter:
        """The text in the buyer's language, and its twin in the operators'."""
        order, market = dossier.order, self.rules.marketplace(dossier.order.platform)
        wanted = order.language or self.rules.language(order.country)
        values = self._values(row, dossier, wanted, now)
        key = variant(row.template or row.intent.value, values)
        brief = market.max_characters is not None and market.max_characters < BRIEF_BELOW
        chosen = choose(self.texts, key, wanted, self.rules.reviewed, short=brief, operators=self.phrases.language)
        if chosen is None:
            raise RenderError(f"there is no text {key!r} in {wanted}, nor in English")
        if chosen.language != wanted:
            values = self._values(row, dossier, chosen.language, now)
        text, missing = self._filled(chosen.source, values, chosen.language)
        if market.max_characters is not None and len(text.body) > market.max_characters and not missing:
            chosen, text = self._shortened(row, chosen, text, values, market.max_characters)
        twin = None
        if chosen.twin:
            read = chosen.twin_language
            twin = self._filled(chosen.twin, self._values(row, dossier, read, now), read)[0].body
        blanks = written(values, chosen.language, self.texts.words_of(chosen.language))
        return _Letter(chosen=chosen, text=text, twin=twin, missing=missing, blanks=blanks)

    def _values(self, row: OutboxRow, dossier: Dossier, language: str, now: datetime) -> dict[str, Value]:
        begun = next((day0(dossier.order, each) for each in dossier.shipments if each.number == row.shipment), None)
        words = self.texts.words_of(language)
        return variables(dossier, row, self.rules, words, now, day0=begun, language=language)

    def _filled(self, source: str, values: Mapping[str, Value], language: str) -> tuple[Rendered, tuple[str, ...]]:
        """The finished text; where blanks stay empty, the draft with its gaps, and their names."""
        words = self.texts.words_of(language)
        try:
            return render(source, values, language, words=words), ()
        except RenderError as error:
            if not error.missing:
                raise
            return draft(source, values, language, error.missing, words=words), error.missing

    def _shortened(
        self, row: OutboxRow, chosen: Chosen, long: Rendered, values: Mapping[str, Value], limit: int
    ) -> tuple[Chosen, Rendered]:
        """The text with its last event cut, else its short form; a person gets the long one: he can shorten it."""
        operators, words = self.phrases.language, self.texts.words_of(chosen.language)
        key = chosen.key.removesuffix(SHORT)
        short = choose(self.texts, key, chosen.language, self.rules.reviewed, short=True, operators=operators) or chosen
        for used in (chosen, short):
            with suppress(RenderError):
                return used, render(used.source, values, chosen.language, words=words, limit=limit)
        if row.channel is Channel.TASK:
            return chosen, long
        raise NotByItselfError("too_long", f"{len(long.body)} characters, {limit} are allowed")

    def outgoing(self, row: OutboxRow, dossier: Dossier, prepared: Prepared) -> Outgoing:
        """The mail of a prepared message. Its Message-ID comes from the dedup key: the same row has the same one for ever."""
        order, text = dossier.order, prepared.text
        if text is None:
            raise RenderError(f"{row.kind.value} has no text that could be sent through {row.channel.value}")
        shop = self.rules.stores[order.store]
        sender = shop.sender or self.sender
        return Outgoing(
            key=row.key,
            message_id=message_id(row.key, parseaddr(sender)[1].partition("@")[2] or "tracker.invalid"),
            sender=sender,
            recipient=order.buyer_email,
            recipient_name=order.buyer_name,
            subject=text.subject,
            body=text.body,
            language=text.language,
            store=order.store,
            order=order.number,
            template=base_key(row.template or row.intent.value),
            phone=order.buyer_phone,
            chat=order.buyer_chat,
            blanks=prepared.blanks,
            unsubscribe=self._unsubscribe(row, sender),
            unsubscribe_url=(shop.unsubscribe_url or "").replace("{order}", quote(order.number, safe="")) or None,
        )

    def _unsubscribe(self, row: OutboxRow, sender: str) -> str | None:
        """Where a buyer says that he wants no more of it: on courtesies alone, mails about his order are no advertising."""
        kind = MESSAGE_TYPES.get(base_key(row.template or row.intent.value))
        if kind is None or kind.kind is not Kind.COURTESY:
            return None
        return parseaddr(sender)[1] or None

    def task(self, row: OutboxRow, dossier: Dossier, prepared: Prepared, now: datetime) -> Task:
        """The task of a row, with the ready text where it is a message's."""
        order = dossier.order
        text = prepared.text
        made = tasks.build(
            row,
            order,
            self.rules.stores[order.store],
            self.rules.marketplace(order.platform),
            self.phrases,
            now=now,
            text=None if text is None else text.body,
            twin=prepared.twin,
        )
        whose = self.rules.team.assignee(order.store, now, made.group or order.number)
        made = replace(made, assigned_to=None if whose is None else whose.id)
        warnings = self._call(row, order)
        if prepared.missing:
            warnings["fill_in_first"] = ", ".join(prepared.missing)
        if prepared.hits:
            warnings["do_not_send_as_it_is"] = "; ".join(f"{hit.found} ({hit.why})" for hit in prepared.hits)
        return replace(made, facts={**made.facts, **warnings}) if warnings else made

    def _call(self, row: OutboxRow, order: Order) -> dict[str, str]:
        """A task after channels that refused is a call by phone: whom, and when it may ring there (R25, R81, D16)."""
        if not row.tried or row.kind is not ActionKind.MESSAGE:
            return {}
        quiet = self.rules.quiet
        facts = {
            "refused_by": ", ".join(row.tried),
            "call_between": f"{quiet.begins:%H:%M}-{quiet.ends:%H:%M}",
            "buyers_zone": ", ".join(zones_of(order, quiet)),
        }
        return facts | ({"phone": order.buyer_phone} if order.buyer_phone else {})

    def claim(self, row: OutboxRow, dossier: Dossier, now: datetime) -> Claim | None:
        """The claim against the carrier as its terms have it today; None where no terms are known any more."""
        order = dossier.order
        shipment = next((each for each in dossier.shipments if each.subject == row.subject), None)
        terms = None if shipment is None else match(shipment, self.rules)
        if shipment is None or terms is None:
            return None
        kind = _LOSSES.get(row.reason, LossType.LOST)
        frame = window(terms, shipment, order, kind.value)
        opens_by, closes_by = origin_days(now, shipment.origin)
        owed = payable(terms, shipment, order, Known(rates=self.rules.rates, on=closes_by))
        ready = frame.is_open(opens_by) and not frame.is_over(closes_by)
        return Claim(
            shipment=shipment.number,
            attempt=int(row.occasion),
            state=ClaimState.READY if ready else ClaimState.DRAFT,
            rule=terms.id,
            phase=phase_of(shipment),
            cause=row.reason.value,
            loss_type=kind,
            earliest_on=frame.earliest_on,
            latest_on=frame.latest_on,
            payable=owed.amount,
            currency=owed.currency,
            opened_at=now,
            rule_version=self.rules.version,
            closes_first=terms.basis != "none" and closes_first(dossier, shipment, frame.latest_on, self.rules, now),
        )
