"""What the sources themselves say is left of an account: asked once a day, beside the polls and never in front of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from carriers.base import Metered
from carriers.errors import CarrierError
from tracker.clock import Clock
from tracker.polling.conversation import Source, ask_quota
from tracker.store import Store


def metered(sources: Iterable[Source]) -> list[Source]:
    """Those that can tell."""
    return [source for source in sources if isinstance(source.adapter, Metered)]


async def keep_quotas(sources: Iterable[Source], store: Store, clock: Clock, now: datetime) -> str:
    """Ask each source that can tell, and keep what it says for the forecast; who cannot be reached is asked tomorrow."""
    told = []
    for source in metered(sources):
        try:
            said = await ask_quota(source, clock)
        except CarrierError as error:
            told.append(f"{source.id} did not say ({error.kind.value})")
            continue
        if said is None or said.left is None:
            told.append(f"{source.id} did not say")
            continue
        await store.tell_quota(source.id, said.left, said.daily, now)
        told.append(f"{source.id} {said.left} left")
    return ", ".join(told) or "no source tells"
