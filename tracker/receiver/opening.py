"""From the configuration to the push door: one way in for each account that has a secret for pushes."""

from __future__ import annotations

from collections.abc import Callable

from carriers import registry
from tracker.clock import Clock
from tracker.config import Settings
from tracker.receiver.app import Limits
from tracker.receiver.door import Door, Doorkeeper
from tracker.receiver.serving import Receiver
from tracker.store import Store


def push_door(settings: Settings, store: Store, clock: Clock, heard: Callable[[], None]) -> Receiver | None:
    """The port at which sources call, None where it is closed; `heard` is called after each push that was news."""
    wanted = settings.receiver
    if wanted.listen is None:
        return None
    doors = [
        Door(account=each.id, adapter=registry.get(each.adapter), secrets=[secret.reveal() for secret in each.push_secrets])
        for each in settings.sources
        if each.push_secrets
    ]
    limits = Limits(max_body=wanted.max_body, at_once=wanted.at_once, hosts=wanted.trusted_hosts)
    keeper = Doorkeeper(store, clock, doors, heard)
    return Receiver(keeper, limits, wanted.listen, clock, drain_seconds=settings.engine.drain_s)
