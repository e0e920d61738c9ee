"""When the other messages go: what is still news, how long a parcel is kept, when a review may be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec


class Notices(msgspec.Struct, frozen=True, kw_only=True):
    """Days of the notices and courtesies (tracker.toml [notices]; facts/messages.md section 2)."""

    news_days: int = 7
    """What happened longer ago is told to nobody any more: a type that is switched on does not speak of old orders."""
    state_days: int = 30
    """A parcel that has waited for its buyer (customs, duties, collection), a case, a late arrival of longer ago: old history."""
    customs_answer_days: int = 10
    """By when a buyer is asked to do his part at customs (R14)."""
    pickup_kept_days: int = 7
    """How long a parcel waits to be collected where nobody says it: the short end, so that no buyer comes too late (R38)."""
    storage_warn_days: int = 3
    """So many days before the last one the buyer is warned."""
    review_after_days: int = 7
    """Days from the delivery to the one request for a review (R101)."""
    review_within_days: int = 30
    """Later than that nobody is asked."""
    review_repeats: int = 0
    """How often it is repeated without an answer: at most once (R104), never on a marketplace with a window for it."""
    review_repeat_days: int = 14
    late_arrival_above: Mapping[str, Decimal] = {}
    """By currency: for no more than this nobody is asked to pay again (D23); empty: everybody is."""
