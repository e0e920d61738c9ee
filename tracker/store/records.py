"""The append-only records: who did what, when, why; and waking the dossiers whose facts have moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tracker.clock import epoch
from tracker.store.connection import Tx
from tracker.store.encoding import json_text, sorted_texts
from tracker.store.tables import AUDIT

DAEMON = "daemon"
"""Who acts when no person does."""


def audit(  # noqa: PLR0913 - the columns of one line
    tx: Tx,
    now: datetime,
    *,
    who: str,
    what: str,
    order_id: int | None,
    subject: str,
    reason: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add a line to the audit (I6)."""
    tx.insert(
        AUDIT,
        at=now,
        who=who,
        what=what,
        order_id=order_id,
        subject=subject,
        reason=reason,
        before=json_text(sorted_texts(before or {})),
        after=json_text(sorted_texts(after or {})),
    )


def wake(tx: Tx, order_ids: Sequence[int], now: datetime) -> int:
    """Facts have moved: these dossiers are decided again now, and what was seen on the old version no longer counts."""
    return tx.run_among(
        "UPDATE dossier SET next_decide_at = ?, version = version + 1 WHERE id IN (??)", sorted(set(order_ids)), epoch(now)
    )
