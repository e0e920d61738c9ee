"""All adapters by name. Each is imported when it is asked for, not before."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Literal, cast

import msgspec

from carriers.base import Adapter

Tier = Literal["first", "documented"]


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about an adapter without importing it.

    `tier` first: rehearsed; documented: from documents and samples, waiting for its first run against the real service.
    `secrets` an account must have; `registers`: numbers must be registered (memory); `push`: the source can call us; `drop`: it
    reads a drop folder, not the network; `base_url` the usual one.
    """

    name: str
    title: str
    tier: Tier
    batch_size: int
    secrets: tuple[str, ...] = ()
    registers: bool = False
    push: bool = False
    drop: bool = False
    base_url: str = ""


class UnknownCarrierError(LookupError):
    """No adapter has this name. The message lists those that exist."""


_ADAPTERS: tuple[tuple[Description, str], ...] = (
    (
        Description(
            name="seventeen_track",
            title="17TRACK",
            tier="first",
            batch_size=40,
            secrets=("api_key",),
            registers=True,
            push=True,
            base_url="https://api.17track.net/track/v2.2",
        ),
        "carriers.seventeen_track:SeventeenTrack",
    ),
    (
        Description(
            name="correios",
            title="Correios (SRO Rastro)",
            tier="documented",
            batch_size=50,
            secrets=("user", "access_code"),
            base_url="https://api.correios.com.br",
        ),
        "carriers.correios:Correios",
    ),
    (
        Description(name="sheet", title="Scan sheets of a forwarder", tier="first", batch_size=5000, drop=True),
        "carriers.sheet:Sheet",
    ),
    (Description(name="fake", title="Scripted fake", tier="first", batch_size=1000, drop=True), "carriers.fake:Fake"),
)


@cache
def _by_name() -> dict[str, tuple[Description, str]]:
    return {description.name: (description, place) for description, place in _ADAPTERS}


def names() -> tuple[str, ...]:
    """The names of all adapters, in the order in which a newcomer should try them."""
    return tuple(description.name for description, _ in _ADAPTERS)


def describe(name: str) -> Description:
    """What is known about `name` without importing it. Raises UnknownCarrierError."""
    return _entry(name)[0]


@cache
def get(name: str) -> Adapter:
    """The adapter `name`: one stateless instance for all accounts. Raises UnknownCarrierError."""
    module, _, type_name = _entry(name)[1].partition(":")
    return cast("Adapter", getattr(import_module(module), type_name)())


def _entry(name: str) -> tuple[Description, str]:
    try:
        return _by_name()[name]
    except KeyError:
        raise UnknownCarrierError(f"no carrier {name!r}; there are: {', '.join(names())}") from None
