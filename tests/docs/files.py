"""docs/reference/formats.md and messages.md: the layouts that are read, the texts that are written."""

from __future__ import annotations

import tomllib
from typing import Any

from tests.docs.markdown import code, codes, table
from tracker.config import defaults_dir
from tracker.messages import MESSAGE_TYPES
from tracker.messages.catalogue import NODATE, NOSCAN, SHORT, needed, offered

FORMATS = """\
# Layouts of order files

Made from `config/formats.toml` by `python -m tests.docs`; do not edit.

A file is recognised by its header row, never by its name. Headers are compared without regard to case, width and spare spaces;
`name*` means every header that begins so. Of several headers for one thing the first that holds something counts.
"""

_ASCENDING = {1: "last word", 2: "second word", 3: "first word"}
"""Ranks: 3 beats 2 beats 1."""

MESSAGES = """\
# Texts to buyers

Made from `tracker/messages/catalogue.py` and `config/messages/` by `python -m tests.docs`; do not edit.

A text lies in `messages/<language>/<name>.txt` beside your `tracker.toml`, or among the shipped ones. `{{ blank }}` is filled in;
`subject:` stands in the first line of a mail. `<name>.short.txt` is taken where a marketplace limits the length,
`<name>_noscan.txt` where there is no scan to speak of, `<name>_nodate.txt` where no date can be promised. `tracker config check`
tries every text.

`zh-CN` is the twin that operators read beside the buyer's text (`[operators] language`). A text in a language that
`messages.reviewed` does not name never leaves by itself: it becomes a task.

Kinds: a *stage* or *courtesy* is outreach and stops when the parcel is delivered, the order refunded or disputed, or the buyer
opted out; a *notice* tells of an event and goes on; an *answer* replies to the buyer.
"""


def formats_page() -> str:
    """The whole page about layouts."""
    listed = tomllib.loads((defaults_dir() / "formats.toml").read_text(encoding="utf-8"))["format"]
    return FORMATS + "".join(_format(each) for each in listed)


def _format(one: dict[str, Any]) -> str:
    needs = "; ".join(f"one of {codes(group)}" if len(group) > 1 else code(group[0]) for group in one["requires"])
    zone = "the store's zone" if one["zone"] == "store" else code(one["zone"])
    states = [(code(state), ", ".join(words)) for state, words in one.get("states", {}).items()]
    columns = [(code(field), ", ".join(names)) for field, names in one["columns"].items()]
    if "refused" in one:
        return f"\n## {one['id']}\n\n{_sentence(one['title'])} Recognised by: {needs}. No order file: {one['refused']}.\n"
    return (
        f"\n## {one['id']}\n\n{_sentence(one['title'])} Recognised by: {needs}. Times without an offset are in {zone}. "
        f"Has the {_ASCENDING[one['rank_orders']]} about orders, the {_ASCENDING[one['rank_tracking']]} about parcels.\n\n"
        + table(("what is read", "headers"), columns)
        + ("\n" + table(("order state", "words in the file"), states) if states else "")
    )


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:].rstrip(".") + "."


def messages_page() -> str:
    """The whole page about texts."""
    columns = ("name", "kind", "must name", "may name", "shipped in", "variants")
    return MESSAGES + "\n## The types\n\n" + table(columns, [_row(key) for key in MESSAGE_TYPES])


def _row(key: str) -> tuple[str, ...]:
    blanks = sorted(offered(key) - needed(key))
    return code(key), MESSAGE_TYPES[key].kind.value, codes(sorted(needed(key))), codes(blanks), _languages(key), _variants(key)


def _languages(key: str) -> str:
    return ", ".join(sorted(file.parent.name for file in defaults_dir().glob(f"messages/*/{key}.txt")))


def _variants(key: str) -> str:
    there = {file.stem for file in defaults_dir().glob("messages/*/*.txt")}
    return codes(each for each in (key + SHORT, key + NOSCAN, key + NODATE) if each in there)
