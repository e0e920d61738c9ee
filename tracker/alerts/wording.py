"""Alerts of one kind as one message, in the operators' language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from tracker.channels.notice import Notice
from tracker.phrases import Phrases
from tracker.store.alerts import AlertView

MOST_LINES = 20
"""A message of hundreds of lines is read by nobody: the command that lists all of them ends it."""


def notice(kind: str, alerts: Sequence[AlertView], phrases: Phrases, zone: str, now: datetime) -> Notice:
    """One message about all `alerts` of a kind; instants are shown in `zone`."""
    lines = [_line(each, phrases, ZoneInfo(zone)) for each in alerts[:MOST_LINES]]
    if len(alerts) > MOST_LINES:
        lines.append(phrases.say("alert.more", count=len(alerts) - MOST_LINES))
    stores = {each.store for each in alerts}
    return Notice(
        key=f"{kind}/{alerts[0].id}-{alerts[-1].id}",
        kind=kind,
        title=f"Tracker: {phrases.say(f'alert.{kind}', count=len(alerts))}",
        lines=(*lines, "", phrases.say("alert.look", command=phrases.say(f"alert_command.{kind}"))),
        at=now,
        language=phrases.language,
        store=stores.pop() if len(stores) == 1 else None,
    )


def _line(alert: AlertView, phrases: Phrases, zone: ZoneInfo) -> str:
    """`shop  A-1001, by 2026-03-05 18:00: amount 12.50 USD`."""
    head = " ".join(part for part in (alert.store if alert.store != alert.subject else None, alert.subject) if part)
    if alert.deadline is not None:
        head = f"{head}, {phrases.say('alert.by', at=f'{alert.deadline.astimezone(zone):%Y-%m-%d %H:%M}')}"
    facts = ", ".join(f"{phrases.name(name)} {phrases.value(name, value)}" for name, value in alert.facts.items() if value)
    return f"{head}: {facts}" if facts else head
