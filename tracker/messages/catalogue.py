"""The 24 types of message: their kind, their slot, and which blanks a text of each may and must name (facts/messages.md, 2)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec


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

    `extra` are the blanks it offers beside the common ones, `must` those without which the text misses its point.
    """

    key: str
    kind: Kind
    slot: str
    occasion: str = "round"
    extra: frozenset[str] = frozenset()
    must: frozenset[str] = frozenset()


COMMON = frozenset({"name", "order", "store", "signature"})
PARCEL = frozenset({"tracking", "carrier", "url", "last_event", "last_date"})
ETA = frozenset({"eta_from", "eta_to"})
MONEY = frozenset({"amount", "currency"})
DEADLINE = frozenset({"new_deadline"})
SCAN = frozenset({"last_event", "last_date"})
_NUMBER = frozenset({"tracking"})

_TYPES = (
    MessageType("placed", Kind.NOTICE, "placed", extra=ETA),
    MessageType("boleto_pending", Kind.NOTICE, "boleto_pending"),
    MessageType("tax_number", Kind.NOTICE, "tax_number"),
    MessageType("customs_duty", Kind.NOTICE, "customs_duty"),
    MessageType("shipped", Kind.NOTICE, "shipped", extra=PARCEL | ETA, must=_NUMBER),
    MessageType("stage1", Kind.STAGE, "stage1", extra=PARCEL | ETA, must=_NUMBER),
    MessageType("stage2", Kind.STAGE, "stage2", extra=PARCEL | DEADLINE, must=_NUMBER | DEADLINE),
    MessageType("stage3", Kind.NOTICE, "stage3", extra=PARCEL | MONEY, must=MONEY),
    MessageType("extended", Kind.NOTICE, "extended", "old window end", extra=PARCEL | DEADLINE, must=DEADLINE),
    MessageType(
        "delay", Kind.NOTICE, "delay", "advisory", extra=PARCEL | {"cause", "extra_days"}, must=frozenset({"extra_days"})
    ),
    MessageType(
        "customs_hold", Kind.NOTICE, "customs", extra=PARCEL | {"buyer_action", "due_date"}, must=frozenset({"buyer_action"})
    ),
    MessageType("duties_unpaid", Kind.NOTICE, "duties", extra=PARCEL | {"buyer_action"}, must=frozenset({"buyer_action"})),
    MessageType("pickup_waiting", Kind.NOTICE, "pickup", "parcel", extra=PARCEL | {"pickup_place"}, must=_NUMBER),
    MessageType("storage_expiring", Kind.NOTICE, "storage", "parcel", extra=PARCEL | {"pickup_place", "due_date"}, must=_NUMBER),
    MessageType("delivered", Kind.NOTICE, "delivered", extra=PARCEL, must=_NUMBER),
    MessageType("delivered_not_found", Kind.ANSWER, "not_found_by_buyer", extra=PARCEL, must=_NUMBER),
    MessageType("reopened", Kind.NOTICE, "reopened", extra=PARCEL, must=_NUMBER),
    MessageType("review", Kind.COURTESY, "review", extra=PARCEL),
    MessageType("dispute_opened", Kind.NOTICE, "dispute", "case", extra=PARCEL),
    MessageType("lost", Kind.NOTICE, "lost", "parcel", extra=PARCEL, must=_NUMBER),
    MessageType("refund_issued", Kind.NOTICE, "refund_issued", "refund", extra=PARCEL | MONEY, must=MONEY),
    MessageType("late_arrival", Kind.NOTICE, "late_arrival", extra=PARCEL | {"payment_hint"}, must=frozenset({"payment_hint"})),
    MessageType("correction", Kind.NOTICE, "correction", "message", extra=frozenset({"sent_date", "correction"})),
    MessageType("vip", Kind.COURTESY, "vip", "month"),
)
MESSAGE_TYPES: Mapping[str, MessageType] = {each.key: each for each in _TYPES}

VARIABLES = COMMON.union(*(each.extra for each in _TYPES))
"""Every blank that a text can name; dates and amounts are written in the text's language."""

SHORT = ".short"
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
    """The blanks that the template `key` has to name, or it misses its point (R1, R2, R7, R67)."""
    return MESSAGE_TYPES[base_key(key)].must & offered(key)
