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

Of a source of tier `first` every situation that its documents describe is rehearsed: found and not found, customs, delivered,
returned, a code that nobody knows, a refusal, an error inside an answer, a body cut off. An `experimental` one was written from
documents and samples: it reads every sample that is public, what they do not tell it calls `unknown`, and what it asks is a guess
where the settings say (unverified). Before you rely on one, set its store to `observe`, and hold what
`tracker carriers parse NAME FILE` says of an answer that you fetched yourself against the carrier's own page. How it becomes
`first`: [add a carrier](../how-to/add-a-carrier.md#5-from-experimental-to-first).

*Registers*: a number has to be registered there, which may cost money. *Asynchronous*: the answer is fetched later. *Push*: the
source can call Tracker. *Calls*: a second, and a day where the source counts days; your account may allow more
([tracker.toml](config.md)). `drop:FOLDER` as `base_url` is a folder that is read instead of the network.

"""

_CARRIERS = """\

## Carriers

Add or change one in your own `carriers.toml`. "Asked by code" is the number under which a source knows the carrier; where there
is none, the source finds out by itself. Tracking pages move: check those that you use.

"""

_SLOW = 0.1
"""Calls a second."""

_COLUMNS = (
    "adapter",
    "source",
    "tier",
    "numbers a request",
    "secrets",
    "registers",
    "asynchronous",
    "push",
    "calls",
    "usual `base_url`",
    "settings",
)


def page() -> str:
    """The whole page."""
    known = [registry.describe(name) for name in registry.names()]
    sources = [
        (
            code(each.name),
            each.title,
            each.tier,
            str(each.batch_size),
            codes(each.secrets),
            _flag(each.registers),
            _flag(each.asynchronous),
            _flag(each.push),
            _calls(each),
            code(each.base_url or "drop:FOLDER"),
            _settings(each.name),
        )
        for each in known
    ]
    return HEAD + table(_COLUMNS, sources) + _CARRIERS + _carriers()


def _flag(told: bool) -> str:
    return "yes" if told else ""


def _calls(source: registry.Description) -> str:
    """`0.2/s, 250/day`; a source slower than one in ten seconds is told by the minute."""
    rate = source.rps
    often = "" if rate is None else f"{rate:g}/s" if rate >= _SLOW else f"{rate * 60:.1g}/min"
    return ", ".join(filter(None, (often, f"{source.daily}/day" if source.daily else "")))


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
