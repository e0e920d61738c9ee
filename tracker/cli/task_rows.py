"""Tasks as people and scripts see them."""

from __future__ import annotations

from typing import Any

from tracker.cli.output import Console
from tracker.desk import tasks
from tracker.model import TaskState
from tracker.phrases import Phrases, task_title
from tracker.store.rows import TaskView

COLUMNS = ("id", "deadline", "store", "order", "kind", "state", "whose", "in hand", "wants", "title")


def task_document(task: TaskView, owner: str | None) -> dict[str, Any]:
    """One task for `--json`; `owner` is whose work it is today."""
    return {
        "id": task.id,
        "kind": task.kind,
        "title": task.title,
        "store": task.store,
        "order": task.order,
        "state": task.state,
        "deadline": task.deadline,
        "valid_until": task.valid_until,
        "group": task.group,
        "wants": task.wants,
        "assigned_to": task.assigned_to,
        "owner": owner,
        "taken_by": task.taken_by,
        "taken_at": task.taken_at,
        "closed_by": task.closed_by,
        "closed_at": task.closed_at,
        "created_at": task.created_at,
        "result": task.result,
        "items": [
            {
                "outbox": item.row_id,
                "order": item.order,
                "facts": item.facts,
                "text": item.text,
                "twin": item.twin,
                "url": item.url,
                "deadline": item.deadline,
                "dropped": item.dropped,
            }
            for item in task.items
        ],
    }


def title_of(task: TaskView, phrases: Phrases) -> str:
    """What the task asks for, in the operators' language; of a kind without a phrase as it was written."""
    facts = task.items[0].facts if task.items else {}
    return task_title(phrases, task.kind, task.order, facts, task.group) or task.title


def cells(task: TaskView, owner: str | None, phrases: Phrases) -> tuple[object, ...]:
    """One task for a table with `COLUMNS`; `owner` is the name of whose work it is today."""
    several = f" (+{len(task.items) - 1})" if len(task.items) > 1 else ""
    wants = [tasks.OPTION[want] for want in task.wants]
    return (
        task.id,
        task.deadline,
        task.store,
        f"{task.order}{several}",
        phrases.word("intent", task.kind),
        phrases.word("state", task.state),
        owner,
        task.taken_by,
        wants,
        title_of(task, phrases),
    )


def card(console: Console, task: TaskView, owner: str | None) -> None:
    """One task with its facts, its link, the text to paste and its twin."""
    phrases = console.phrases
    console.head(f"{title_of(task, phrases)}  [{phrases.word('state', task.state)}]")
    console.facts(
        {
            "deadline": task.deadline,
            "valid_until": task.valid_until,
            "whose": owner,
            "in_hand": task.taken_by,
            "closed": task.closed_at,
            "closed_by": task.closed_by,
            "result": task.result,
        }
    )
    for item in task.items:
        console.line()
        dropped = f"  {phrases.say('card.no_longer_wanted')}" if item.dropped else ""
        console.head(phrases.say("card.order", order=item.order) + dropped)
        console.facts({"link": item.url, **item.facts})
        for title, text in (("card.text", item.text), ("card.twin", item.twin)):
            if text:
                console.line()
                console.head(phrases.say(title))
                console.line(text)
    if task.state in tasks.OPEN:
        grows = task.group is not None and task.state is TaskState.OPEN
        wants = " ".join([*(tasks.OPTION[want] for want in task.wants), *([f"--items {len(task.live)}"] if grows else [])])
        console.line()
        console.line(f"tracker tasks done {task.id} {wants}".rstrip())
