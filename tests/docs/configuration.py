"""docs/reference/config.md: every key with its meaning, what is shipped, and what is allowed."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tests.docs import comments
from tests.docs.allowed import hints, in_words, nested
from tests.docs.comments import Comments
from tests.docs.markdown import code, table
from tracker.config import defaults_dir
from tracker.config.load import SHAPES
from tracker.config.shape_market import StoreFile

HEAD = """\
# Configuration

Made from the shapes in `tracker/config/` and the comments of the shipped files by `python -m tests.docs`; do not edit.

Your folder holds a `tracker.toml`; files of the names below lie beside it, each only with what you want otherwise than shipped.
Tables merge key by key, arrays of tables by `id`; `enabled = false` in an entry removes the shipped one of that `id`. Which
`tracker.toml` is used: `--config PATH`, else `$TRACKER_CONFIG`, else `./tracker.toml`, else `/etc/tracker/tracker.toml`, else the
shipped defaults. `tracker config check` finds mistakes, `tracker config show` prints what is in force and where it comes from,
`tracker config schema NAME` gives the JSON Schema. One key of `tracker.toml` can be set by a variable:
`TRACKER__LOG__FORMAT=json` is `format` in `[log]`.

Beside these files lie the texts ([messages](messages.md)), the layouts of order files ([formats](formats.md)), the words a text
must not contain (`lint.toml`, below), and what operators read (`operators/<language>.toml`, [every day](../how-to/every-day.md)).
"""

EVERY_ENTRY = {
    "id": "unique and stable: what an override, the log and `tracker explain` call it",
    "note": "for people",
    "evidence_of_rule": "how sure the shipped figures are: verified, mixed or unverified",
    "schema": "version of the file's form",
}
"""Keys that mean the same everywhere, so that no file explains them."""

NOT_YET: Mapping[str, frozenset[str]] = {
    "tracker": frozenset({"grace_days_after_promise"}),
    "marketplaces": frozenset({"window_field"}),
}
"""Keys that are checked and kept, but on which nothing acts in this version. A test tells when one of them begins to act."""

SWITCHED_OFF = frozenset({"source", "marketplace_account", "person", "month"})
"""Arrays of tables of which only a commented example is shipped."""

_WAITS = " *(checked and kept; nothing acts on it in this version)*"


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for name, shape in SHAPES.items():
        text = (defaults_dir() / f"{name}.toml").read_text(encoding="utf-8")
        parts.append(f"\n## {name}.toml\n\n{_opening(text)}\n")
        parts += _file(name, shape, tomllib.loads(text), comments.read(text))
    example = (defaults_dir() / "stores" / "example.toml.sample").read_text(encoding="utf-8")
    parts.append("\n## stores/&lt;id&gt;.toml\n\nOne file a shop; the file's name is the shop's id.\n\n")
    parts.append(_keys("stores", "", StoreFile, {}, comments.read(example)))
    return "".join(parts)


def _opening(text: str) -> str:
    """The first sentence of a file, which says what it is for."""
    head = " ".join(line.removeprefix("#").strip() for line in text.partition("\n#\n")[0].splitlines() if line.startswith("# "))
    return comments.without_sources(head.split(". ")[0].rstrip(".") + ".")


def _file(name: str, shape: type[BaseModel], shipped: Mapping[str, Any], said: Comments) -> Iterator[str]:
    plain = {key for key, hint in hints(shape).items() if nested(hint) is None}
    if plain:
        yield "\n" + _keys(name, "", shape, shipped, said, only=plain)
    for key, hint in hints(shape).items():
        inner = nested(hint)
        if inner is not None:
            entries = shipped.get(key)
            several = isinstance(entries, list) or key in SWITCHED_OFF
            brackets = f"[[{key}]]" if several else f"[{key}]"
            yield f"\n### {name}.toml {brackets}\n\n"
            if isinstance(entries, list):
                yield f"{len(entries)} are shipped.\n\n"
            yield _keys(name, key, inner, entries if isinstance(entries, dict) else {}, said)


def _keys(
    name: str, of: str, shape: type[BaseModel], shipped: Mapping[str, Any], said: Comments, only: set[str] | None = None
) -> str:
    fields = {field.alias or key: field for key, field in shape.model_fields.items()}
    rows = [
        (code(key), _meaning(name, of, key, said), _default(key, fields[key], shipped), in_words(hint))
        for key, hint in hints(shape).items()
        if only is None or key in only
    ]
    return table(("key", "meaning", "default", "allowed"), rows)


def _meaning(name: str, of: str, key: str, said: Comments) -> str:
    waits = _WAITS if key in NOT_YET.get(name, ()) else ""
    try:
        return said.meaning(of, key) + waits
    except KeyError:
        if key not in EVERY_ENTRY:
            raise
        return EVERY_ENTRY[key] + waits


def _default(key: str, field: FieldInfo, shipped: Mapping[str, Any]) -> str:
    value = shipped.get(key, field.default)
    if value in (None, "", (), {}, frozenset()):
        return "" if key in shipped or not field.is_required() else "**required**"
    if field.is_required() and key not in shipped:
        return "**required**"
    return code(_toml(value))


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case list() | tuple():
            return f"[{', '.join(_toml(each) for each in value)}]"
        case dict():
            return f"{{ {', '.join(f'{key} = {_toml(each)}' for key, each in value.items())} }}"
        case _:
            return str(value)
