"""A carrier stand-in on 127.0.0.1 that speaks the 17TRACK v2.2 protocol, for the demo and the tests.

It keeps accounts of numbers the way the aggregator does (facts/carriers.md section 6): a number must be registered first, at
most 40 numbers
a request, results and per-number errors side by side, an automatic stop 30 days after the last news or 15 days after a final
status, one
`retrack` per number. What the parcels do is a script; when is told by the clock that the caller passes in, so that it runs on
simulated time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import msgspec

BATCH = 40
STOP_AFTER_SILENCE = timedelta(days=30)
STOP_AFTER_FINAL = timedelta(days=15)
FINAL_STATUSES = frozenset({"Delivered", "Exception"})
LONGEST_NUMBER = 50
SHORTEST_NUMBER = 5

ALREADY_REGISTERED = -18019901
NOT_REGISTERED = -18019902
ONLY_STOPPED_RETRACK = -18019904
RETRACK_ONCE = -18019905
ONLY_TRACKED_STOP = -18019906
NO_INFORMATION = -18019909
BAD_FORMAT = -18010012
BAD_KEY = -18010002
TOO_MANY = -18010014


class ScriptedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One scan of the script. `at` is aware; `sub_status` is the aggregator's word, known or not."""

    at: datetime
    sub_status: str
    description: str
    location: str = ""
    country: str | None = None
    until: datetime | None = None
    """The source takes the event back at this instant (a delivery that is revoked)."""


class ScriptedParcel(msgspec.Struct, frozen=True, kw_only=True):
    """What one number will do. No events at all: the carrier never hears of it (`known=False`) or has only the label."""

    number: str
    events: tuple[ScriptedEvent, ...] = ()
    known: bool = True
    carrier: int = 3011
    destination: str = "BR"
    label_at: datetime | None = None


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """The source misbehaves in [start, end): `unavailable` (503), `rate_limited` (429), `html`, `truncated`, `inside_200`."""

    start: datetime
    end: datetime
    kind: str


class _Record:
    """What the aggregator remembers about a registered number."""

    __slots__ = ("carrier", "registered_at", "retracked", "stopped_at", "tag", "woken_at")

    def __init__(self, registered_at: datetime, carrier: int, tag: str | None) -> None:
        self.registered_at = registered_at
        self.carrier = carrier
        self.tag = tag
        self.stopped_at: datetime | None = None
        self.woken_at = registered_at
        self.retracked = False


