"""Why a line of a worksheet was not taken: a key of the phrases, so that a clerk reads it in the own language."""

from __future__ import annotations

from collections.abc import Mapping

from tracker.phrases import Phrases

RULED_OUT = frozenset({"moved", "decided", "closed", "gone", "other_row", "mixed_up", "twice", "other"})
"""What was decided is not to be said again without a look: the decision is left empty on the second try."""


class NotTaken(Exception):  # noqa: N818 - an answer to a person, not a fault of ours
    """Nothing was written for this line. `key` stands in the phrases' table `worksheet_problem`.

    Of `values`, `column` names a column, `state` a state, `words` (parted by blanks) decisions: said in the language, too.
    """

    def __init__(self, key: str, /, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values: Mapping[str, object] = values

    def said(self, phrases: Phrases) -> str:
        """What is wrong and what to do, in the language of `phrases`."""
        values = dict(self.values)
        if "column" in values:
            values["column"] = phrases.say(f"worksheet.{values['column']}", zone="").strip()
        if "state" in values:
            values["state"] = phrases.word("state", str(values["state"]))
        if "words" in values:
            values["words"] = ", ".join(phrases.say(f"worksheet.{word}") for word in str(values["words"]).split())
        return phrases.say(f"worksheet_problem.{self.key}", **values)
