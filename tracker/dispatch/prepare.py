"""What an outbox row becomes: a finished text, a mail, a task, a line of the claims register. Pure; the shell around it acts."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from email.utils import parseaddr

import msgspec
from msgspec.structs import replace

from tracker.channels import task as tasks
from tracker.compensation import match, payable, phase_of, window
from tracker.dates import day0, posting_dates
from tracker.messages import (
    Chosen,
    Hit,
    Rendered,
    RenderError,
    Texts,
    Value,
    choose,
    lint,
    message_id,
    render,
    variables,
    variant,
)
from tracker.model import ActionKind, Channel, Claim, ClaimState, DecisionReason, Dossier, OutboxRow, Outgoing, Task
from tracker.phrases import Phrases
from tracker.rules import Marketplace, Rules


class NotByItselfError(Exception):
    """The text must not leave without a person: a forbidden word, or a translation that nobody has reviewed."""

    def __init__(self, rule: str, words: str) -> None:
        super().__init__(f"{rule}: {words}")
        self.rule = rule
        self.words = words


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """The finished text of a message, its twin where the operators do not read its language, what the lint says; else empty."""

    text: Rendered | None = None
    twin: str | None = None
    hits: tuple[Hit, ...] = ()


class Preparer(msgspec.Struct, frozen=True, kw_only=True):
    """Makes things of rows. `sender` stands in the mails of stores that name none; `phrases` are the operators'."""

    rules: Rules
    texts: Texts
    sender: str
    phrases: Phrases

    def prepare(self, row: OutboxRow, dossier: Dossier, now: datetime) -> Prepared:
        """Render and lint a message before anything is claimed. Raises RenderError, NotByItselfError."""
        if row.kind is not ActionKind.MESSAGE:
            return Prepared()
        market = self.rules.marketplace(dossier.order.platform)
        chosen, text, twin = self._render(row, dossier, market, now)
        hits = tuple(lint(text.text, market.id, self.rules.lint, text.known))
        if row.channel is not Channel.TASK:
            if hits:
                raise NotByItselfError(hits[0].rule, hits[0].found)
            if not chosen.reviewed:
                raise NotByItselfError("unreviewed_language", chosen.language)
        return Prepared(text=text, twin=twin, hits=hits)

    def _render(
        self, row: OutboxRow, dossier: Dossier, market: Marketplace, now: datetime
    ) -> tuple[Chosen, Rendered, str | None]:
        """The text in the buyer's language, and its twin."""
        order = dossier.order
        language = order.language or self.rules.language(order.country)
        begun = next((day0(order, each) for each in dossier.shipments if each.number == row.shipment), None)
        values = variables(dossier, row, self.rules, self.texts.words_of(language), now, day0=begun)
        key = variant(row.template or row.intent.value, values)
        chosen = choose(self.texts, key, language, self.rules.reviewed, operators=self.phrases.language)
        if chosen is None:
            raise RenderError(f"there is no text {key!r} in {language}, nor in English")
        text = render(chosen.source, values, chosen.language)
        if market.max_characters is not None and len(text.body) > market.max_characters:
            chosen, text = self._shortened(row, chosen, text, values, market.max_characters)
        if not chosen.twin:
            return chosen, text, None
        words = self.texts.words_of(chosen.twin_language)
        twin = variables(dossier, row, self.rules, words, now, day0=begun)
        return chosen, text, render(chosen.twin, twin, chosen.twin_language).body

    def _shortened(
        self, row: OutboxRow, chosen: Chosen, long: Rendered, values: Mapping[str, Value], limit: int
    ) -> tuple[Chosen, Rendered]:
        """The text with its last event cut, else its short form; a person gets the long one: he can shorten it."""
        operators = self.phrases.language
        short = choose(self.texts, chosen.key, chosen.language, self.rules.reviewed, short=True, operators=operators) or chosen
        for used in (chosen, short):
            with suppress(RenderError):
                return used, render(used.source, values, chosen.language, limit=limit)
        if row.channel is Channel.TASK:
            return chosen, long
        raise NotByItselfError("too_long", f"{len(long.body)} characters, {limit} are allowed")

    def outgoing(self, row: OutboxRow, dossier: Dossier, prepared: Prepared) -> Outgoing:
        """The mail of a prepared message. Its Message-ID comes from the dedup key: the same row has the same one for ever."""
        order, text = dossier.order, prepared.text
        if text is None:
            raise RenderError(f"{row.kind.value} has no text that could be sent through {row.channel.value}")
        sender = self.rules.stores[order.store].sender or self.sender
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
        )

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
        if not prepared.hits:
            return made
        warning = "; ".join(f"{hit.found} ({hit.why})" for hit in prepared.hits)
        return replace(made, facts={**made.facts, "do_not_send_as_it_is": warning})

    def claim(self, row: OutboxRow, dossier: Dossier, now: datetime) -> Claim | None:
        """The claim against the carrier as its terms have it today; None where no terms are known any more."""
        order = dossier.order
        shipment = next((each for each in dossier.shipments if each.subject == row.subject), None)
        terms = None if shipment is None else match(shipment, self.rules)
        if shipment is None or terms is None:
            return None
        cause = "damaged" if row.reason is DecisionReason.CARRIER_SAYS_DAMAGED else "lost"
        frame = window(terms, shipment, order, cause)
        owed = payable(terms, shipment, order)
        today, _ = posting_dates(now, now, shipment.origin)
        return Claim(
            shipment=shipment.number,
            attempt=int(row.occasion),
            state=ClaimState.READY if frame.is_open(today) else ClaimState.DRAFT,
            rule=terms.id,
            phase=phase_of(shipment),
            cause=cause,
            earliest_on=frame.earliest_on,
            latest_on=frame.latest_on,
            payable=owed.amount,
            currency=owed.currency,
            opened_at=now,
        )
