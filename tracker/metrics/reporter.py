"""The loop that counts and tells, beside the daemon's work. Whatever goes wrong here is said once, and never stops the work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version

from tracker.clock import Clock
from tracker.config import Loaded
from tracker.health import Heartbeat
from tracker.log import Event, get_logger
from tracker.metrics.count import count
from tracker.metrics.families import families
from tracker.metrics.publish import Publisher
from tracker.store import Store, StoreError

_log = get_logger()


class Reporter:
    """Metrics of one configuration. Does nothing where neither a file nor an endpoint is named."""

    def __init__(
        self,
        loaded: Loaded,
        store: Store,
        clock: Clock,
        *,
        heartbeat: Heartbeat,
        reload_good: Callable[[], bool],
        refused: Callable[[], Mapping[tuple[str, str], int]] = dict,
    ) -> None:
        """`refused`: (source, reason) -> pushes that were turned away since the start."""
        self._loaded = loaded
        self._store = store
        self._clock = clock
        self._heartbeat = heartbeat
        self._reload_good = reload_good
        self._refused = refused
        self._told: str | None = None
        self._publisher: Publisher | None = None

    async def run(self) -> None:
        """Until cancelled. Wrap in a task; call `close` when it has ended."""
        settings = self._loaded.settings.metrics
        if settings.file is None and settings.listen is None:
            return
        while True:
            try:
                self._publisher = self._publisher or Publisher(settings)
                await self._once(self._publisher)
            except Exception as error:  # noqa: BLE001 - a row that cannot be counted must not end the numbers for good
                known = isinstance(error, OSError | StoreError)
                text = str(error) if known else repr(error)
                if text != self._told:
                    _log.warning(Event.METRICS_FAILED, error=text)
                self._told = text
            else:
                self._told = None
            await self._clock.sleep(settings.every_s)

    async def _once(self, publisher: Publisher) -> None:
        now = self._clock.now()
        counted = await count(self._store, self._loaded, now)
        offset = now.timestamp() - self._clock.monotonic()
        ticks = {name: at + offset for name, at in self._heartbeat.ticks().items()}
        told = version("logistics-tracker")
        publisher.publish(
            families(
                counted,
                version=told,
                reload_good=self._reload_good(),
                ticks=ticks,
                refused=self._refused(),
                failing=self._heartbeat.failing(),
            )
        )

    def close(self) -> None:
        """Let the endpoint's port go."""
        if self._publisher is not None:
            self._publisher.close()
            self._publisher = None
