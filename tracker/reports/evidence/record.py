"""What is proven about an order, as plain values in one order: the same facts give the same record, and the same files (D10).

Read by people outside: it names the order and its parcels, never the buyer's mail, phone, address or tax number.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import datetime

import msgspec

from tracker.dates import day0, utc_text
from tracker.log.redact import masked
from tracker.model import ActionKind, Case, Channel, Dossier, Order, OutboxState, Shipment, TaskState, WindowChange
from tracker.rules import Rules
from tracker.store import Store
from tracker.store.rows import EventView, OutboxView, RawAnswer, TaskView

_PERSONAL = frozenset(
    {"address", "recipient", "consignee", "receiver", "addressee", "destinatario", "phone", "telefone", "mobile", "mail",
     "street", "logradouro", "postal_code", "postalcode", "postcode", "zip", "cpf", "cnpj", "tax_id", "taxid", "passport"}
)  # fmt: skip
"""Parts of the names of fields that say who or where the buyer is; their values leave the house nowhere."""

_PERSONAL_WORDS = frozenset({"cep", "tel", "inn"})
"""The same as whole words only: `acceptance` says nothing of anybody."""

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_ELEMENT = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)((?:\s[^<>]*)?)>([^<>]*)</")
_ATTRIBUTE = re.compile(r"""(\s(?:[\w.-]+:)?([\w.-]+)=)("[^"<>]*"|'[^'<>]*')""")
_CUT_OFF = b"(left out: only the beginning of this answer is kept, and what names the buyer cannot be told from the rest)\n"

_HIDDEN = "(left out)"


class Fact(msgspec.Struct, frozen=True):
    """One line of the record: a name and its value."""

    name: str
    value: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One scan: its local time as the carrier gives it, its instant where that is known, who told it, since when we know it."""

    at: str
    instant: str | None
    status: str
    text: str
    place: str
    source: str
    seen_at: str


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of a source: when, from which account, the SHA-256 of its bytes as they came, and where a copy lies.

    The copy lacks what names the buyer, so it has a hash of its own.
    """

    at: str
    account: str
    size: int
    sha256: str
    file: str
    copy_sha256: str
    whole: bool


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message to the buyer: when, on which way, with which words. `state` unknown: nobody can say whether it arrived."""

    at: str
    kind: str
    channel: str
    state: str
    text: str | None


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """One parcel with its journey and the answers that tell it."""

    number: str
    page: str | None
    facts: tuple[Fact, ...]
    scans: tuple[Line, ...]
    answers: tuple[Told, ...]


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is proven about one order at `at` (aware UTC, as text). `digest` is the SHA-256 of all of it."""

    order: str
    store: str
    platform: str
    at: str
    facts: tuple[Fact, ...]
    parcels: tuple[Parcel, ...]
    messages: tuple[Message, ...]
    window: tuple[Fact, ...]
    cases: tuple[Fact, ...]
    digest: str = ""


class Bytes(msgspec.Struct, frozen=True):
    """A file of the pack."""

    name: str
    body: bytes


async def record_of(store: Store, dossier: Dossier, rules: Rules, now: datetime) -> tuple[Record, tuple[Bytes, ...]]:
    """The record of an order, and copies of the answers that it names."""
    order = dossier.order
    copies: list[Bytes] = []
    parcels = [await _parcel(store, order, shipment, rules, copies) for shipment in dossier.shipments]
    record = Record(
        order=order.number,
        store=rules.stores[order.store].name if order.store in rules.stores else order.store,
        platform=order.platform,
        at=utc_text(now),
        facts=_facts(
            ("destination", order.country),
            ("ordered", _text(order.ordered_at)),
            ("paid", _text(order.paid_at)),
            ("promised by", _text(order.promised_at)),
            ("amount", None if order.amount is None else f"{order.amount} {order.currency or ''}".rstrip()),
            ("refunded", _refunded(order)),
        ),
        parcels=tuple(parcels),
        messages=tuple(_messages(await store.rows_of(order.id), await store.tasks_of(order.id))),
        window=tuple(_window(each) for each in await store.window_history(order.id)),
        cases=tuple(_case(each) for each in dossier.cases),
    )
    digest = hashlib.sha256(msgspec.json.encode(record)).hexdigest()
    return msgspec.structs.replace(record, digest=digest), tuple(copies)


async def _parcel(store: Store, order: Order, shipment: Shipment, rules: Rules, copies: list[Bytes]) -> Parcel:
    raw = await store.raw_answers(await store.numbers_of(shipment.id))
    carrier = rules.carriers.get(shipment.carrier or "")
    url = carrier.url if carrier is not None and carrier.url else rules.tracking_page
    return Parcel(
        number=shipment.number,
        page=None if url is None else url.replace("{number}", shipment.number),
        facts=_facts(
            ("carrier", shipment.carrier if carrier is None else carrier.name),
            ("service", shipment.service_text or shipment.service),
            ("shipped", _text(shipment.shipped_at or order.shipped_at)),
            ("day 0", _text(day0(order, shipment))),
            ("status", shipment.status.value),
            ("last answer of a source", _text(shipment.last_answer_at)),
        ),
        scans=tuple(_line(each) for each in await store.events_of(shipment.id)),
        answers=tuple(_told(each, place, shipment.number, copies) for place, each in enumerate(raw, 1)),
    )


