"""The 24 types of message: their kind, their slot, and which blanks a text of each may and must name (facts/messages.md, 2)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from tracker.model import Intent


class Kind(StrEnum):
    """How a type behaves: what stops it, and whether it counts as one of the three rounds (R45, D15)."""

    STAGE = "stage"
    """Staged outreach: stops, and counts."""
    COURTESY = "courtesy"
    """Outreach without need: stops, does not count."""
    NOTICE = "notice"
    """Tells of an event: goes on until the money is settled, does not count."""
    ANSWER = "answer"
    """Answers the buyer: counts."""

    @property
    def outreach(self) -> bool:
        """Whether delivered, refunded, a dispute, opt-out or a waiting buyer stops it."""
        return self in {Kind.STAGE, Kind.COURTESY}

    @property
    def counts(self) -> bool:
        """Whether it uses up one of the rounds."""
        return self in {Kind.STAGE, Kind.ANSWER}


class MessageType(msgspec.Struct, frozen=True):
    """One type. `slot` is the middle of its dedup key, `occasion` what distinguishes its instances (D12).

    The kind is what section 2.2 of the fact sheet calls it, `slot` an Intent of the model, so that no message shares a key with
    an action. `extra` are the blanks it offers beside the common ones, `must` those without which the text misses its point.
    """

    key: str
    kind: Kind
    slot: Intent
    occasion: str = "round"
    extra: frozenset[str] = frozenset()
    must: frozenset[str] = frozenset()


COMMON = frozenset({"name", "order", "store", "signature"})
PARCEL = frozenset({"tracking", "carrier", "url", "last_event", "last_date"})
ETA = frozenset({"eta_from", "eta_to"})
MONEY = frozenset({"amount", "currency"})
DEADLINE = frozenset({"new_deadline"})
SCAN = frozenset({"last_event", "last_date"})
DUE = frozenset({"due_date"})
_NUMBER = frozenset({"tracking"})
_ORDER = frozenset({"order"})
_HINT = frozenset({"payment_hint"})
_WRONG = frozenset({"sent_date", "correction"})

_WHERE = frozenset({"url"})
_PLACE = frozenset({"pickup_place"})
_DONE = frozenset({"last_date"})
_ACTION = frozenset({"buyer_action"})

_TYPES = (
    MessageType("placed", Kind.NOTICE, Intent.PLACED, extra=ETA, must=ETA),
    MessageType("boleto_pending", Kind.NOTICE, Intent.BOLETO_PENDING, must=_ORDER),
    MessageType("tax_number", Kind.NOTICE, Intent.TAX_NUMBER, must=_ORDER),
    MessageType("customs_duty", Kind.NOTICE, Intent.CUSTOMS_DUTY, must=_ORDER),
    MessageType("shipped", Kind.NOTICE, Intent.SHIPPED, extra=PARCEL | ETA, must=_NUMBER | _WHERE),
    MessageType("stage1", Kind.STAGE, Intent.STAGE1, extra=PARCEL | ETA, must=_NUMBER | _WHERE | SCAN),
    MessageType("stage2", Kind.STAGE, Intent.STAGE2, extra=PARCEL | DEADLINE, must=_NUMBER | DEADLINE),
    MessageType("stage3", Kind.NOTICE, Intent.STAGE3, extra=PARCEL | MONEY, must=MONEY),
    MessageType("extended", Kind.NOTICE, Intent.EXTENDED, "old window end", extra=PARCEL | DEADLINE, must=DEADLINE),
    MessageType(
        "delay",
        Kind.NOTICE,
        Intent.DELAY,
        "advisory",
        extra=PARCEL | {"cause", "extra_days"},
        must=frozenset({"cause", "extra_days"}),
    ),
    MessageType("customs_hold", Kind.NOTICE, Intent.CUSTOMS, extra=PARCEL | _ACTION | DUE, must=_NUMBER | _ACTION),
    MessageType("duties_unpaid", Kind.NOTICE, Intent.DUTIES, extra=PARCEL | _ACTION, must=_NUMBER | _ACTION),
    MessageType("pickup_waiting", Kind.NOTICE, Intent.PICKUP, "parcel", extra=PARCEL | _PLACE, must=_NUMBER | _PLACE),
    MessageType("storage_expiring", Kind.NOTICE, Intent.STORAGE, "parcel", extra=PARCEL | _PLACE | DUE, must=_NUMBER | DUE),
    MessageType("delivered", Kind.NOTICE, Intent.DELIVERED, extra=PARCEL, must=_NUMBER | _DONE),
    MessageType("delivered_not_found", Kind.ANSWER, Intent.NOT_FOUND_BY_BUYER, extra=PARCEL, must=_NUMBER | _DONE),
    MessageType("reopened", Kind.NOTICE, Intent.REOPENED, extra=PARCEL, must=_NUMBER),
    MessageType("review", Kind.COURTESY, Intent.REVIEW, extra=PARCEL, must=_ORDER),
    MessageType("dispute_opened", Kind.NOTICE, Intent.DISPUTE, "case", extra=PARCEL, must=_NUMBER),
    MessageType("lost", Kind.NOTICE, Intent.LOST, "parcel", extra=PARCEL, must=_NUMBER),
    MessageType("refund_issued", Kind.NOTICE, Intent.REFUND_ISSUED, "refund", extra=PARCEL | MONEY, must=MONEY),
    MessageType("late_arrival", Kind.NOTICE, Intent.LATE_ARRIVAL, extra=PARCEL | _HINT, must=_DONE | _HINT),
    MessageType("correction", Kind.NOTICE, Intent.CORRECTION, "message", extra=_WRONG, must=_WRONG),
    MessageType("vip", Kind.COURTESY, Intent.VIP, "month"),
)
MESSAGE_TYPES: Mapping[str, MessageType] = {each.key: each for each in _TYPES}

VARIABLES = COMMON.union(*(each.extra for each in _TYPES))
"""Every blank that a text can name; dates and amounts are written in the text's language."""

ENGLISH = "en"
"""The language of whoever has none of his own here."""

SHORT = ".short"
BRIEF_BELOW = 500
"""A platform that takes fewer characters gets the short forms, whatever would still fit: they carry no link and no contact."""

NOSCAN = "_noscan"
NODATE = "_nodate"


def base_key(key: str) -> str:
    """The type of a template: `stage2_noscan.short` is a `stage2`."""
    return key.removesuffix(SHORT).removesuffix(NOSCAN).removesuffix(NODATE)


def offered(key: str) -> frozenset[str]:
    """The blanks that can be filled for the template `key`; a variant exists because some of them cannot."""
    stem = key.removesuffix(SHORT)
    blanks = COMMON | MESSAGE_TYPES[base_key(key)].extra
    if stem.endswith(NOSCAN):
        return blanks - SCAN
    return blanks - (DEADLINE | SCAN) if stem.endswith(NODATE) else blanks


def needed(key: str) -> frozenset[str]:
    """The blanks that the template `key` has to name, or it misses its point (R1, R2, R7, R67); a short form carries no link."""
    must = MESSAGE_TYPES[base_key(key)].must & offered(key)
    return must - _WHERE if key.endswith(SHORT) else must
