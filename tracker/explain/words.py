"""Every reason in a sentence, and what would change it. The names stay the same in log, database, JSON and tests."""

from __future__ import annotations

from tracker.model import DecisionReason
from tracker.phrases import Phrases


def sentence(phrases: Phrases, reason: DecisionReason) -> str:
    """The reason in a sentence, without capital and full stop."""
    return phrases.say(f"reason.{reason.value}")


def changes(phrases: Phrases, reason: DecisionReason) -> str | None:
    """What would change a refusal, beside time; None where nothing does."""
    key = f"changes.{reason.value}"
    return phrases.say(key) if phrases.knows(key) else None