class Aggregator:
    """The protocol without the sockets: `handle(path, token, body) -> (http status, body)`."""

    def __init__(
        self, parcels: Sequence[ScriptedParcel], now: Callable[[], datetime], *, token: str, troubles: Sequence[Trouble] = ()
    ) -> None:
        self._parcels = {parcel.number: parcel for parcel in parcels}
        self._records: dict[str, _Record] = {}
        self._now = now
        self._token = token
        self._troubles = tuple(troubles)
        self._lock = threading.Lock()
        self.calls: dict[str, int] = {}
        self.quota_used = 0
        self._doors: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "register": self._register,
            "gettrackinfo": self._info,
            "retrack": self._retrack,
            "stoptrack": self._stop,
            "changecarrier": self._change_carrier,
        }

    def handle(self, path: str, token: str | None, body: bytes) -> tuple[int, bytes]:
        """Answer one POST. The answer is JSON unless a scripted trouble says otherwise."""
        with self._lock:
            door = path.rsplit("/", 1)[-1]
            self.calls[door] = self.calls.get(door, 0) + 1
            trouble = self._trouble()
            if trouble is not None and trouble != "truncated":
                return _trouble_answer(trouble)
            status, answer = self._answer(door, token, body)
            return status, answer[: len(answer) // 2] if trouble == "truncated" else answer

    def _answer(self, door: str, token: str | None, body: bytes) -> tuple[int, bytes]:
        if token != self._token:
            return 401, _failure(BAD_KEY, "Security key is invalid.")
        if door == "getquota":
            return 200, msgspec.json.encode(
                {
                    "code": 0,
                    "data": {"quota_total": 10_000, "quota_used": self.quota_used, "quota_remain": 10_000 - self.quota_used},
                }
            )
        if door not in self._doors:
            return 404, _failure(404, "Not found.")
        try:
            items = msgspec.json.decode(body, type=list[dict[str, Any]])
        except msgspec.MsgspecError:
            return 200, _failure(-18010013, "Submitted data is invalid.")
        if len(items) > BATCH:
            return 200, _failure(TOO_MANY, f"At most {BATCH} tracking numbers can be submitted.")
        accepted: list[dict[str, Any]] = []
        rejected: list[dict[str, Any]] = []
        for item in items:
            result = self._doors[door](item)
            (rejected if "error" in result else accepted).append(result)
        return 200, msgspec.json.encode({"code": 0, "data": {"accepted": accepted, "rejected": rejected}})

    @property
    def registered(self) -> set[str]:
        """The numbers it was told about."""
        return set(self._records)

    def _trouble(self) -> str | None:
        now = self._now()
        return next((trouble.kind for trouble in self._troubles if trouble.start <= now < trouble.end), None)

    def _register(self, item: dict[str, Any]) -> dict[str, Any]:
        number = str(item.get("number", ""))
        if not SHORTEST_NUMBER <= len(number) <= LONGEST_NUMBER or not number.isalnum():
            return _rejected(number, BAD_FORMAT, f"The format of '{number}' is invalid.")
        if number in self._records:
            return _rejected(number, ALREADY_REGISTERED, f"The tracking number '{number}' has been registered.")
        parcel = self._parcels.get(number)
        carrier = int(item.get("carrier") or (parcel.carrier if parcel else 3011))
        self._records[number] = _Record(self._now(), carrier, item.get("tag"))
        self.quota_used += 1
        return {"origin": 1, "number": number, "carrier": carrier, "tag": item.get("tag")}

    def _info(self, item: dict[str, Any]) -> dict[str, Any]:
        number = str(item.get("number", ""))
        record = self._records.get(number)
        if record is None:
            return _rejected(number, NOT_REGISTERED, f"The tracking number '{number}' is not registered.")
        self._stop_when_quiet(number, record)
        return {
            "number": number,
            "carrier": record.carrier,
            "param": None,
            "tag": record.tag,
            "track_info": self._track_info(number, record),
        }

    def _retrack(self, item: dict[str, Any]) -> dict[str, Any]:
        number = str(item.get("number", ""))
        record = self._records.get(number)
        if record is None:
            return _rejected(number, NOT_REGISTERED, f"The tracking number '{number}' is not registered.")
        self._stop_when_quiet(number, record)
        if record.stopped_at is None:
            return _rejected(number, ONLY_STOPPED_RETRACK, "Only stopped tracking numbers can be re-tracked.")
        if record.retracked:
            return _rejected(number, RETRACK_ONCE, "Each tracking number can be re-tracked only once.")
        record.stopped_at, record.retracked, record.woken_at = None, True, self._now()
        return {"number": number, "carrier": record.carrier}

    def _stop(self, item: dict[str, Any]) -> dict[str, Any]:
        number = str(item.get("number", ""))
        record = self._records.get(number)
        if record is None or record.stopped_at is not None:
            return _rejected(number, ONLY_TRACKED_STOP, "Only tracking numbers that are being tracked can be stopped.")
        record.stopped_at = self._now()
        return {"number": number, "carrier": record.carrier}

    def _change_carrier(self, item: dict[str, Any]) -> dict[str, Any]:
        number = str(item.get("number", ""))
        record = self._records.get(number)
        if record is None:
            return _rejected(number, NOT_REGISTERED, f"The tracking number '{number}' is not registered.")
        record.carrier = int(item.get("carrier_new") or record.carrier)
        return {"number": number, "carrier": record.carrier}

    def _visible(self, number: str, until: datetime) -> list[ScriptedEvent]:
        parcel = self._parcels.get(number)
        if parcel is None:
            return []
        return [event for event in parcel.events if event.at <= until and (event.until is None or until < event.until)]

    def _stop_when_quiet(self, number: str, record: _Record) -> None:
        """The aggregator's own rule: 30 days without news, or 15 days after a final status, and it stops looking.

        News that comes after the stop is not seen, whether or not anybody asked in between.
        """
        if record.stopped_at is not None:
            return
        now = self._now()
        heard, final = record.woken_at, False
        for event in sorted(self._visible(number, now), key=_when):
            if event.at > heard and event.at - heard >= _patience(final=final):
                break
            heard, final = max(heard, event.at), event.sub_status.split("_")[0] in FINAL_STATUSES
        if now - heard >= _patience(final=final):
            record.stopped_at = heard + _patience(final=final)

    def _track_info(self, number: str, record: _Record) -> dict[str, Any]:
        parcel = self._parcels.get(number)
        seen_until = record.stopped_at or self._now()
        events = sorted(self._visible(number, seen_until), key=_when, reverse=True)
        status, sub_status = self._latest(parcel, events, record)
        shown = [_event(event) for event in events]
        return {
            "shipping_info": {
                "shipper_address": {"country": "CN"},
                "recipient_address": {"country": parcel.destination if parcel else None},
            },
            "latest_status": {"status": status, "sub_status": sub_status, "sub_status_descr": None},
            "latest_event": shown[0] if shown else None,
            "tracking": {
                "providers_hash": len(shown),
                "providers": [
                    {
                        "provider": {"key": record.carrier, "name": "Stand-in", "country": "CN"},
                        "latest_sync_status": "Success",
                        "latest_sync_time": seen_until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                        "events_hash": len(shown),
                        "events": shown,
                    }
                ],
            },
        }

    def _latest(self, parcel: ScriptedParcel | None, events: Sequence[ScriptedEvent], record: _Record) -> tuple[str, str]:
        if not events:
            if parcel is not None and parcel.known and (parcel.label_at is None or parcel.label_at <= self._now()):
                return "InfoReceived", "InfoReceived"
            return "NotFound", "NotFound_Other"
        newest = events[0].sub_status
        if record.stopped_at is not None and newest.split("_")[0] not in FINAL_STATUSES:
            return "Expired", "Expired_Other"
        return newest.split("_")[0], newest


def _patience(*, final: bool) -> timedelta:
    return STOP_AFTER_FINAL if final else STOP_AFTER_SILENCE


def _when(event: ScriptedEvent) -> datetime:
    return event.at


def _event(event: ScriptedEvent) -> dict[str, Any]:
    local = event.at.isoformat(timespec="seconds")
    return {
        "time_iso": local,
        "time_utc": event.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "time_raw": {"date": local[:10], "time": local[11:19], "timezone": local[19:]},
        "description": event.description,
        "location": event.location,
        "stage": None,
        "sub_status": event.sub_status,
        "address": {"country": event.country, "state": None, "city": event.location or None, "street": None, "postal_code": None},
    }


def _rejected(number: str, code: int, message: str) -> dict[str, Any]:
    return {"number": number, "error": {"code": code, "message": message}}


def _failure(code: int, message: str) -> bytes:
    return msgspec.json.encode({"code": code, "data": {"errors": [{"code": code, "message": message}]}})


_TROUBLES: Mapping[str, tuple[int, bytes]] = {
    "unavailable": (503, b"<html><body>503 Service Unavailable</body></html>"),
    "rate_limited": (429, _failure(429, "Too many requests.")),
    "html": (200, b"<!doctype html><title>Maintenance</title>"),
    "inside_200": (200, _failure(-18010003, "Internal service error, please retry later.")),
}


def _trouble_answer(kind: str) -> tuple[int, bytes]:
    return _TROUBLES[kind]


class StandIn:
    """The aggregator behind a real HTTP server on a free loopback port, served by threads. Use as a context manager."""

    def __init__(self, aggregator: Aggregator) -> None:
        self.aggregator = aggregator
        handler = type("Handler", (_Handler,), {"aggregator": aggregator})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="carrier-stand-in", daemon=True
        )

    @property
    def base_url(self) -> str:
        """Where it listens, with the path of the real API."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/track/v2.2"

    def __enter__(self) -> Self:
        """Start to serve."""
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stop, and give the port back."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    """Glue between the standard library's HTTP server and the aggregator."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together: apart, they wait for the other side's delayed acknowledgement
    aggregator: Aggregator

    def do_POST(self) -> None:
        """Every door of the API is a POST."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, answer = self.aggregator.handle(self.path, self.headers.get("17token"), body)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the standard library's name
        """Stay silent: the product's own log tells the story."""
