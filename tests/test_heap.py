"""What the daemon does once about its garbage collector."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from weakref import ref

import pytest

from tracker.heap import settle


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


class _Loop:
    """Holds itself."""

    def __init__(self) -> None:
        self.me = self


def test_what_was_loaded_is_walked_no_more_and_cycles_are_still_freed() -> None:
    """The soak of a daemon: rounds become rarer and cheaper, memory still comes back."""
    gc.set_threshold(700, 10, 10)
    settle()
    assert gc.get_freeze_count() > 1000
    assert gc.get_threshold()[0] > 700
    loop = ref(_Loop())
    gc.collect()
    assert loop() is None
