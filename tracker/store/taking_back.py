"""Taking an effect back before it reaches anyone: the row, or its place in a task. What was taken back may be decided again."""

from __future__ import annotations

from datetime import datetime

from tracker.store.connection import Tx
from tracker.store.records import audit

ASK_FIRST = "open_in_the_backup_of"
"""The fact of a task that was open when a backup was taken: whoever worked since may have done it (faults row 36)."""

_CLOSE = """
    UPDATE outbox SET state = 'cancelled', withdrawn = TRUE, result = ?, hold = NULL
    WHERE dedup_key = ? AND state IN ('held', 'pending') RETURNING id, order_id"""

_DROP_ITEM = f"""
    UPDATE task_item SET dropped = TRUE
    WHERE NOT dropped AND facts NOT LIKE '%"{ASK_FIRST}"%' AND (task_id, row_id) IN (
        SELECT t.id, o.id FROM outbox o JOIN task t ON t.id = o.task_id
        WHERE o.dedup_key = ? AND o.state = 'sent' AND t.state = 'open')
    RETURNING task_id, row_id, order_id"""  # noqa: S608 - our own word

_DROP_TASK = """
    UPDATE task SET state = 'dropped', closed_at = ?, closed_by = ?
    WHERE id = ? AND NOT EXISTS (SELECT 1 FROM task_item WHERE task_id = task.id AND NOT dropped)"""


def take_back(tx: Tx, key: str, *, who: str, reason: str, now: datetime) -> str | None:
    """Give `row` or `task` where it was taken back, None where it cannot be: it is on its way, or somebody has it in hand.

    A task in hand stays with the one who took it: he may have pasted the text already (D17). So may whoever had a task that a
    backup brought back.
    """
    row = tx.row(_CLOSE, reason, key)
    if row is not None:
        audit(tx, now, who=who, what="effect_withdrawn", order_id=row[1], subject=key, reason=reason)
        return "row"
    item = tx.row(_DROP_ITEM, key)
    if item is None:
        return None
    task_id, row_id, order_id = item
    tx.run("UPDATE outbox SET withdrawn = TRUE, result = ? WHERE id = ?", reason, row_id)
    tx.run(_DROP_TASK, now, who, task_id)
    audit(tx, now, who=who, what="task_dropped", order_id=order_id, subject=key, reason=reason)
    return "task"
