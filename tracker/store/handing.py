"""Effects that need no outside call: a task for a person, a line in the claims register. Row and result in one transaction."""

from __future__ import annotations

from datetime import datetime

from tracker.clock import epoch
from tracker.crashpoint import fault
from tracker.model import Claim, Task
from tracker.store import counting
from tracker.store.claims import register
from tracker.store.connection import Database, Tx, stored
from tracker.store.encoding import json_text
from tracker.store.records import DAEMON, audit, wake
from tracker.store.tables import TASK

_HAND = """
    UPDATE outbox SET state = 'sent', who = ?, epoch = ?, attempts = attempts + 1, sent_at = ?, hold = NULL, result = NULL
    WHERE id = ? AND state = 'pending' AND (SELECT version FROM dossier WHERE dossier.id = outbox.order_id) = ?
    RETURNING order_id, dedup_key"""

_GROUP = "SELECT id, deadline, valid_until FROM task WHERE group_key = ? AND state = 'open'"

_ITEM = """
    INSERT INTO task_item (task_id, row_id, order_id, order_number, facts, body, twin, url, deadline, dropped)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, FALSE)"""

_EXPIRED = """
    UPDATE task SET state = 'expired', closed_at = ?, closed_by = ? WHERE state IN ('open', 'in_hand') AND valid_until <= ?
    RETURNING id"""

_ITEMS = "SELECT i.task_id, i.order_id, o.dedup_key FROM task_item i JOIN outbox o ON o.id = i.row_id WHERE i.task_id IN (??)"


class Handing:
    """The store's methods for the channels `task` and `register`."""

    _db: Database

    async def open_task(
        self, row_id: int, task: Task, *, version: int, now: datetime, still: counting.Still | None = None
    ) -> int | None:
        """From pending to sent, and the task exists; its id, or None when the row or the facts have moved (`still` of a fleet).

        A task with a `group` joins the one of its group that nobody has taken in hand yet (D17).
        """

        def hand(tx: Tx) -> int | None:
            if not counting.still_free(tx, row_id, now, still):
                return None
            row = tx.row(_HAND, DAEMON, self._db.epoch, now, row_id, version)
            if row is None:
                return None
            order_id, key = row
            task_id = _group(tx, task) or _new_task(tx, task, now)
            facts = json_text(dict(task.facts))
            deadline = stored(task.deadline)
            tx.run(_ITEM, task_id, row_id, order_id, task.order, facts, task.text, task.twin, task.url, deadline)
            tx.run("UPDATE outbox SET task_id = ? WHERE id = ?", task_id, row_id)
            counting.count(tx, row_id, now)
            audit(tx, now, who=DAEMON, what="task_opened", order_id=order_id, subject=key, after={"task": task_id})
            wake(tx, [order_id], now)
            fault("task_before_commit")
            return task_id

        return await self._db.write(hand)

    async def open_claim(self, row_id: int, claim: Claim, *, version: int, now: datetime) -> int | None:
        """From pending to sent, and the claim stands in the register; its id, or None when the row or the facts have moved.

        A parcel of two orders is claimed once: a second row for the same attempt finds the first one's claim (I5).
        """

        def hand(tx: Tx) -> int | None:
            row = tx.row(_HAND, DAEMON, self._db.epoch, now, row_id, version)
            if row is None:
                return None
            order_id, key = row
            claim_id = register(tx, row_id, claim, who=DAEMON, now=now)
            audit(tx, now, who=DAEMON, what="claim_registered", order_id=order_id, subject=key, after={"claim": claim_id})
            wake(tx, [order_id], now)
            fault("register_before_commit")
            return claim_id

        return await self._db.write(hand)

    async def expire_tasks(self, now: datetime) -> int:
        """Close the tasks whose `valid_until` has come; how many. Their dossiers are decided again."""

        def expire(tx: Tx) -> int:
            gone = [row[0] for row in tx.rows(_EXPIRED, now, DAEMON, epoch(now))]
            items = tx.among(_ITEMS, gone)
            for task_id, order_id, key in items:
                audit(tx, now, who=DAEMON, what="task_expired", order_id=order_id, subject=key, after={"task": task_id})
            wake(tx, [item[1] for item in items], now)
            return len(gone)

        return await self._db.write(expire)


def _group(tx: Tx, task: Task) -> int | None:
    """The open task of the group, stretched to the newcomer: the nearest deadline, the farthest validity."""
    if task.group is None:
        return None
    row = tx.row(_GROUP, task.group)
    if row is None:
        return None
    task_id, deadline, valid_until = row
    nearest = min((each for each in (deadline, stored(task.deadline)) if each is not None), default=None)
    mine = None if task.valid_until is None else epoch(task.valid_until)
    farthest = None if valid_until is None or mine is None else max(valid_until, mine)
    tx.run("UPDATE task SET deadline = ?, valid_until = ? WHERE id = ?", nearest, farthest, task_id)
    return int(task_id)


def _new_task(tx: Tx, task: Task, now: datetime) -> int:
    return tx.insert(
        TASK,
        kind=task.kind,
        title=task.title,
        store=task.store,
        state="open",
        created_at=now,
        deadline=task.deadline,
        valid_until=None if task.valid_until is None else epoch(task.valid_until),
        group_key=task.group,
        wants=json_text(task.wants),
        assigned_to=task.assigned_to,
        result="{}",
    )
