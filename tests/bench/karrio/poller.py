"""Run by an interpreter that has karrio-server, and by no other: `python -I poller.py`, started by `tests.bench.karrio`.

Standard input tells the task as JSON: nothing of it makes the database; `base_url` and `numbers` make a tracker of each number
and run the released job of karrio-server (`update_trackers`, which puts a task into its queue, and that task) once for each pass.
The last line on standard output tells CPU microseconds a tracker of this interpreter. Nothing of karrio is copied or kept.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import timedelta

_CONNECTOR = "dhl_universal"
_PASSES = (("first", ""), ("same", ""), ("one", "/news"), ("again", "/news"))


def main() -> None:
    """Migrate, or measure."""
    import django

    django.setup()
    task = json.load(sys.stdin)
    figures = _measure(task["base_url"], task["numbers"]) if task else _migrate()
    print(f"\n{json.dumps(figures)}")


def _migrate() -> dict[str, float]:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    return {}


def _measure(base_url: str, numbers: list[str]) -> dict[str, float]:
    from karrio.server.manager.models import Tracking

    _track(numbers)
    figures: dict[str, float] = {}
    for name, path in _PASSES:
        _ask_at(base_url + path)
        _forget_notices()
        started = time.process_time()
        _update()
        figures[name] = (time.process_time() - started) * 1e6 / len(numbers)
        figures[f"{name}_scans"] = sum(map(len, Tracking.objects.values_list("events", flat=True)))
    return figures


def _track(numbers: list[str]) -> None:
    """One connection of the carrier, and a tracker of each number, as somebody who uses it would have."""
    from django.contrib.auth import get_user_model
    from karrio.server.core.utils import create_carrier_snapshot
    from karrio.server.manager.models import Tracking
    from karrio.server.providers.models import CarrierConnection

    owner = get_user_model().objects.create(email="bench@example.com")
    connection = CarrierConnection.objects.create(
        carrier_code=_CONNECTOR,
        carrier_id=_CONNECTOR,
        credentials={"consumer_key": "invented", "consumer_secret": "invented"},
        capabilities=["tracking"],
        test_mode=False,
        created_by=owner,
    )
    known_as = create_carrier_snapshot(connection)
    for number in numbers:
        Tracking.objects.create(tracking_number=number, carrier=known_as, test_mode=False, created_by=owner)


def _ask_at(url: str) -> None:
    """The connector's address is a property of its code, and no setting: the one thing here that its documents do not offer."""
    from karrio.providers.dhl_universal.utils import Settings

    Settings.server_url = property(lambda _: url)


def _update() -> None:
    """What its scheduler and one worker do: find the stale, enqueue, take the task out of the queue, ask, merge, write.

    The notices of changed trackers stay in the queue: delivering them is not polling.
    """
    from huey.contrib.djhuey import HUEY
    from karrio.server.events.task_definitions.base import tracking

    tracking.update_trackers(delta=timedelta(0))
    HUEY.execute(HUEY.dequeue())


def _forget_notices() -> None:
    """Those of the pass before."""
    from huey.contrib.djhuey import HUEY

    HUEY.flush()


if __name__ == "__main__":
    main()
