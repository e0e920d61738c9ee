"""Which of the seller's stores an order belongs to. Never guessed between two: a buyer would hear from the wrong shop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

from tracker.intake.errors import FileError, RowError
from tracker.intake.headers import normalise
from tracker.model import OrderFacts, ShipmentFacts
from tracker.rules import Store

_Facts = TypeVar("_Facts", OrderFacts, ShipmentFacts)


class StoreFinder:
    """Resolves the stores of one file.

    `forced` is the person's `--store`; `named` are the (platform, name) pairs that the file's rows hold: one strange name may be
    taken for the only store there is, two may not.
    """

    def __init__(self, stores: Mapping[str, Store], forced: str | None, named: Iterable[tuple[str | None, str]]) -> None:
        if forced is not None and forced not in stores:
            raise FileError(
                f"store {forced!r} is not configured: it is one of {_listed(stores) or 'none yet (stores/ beside tracker.toml)'}"
            )
        self._stores = stores
        self._forced = stores[forced] if forced else None
        self._strange: dict[str | None, set[str]] = defaultdict(set)
        for platform, name in named:
            if name and self._by_name(platform, name) is None:
                self._strange[platform].add(name)

    def find(self, platform: str | None, name: str) -> tuple[Store, str | None]:
        """The store of a row, and a warning where its name had to be taken on trust. Raises RowError."""
        if not name:
            return self._unnamed(platform), None
        if known := self._by_name(platform, name):
            return known, None
        trusted = self._on_trust(platform)
        if trusted is None:
            where = f" on {platform}" if platform else ""
            raise RowError(f'store {name!r}{where} is not configured: add names = ["{name}"] to its file in stores/')
        return trusted, f"the file calls the store {name!r}; taken for {trusted.id!r}: add the name to `names` in its file"

    def _by_name(self, platform: str | None, name: str) -> Store | None:
        wanted = normalise(name)
        for store in self._of(platform):
            if wanted in map(normalise, (store.id, store.name, *store.names)):
                return store
        return None

    def _on_trust(self, platform: str | None) -> Store | None:
        if len(self._strange[platform]) > 1:
            return None
        if self._forced:
            return self._forced if platform in {None, self._forced.platform} else None
        there = self._of(platform)
        return there[0] if len(there) == 1 and not there[0].names else None

    def _unnamed(self, platform: str | None) -> Store:
        if self._forced:
            if platform not in {None, self._forced.platform}:
                raise RowError(f"the row is of {platform}, and store {self._forced.id!r} is of {self._forced.platform}")
            return self._forced
        there = self._of(platform)
        if len(there) == 1:
            return there[0]
        if not there:
            raise RowError(f"no store{f' of {platform}' if platform else ''} is configured: add stores/<id>.toml for it")
        raise RowError(
            f"the file does not say which store this is ({_listed(s.id for s in there)}): "
            "name it with --store, or put the file into the folder inbox/<store>/"
        )

    def _of(self, platform: str | None) -> list[Store]:
        return [store for store in self._stores.values() if platform in {None, store.platform}]


def with_default_country(facts: _Facts, stores: Mapping[str, Store]) -> _Facts:
    """An order or parcel that no row of the file gives a destination: its store's default stands in, as an assumption."""
    store = stores.get(facts.store or "")
    if facts.country is not None or store is None or store.default_country is None:
        return facts
    return msgspec.structs.replace(facts, country=store.default_country, assumed=frozenset({"country"}))


def _listed(ids: Iterable[str]) -> str:
    return ", ".join(sorted(ids))