def _refunded(order: Order) -> str | None:
    if order.refunded_at is None:
        return None
    return f"{order.refunded_amount} {order.currency or ''}, {utc_text(order.refunded_at)}"


def _case(case: Case) -> Fact:
    return Fact(f"{case.kind.value} {case.id}", f"opened {utc_text(case.opened_at)}, reason {case.reason.value}")


def _facts(*pairs: tuple[str, str | None]) -> tuple[Fact, ...]:
    return tuple(Fact(name, value) for name, value in pairs if value)


def _text(at: datetime | None) -> str | None:
    return None if at is None else utc_text(at)


def _line(seen: EventView) -> Line:
    event = seen.event
    instant = None if event.time is None else utc_text(datetime.fromtimestamp(event.time, seen.seen_at.tzinfo))
    return Line(
        at=event.local_time or instant or "",
        instant=instant,
        status=event.status.value,
        text=event.description,
        place=event.location,
        source=seen.source,
        seen_at=utc_text(seen.seen_at),
    )


def _told(raw: RawAnswer, place: int, number: str, copies: list[Bytes]) -> Told:
    name = f"answers/{file_name(number)}-{place:03}.txt"
    copy = redacted(raw.body)
    copies.append(Bytes(name, copy))
    return Told(
        at=utc_text(raw.at),
        account=raw.account,
        size=raw.size,
        sha256=hashlib.sha256(raw.body).hexdigest(),
        file=name,
        copy_sha256=hashlib.sha256(copy).hexdigest(),
        whole=raw.size == len(raw.body),
    )


def file_name(number: str) -> str:
    """A number as the name of a file or folder: no way out of the folder it lies in, and no two numbers in one."""
    name = re.sub(r"[^\w.-]", "_", number)
    if name == number and name.strip("."):
        return name
    return f"{name.strip('.')}-{hashlib.sha256(number.encode()).hexdigest()[:8]}"


def redacted(body: bytes) -> bytes:
    """An answer without what says who or where the buyer is: in fields of JSON, elements and attributes of XML, and in texts.

    JSON that was cut off is left out: nobody can tell which of its texts is whose.
    """
    try:
        found = json.loads(body)
    except (UnicodeDecodeError, ValueError, RecursionError):
        return _CUT_OFF if body.lstrip()[:1] in {b"{", b"["} else _marked_up(body)
    return json.dumps(_without(found), ensure_ascii=False, indent=1, sort_keys=True).encode()


def _marked_up(body: bytes) -> bytes:
    text = body.decode("utf-8", "surrogateescape")
    if "<" in text:
        text = _ELEMENT.sub(
            lambda it: it[0].replace(f">{it[3]}<", f">{_HIDDEN}<") if it[3] and _names_a_person(it[1]) else it[0], text
        )
        text = _ATTRIBUTE.sub(lambda it: f'{it[1]}"{_HIDDEN}"' if _names_a_person(it[2]) else it[0], text)
    return masked(text).encode("utf-8", "surrogateescape")


def _without(value: object) -> object:
    if isinstance(value, dict):
        return {key: _shown(key, each) for key, each in value.items()}
    if isinstance(value, str):
        return masked(value)
    return [_without(each) for each in value] if isinstance(value, list) else value


def _shown(key: str, value: object) -> object:
    return _HIDDEN if value not in (None, "", {}, []) and _names_a_person(key) else _without(value)


def _names_a_person(key: str) -> bool:
    folded = key.casefold()
    return any(part in folded for part in _PERSONAL) or not _PERSONAL_WORDS.isdisjoint(
        word.casefold() for word in _WORDS.findall(key)
    )


_ARRIVED = frozenset({OutboxState.SENT, OutboxState.UNKNOWN, OutboxState.SENDING})


def _messages(rows: Sequence[OutboxView], tasks: Sequence[TaskView]) -> list[Message]:
    """What reached the buyer, or may have (R13): a task's text counts when a person closed it as done, from then on (D17)."""
    work = {item.row_id: (task, item) for task in tasks for item in task.items if not item.dropped}
    found = []
    for each in rows:
        row = each.row
        if row.kind is not ActionKind.MESSAGE or row.state not in _ARRIVED or each.sent_at is None:
            continue
        task, item = work.get(row.id, (None, None))
        done = task is not None and task.state is TaskState.DONE
        if each.task_id is not None and not done and row.state is not OutboxState.UNKNOWN:
            continue  # its row is `sent` when the task exists: what was dropped, has expired or is still open was never said
        text = each.body or (None if item is None else item.text)
        by_hand = row.channel is Channel.TASK
        found.append(
            Message(
                at=utc_text(task.closed_at if task is not None and task.closed_at is not None else each.sent_at),
                kind=row.template or row.intent.value,
                channel="by hand" if by_hand else row.channel.value,
                state=row.state.value,
                text=masked(text) if text else None,
            )
        )
    return found


def _window(change: WindowChange) -> Fact:
    end = "taken back" if change.end is None else f"until {utc_text(change.end)}"
    extended = f", extended by {change.days} days" if change.days else ""
    source = "" if change.source is None else f", as told by {change.source.value}"
    return Fact(utc_text(change.at), f"{end}{extended}{source}")
