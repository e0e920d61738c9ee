"""Samples and how they are checked: bodies with a meta file that says what an adapter should make of them.

The same meta format as the shared reference collection, so that one check serves our own samples and, where $TRACKER_REFERENCE
names it, that collection too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from carriers import registry
from carriers.base import Response
from carriers.errors import CarrierError
from carriers.model import Tracking
from carriers.parse import parse

OWN = Path(__file__).parent.parent / "samples" / "carriers"
_FOLDERS = {"seventeen_track": "17track"}
"""Folders of the reference collection that are spelled as their owners write them."""

Expected = dict[str, Any]


class Sample(msgspec.Struct, frozen=True):
    """One body with what is expected of it."""

    carrier: str
    case: str
    response: Response
    expected: Expected

    @property
    def items(self) -> list[Expected]:
        """What is expected of each number."""
        items: list[Expected] = self.expected.get("items") or [self.expected]
        return items

    @property
    def numbers(self) -> list[str]:
        return [item["number"] for item in self.items if "number" in item]


def _load(carrier: str, folder: Path) -> Iterable[Sample]:
    for meta in sorted(folder.glob("*.meta.json")):
        told = json.loads(meta.read_text(encoding="utf-8"))
        case = meta.name.removesuffix(".meta.json")
        (body,) = (path for path in folder.glob(f"{case}.*") if path != meta)
        response = Response(status=told["http_status"], body=body.read_bytes())
        yield Sample(carrier, case, response, told["expected"])


def own(carrier: str) -> list[Sample]:
    """The samples of this repository."""
    return list(_load(carrier, OWN / carrier))


def all_own() -> list[Sample]:
    return [sample for name in registry.names() for sample in own(name)]


def reference() -> list[Sample]:
    """The reference collection's samples for registered adapters; none where $TRACKER_REFERENCE is not set."""
    root = os.environ.get("TRACKER_REFERENCE")
    if not root:
        return []
    folders = ((name, Path(root, "samples", "carriers", _FOLDERS.get(name, name))) for name in registry.names())
    return [sample for name, folder in folders for sample in _load(name, folder)]


def name_of(sample: Sample) -> str:
    return f"{sample.carrier}-{sample.case}"


def trackings(sample: Sample) -> dict[str, Tracking | CarrierError]:
    """What the adapter makes of a whole body, by number."""
    adapter = registry.get(sample.carrier)
    slices = adapter.split(sample.response, ())
    return {number: cut if isinstance(cut, CarrierError) else adapter.read(cut) for number, cut in slices.items()}


def check(sample: Sample) -> None:
    """Hold `carriers parse` and the adapter against the meta file."""
    told = json.loads(msgspec.json.encode(parse(sample.carrier, sample.response)))
    if not sample.numbers:
        assert told["results"] == []
        _check_error(told["error"], sample.expected["error"])
        return
    assert told["error"] is None
    results = {result["tracking_number"]: result for result in told["results"]}
    assert sorted(results) == sorted(sample.numbers)
    read = trackings(sample)
    for expected in sample.items:
        _check_result(results[expected["number"]], expected)
        _check_tracking(read[expected["number"]], expected)


def _check_error(told: dict[str, str] | None, expected: Expected | None) -> None:
    assert (told and told["kind"]) == (expected and expected["kind"])


def _check_result(told: dict[str, Any], expected: Expected) -> None:
    _check_error(told["error"], expected.get("error"))
    assert told["status"] == expected.get("status", "unknown")
    if "reason" in expected:
        assert told["reason"] == expected["reason"]
    if "events" in expected:
        assert len(told["events"]) == expected["events"]
    if "last_event_time" in expected:
        allowed = {expected["last_event_time"], None} if expected.get("time_ambiguous") else {expected["last_event_time"]}
        assert told["last_event_time"] in allowed
    times = [event["time"] for event in told["events"] if event["time"]]
    assert times == sorted(times)


def _check_tracking(told: Tracking | CarrierError, expected: Expected) -> None:
    if isinstance(told, CarrierError):
        code = expected["error"].get("code")
        assert code is None or told.code == str(code)
        return
    last = told.last_event
    facts = {
        "last_event_local": last and last.local_time,
        "raw_code": last and last.raw_code,
        "linked_number": told.linked_number,
        "stopped": told.stopped,
        "unmapped": sorted(told.unmapped),
        "notes": sorted(told.notes),
        "destination_country": told.destination_country,
        "carrier": told.carrier_code and int(told.carrier_code),
        "last_event_stage": last and last.status.value,
    }
    wanted = {name: expected[name] for name in facts if name in expected}
    assert {name: facts[name] for name in wanted} == wanted
