"""docs/reference/carriers.md: whom Tracker can ask, and the carriers that it knows."""

from __future__ import annotations

import tomllib
from typing import Any

from carriers import registry
from tests.docs.markdown import code, codes, table
from tracker.config import defaults_dir

HEAD = """\
# Carriers and sources

Made from `carriers/registry.py` and `config/carriers.toml` by `python -m tests.docs`; do not edit.

A *carrier* transports; a *source* is whom we ask. One source usually knows many carriers. Set one up as a `[[source]]` of
[tracker.toml](config.md); `tracker carriers list` shows the same table.

## Sources

`first` were rehearsed with real conversations against a stand-in; `documented` were written from documents and samples and wait
for their first run against the real service. `drop:FOLDER` as `base_url` is a folder that is read instead of the network.

"""

_CARRIERS = """\

## Carriers

Add or change one in your own `carriers.toml`. "Asked by code" is the number under which a source knows the carrier; where there
is none, the source finds out by itself. Tracking pages move: check those that you use.

"""


def page() -> str:
    """The whole page."""
    known = [registry.describe(name) for name in registry.names()]
    columns = ("adapter", "source", "tier", "numbers a request", "secrets", "registers numbers", "usual `base_url`", "settings")
    sources = [
        (
            code(each.name),
            each.title,
            each.tier,
            str(each.batch_size),
            codes(each.secrets),
            "yes" if each.registers else "",
            code(each.base_url or "drop:FOLDER"),
            _settings(each.name),
        )
        for each in known
    ]
    return HEAD + table(columns, sources) + _CARRIERS + _carriers()


def _settings(name: str) -> str:
    """What the adapter's own docstring says after its name."""
    said = " ".join((type(registry.get(name)).__doc__ or "").split())
    return said.removeprefix(f"Adapter `{name}`").lstrip(".: ")


def _carriers() -> str:
    listed = tomllib.loads((defaults_dir() / "carriers.toml").read_text(encoding="utf-8"))["carrier"]
    return table(("carrier", "name", "country", "asked by code", "tracking page"), [_row(each) for each in listed])


def _row(carrier: dict[str, Any]) -> tuple[str, ...]:
    asked = ", ".join(f"{source} {number}" for source, number in carrier.get("codes", {}).items())
    return code(carrier["id"]), carrier["name"], carrier.get("country", ""), asked, code(carrier.get("url", ""))
