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
_FOLDERS = {
    "seventeen_track": "17track",
    "fourpx": "4px",
    "australia_post": "australiapost",
    "canada_post": "canadapost",
    "la_poste": "laposte",
    "parcels_app": "parcelsapp",
    "royal_mail": "royalmail",
    "russian_post": "russianpost",
}
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
    results = {result["tracking_number"]: result for result in told["results"]}
    if "error" in sample.expected and not sample.numbers and not results:
        _check_error(told["error"], sample.expected)
        return
    assert told["error"] is None
    if not sample.numbers:
        # One number is meant, which the meta file does not name: perhaps the body does not, either.
        assert len(results) == 1
        _check_result(next(iter(results.values())), sample.expected)
        _check_tracking(next(iter(trackings(sample).values())), sample.expected)
        return
    assert sorted(results) == sorted(sample.numbers)
    read = trackings(sample)
    for expected in sample.items:
        _check_result(results[expected["number"]], expected)
        _check_tracking(read[expected["number"]], expected)


def _check_error(told: dict[str, str] | None, expected: Expected) -> None:
    wanted = expected.get("error")
    if expected.get("pending"):
        wanted = {"kind": "not_ready"}
    assert (told and told["kind"]) == (wanted and wanted["kind"])


def _check_result(told: dict[str, Any], expected: Expected) -> None:
    if told["error"] is None or told["status"] not in expected.get("acceptable_status", ()):
        _check_error(told["error"], expected)
    assert told["status"] in {expected.get("status", "unknown"), *expected.get("acceptable_status", ())}
    if "reason" in expected:
        assert told["reason"] == expected["reason"]
    if "events" in expected:
        assert len(told["events"]) == expected["events"]
    if "last_event_time" in expected:
        allowed = {_to_second(time) for time in (expected["last_event_time"], *expected.get("acceptable_last_event_time", ()))}
        assert told["last_event_time"] in allowed | ({None} if expected.get("time_ambiguous") else set())
    times = [event["time"] for event in told["events"] if event["time"]]
    assert times == sorted(times)


def _to_second(time: str | None) -> str | None:
    """Times are told to the second; some sources know milliseconds."""
    return time and time.partition(".")[0].removesuffix("Z") + "Z"


def _check_tracking(told: Tracking | CarrierError, expected: Expected) -> None:
    if isinstance(told, CarrierError):
        code = expected.get("error", {}).get("code")
        assert code is None or told.code == str(code)
        return
    last = told.last_event
    facts = {
        "last_event_local": last and last.local_time,
        "linked_number": told.linked_number,
        "stopped": told.stopped,
        "unmapped": sorted(told.unmapped),
        "notes": sorted(told.notes),
        "destination_country": told.destination_country,
        "carrier": _number(told.carrier_code),
        "slug": told.carrier_code,
        "last_event_stage": last and last.status.value,
        "raw_tag": told.raw_status,
    }
    wanted = {name: expected[name] for name in facts if name in expected}
    assert {name: facts[name] for name in wanted} == wanted
    if "raw_code" in expected:
        assert expected["raw_code"] in {last and last.raw_code, told.raw_status, told.raw_sub_status}


def _number(code: str | None) -> int | str | None:
    return int(code) if code is not None and code.isdecimal() else code
