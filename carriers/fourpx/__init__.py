"""4PX: `tr.order.tracking.get` of its open platform, one number a call; its tracking page's answer is read too (facts: 4PX).

Rules of this source: a request is signed over the exact bytes sent. Results and errors come with HTTP 200 and `result` "1" or
"0". Times of the platform have no zone, and the `timeZone` that may stand beside them is not theirs: they stay wall clocks;
the page's `tkDate` has its offset, its `tkDateStr` is another zone's. Codes are families (FPX_C_ warehouse, FPX_M_ line haul,
FPX_I_ import customs, FPX_D_ delivery, FPX_S_ the end) with longer families inside (FPX_D_FD… delivery failed, FPX_I_HC… held
by customs); a family never tells a delivery. A parcel without scans (`tracks: null`) has no status yet: that is no "not
found".
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from datetime import datetime
from hashlib import md5
from urllib.parse import urlencode

import msgspec

from carriers import codes
from carriers.answers import decode
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import Glossary
from carriers.errors import CarrierError
from carriers.fourpx import wire
from carriers.model import Tracking, TrackingEvent, TrackingStatus, newest
from carriers.scans import alpha2, arrange, event_key, instant
from carriers.talks import Call, once, one_by_one, secret

_NEAR, _FAR = 8, 5
"""Lengths of the families a code belongs to: `FPX_D_FD` (delivery failed), `FPX_D` (delivery)."""

_PARCEL = msgspec.json.Decoder(wire.Parcel)
_ENCODER = msgspec.json.Encoder()


def sign(parameters: Mapping[str, str], body: bytes, app_secret: str) -> str:
    """The signature of a request: MD5 over the sorted public parameters, the exact bytes of the body, and the secret."""
    named = "".join(name + parameters[name] for name in sorted(parameters))
    return md5(named.encode() + body + app_secret.encode(), usedforsecurity=False).hexdigest()


class Fourpx(Pushless):
    """Adapter `fourpx`. Secrets: `app_key`, `app_secret`, and `access_token` where the account is a software partner's.

    Options: `language` (`en`). Tracking works in production only. What an error means is told by its text: the codes are not
    documented.
    """

    name = "fourpx"
    batch_size = 20

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """One signed call a number; the timestamp is `now`."""
        key, app_secret = secret(account, "app_key"), secret(account, "app_secret")
        public = {
            "app_key": key,
            "format": "json",
            "method": "tr.order.tracking.get",
            "timestamp": str(int(now.timestamp() * 1000)),
            "v": "1.0.0",
        }
        beside = {
            "access_token": account.secrets.get("access_token", ""),
            "language": str(account.options.get("language", "en")),
        }

        def call(query: Query) -> Call:
            body = _ENCODER.encode({"deliveryOrderNo": query.number})
            signed = {**public, "sign": sign(public, body, app_secret), **beside}
            url = f"{account.base_url}?{urlencode(signed)}"
            return once(Request(method="POST", url=url, headers={"content-type": "application/json"}, body=body))

        return (yield from one_by_one(queries, call, self.split))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """The order of the platform's answer, or the rows of the page's."""
        return wire.found(response, asked)

    def read(self, raw: bytes) -> Tracking:
        """Read one parcel."""
        parcel = decode(_PARCEL, raw)
        if parcel.error is not None:
            return Tracking(number=parcel.number, status=TrackingStatus.NOT_FOUND, raw_status=parcel.error)
        glossary = Glossary(codes.table("fourpx", "code"))
        events = arrange([_event(scan, glossary) for scan in parcel.scans])
        last = newest(events)
        return Tracking(
            number=parcel.number,
            status=last.status if last else TrackingStatus.UNKNOWN,
            reason=last.reason if last else None,
            raw_status=last.raw_code if last else None,
            events=events,
            destination_country=alpha2(parcel.country),
            linked_number=parcel.linked,
            unmapped=glossary.unmapped,
        )


def _event(scan: wire.Scan, glossary: Glossary) -> TrackingEvent:
    code, at, place, text = scan.code or "", scan.at or "", scan.place or "", scan.text or ""
    status, reason = glossary.of(code, code[:_NEAR], code[:_FAR])
    time, local, offset = instant(at.replace(" ", "T", 1))
    return TrackingEvent(
        key=event_key(code, at, place, text),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=code or None,
        description=text,
        location=place,
    )
