"""Sources on loopback that answer from the samples of tests/samples/carriers, with faults in between."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Mapping
from urllib.parse import unquote_plus

from carriers.numbers import normalise
from tests.carriers import cases
from tests.carriers.loopback import Reply, http

SLOW = 0.3
"""Seconds a source has for a whole answer in these tests; the slow one takes twice as long."""

FAULTS: Mapping[str, Reply] = {
    "429": http(429, Retry_After="60"),
    "503": http(503),
    "slow": [2 * SLOW, http(200, b"{}")],
    "cut off": [b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n{"],
    "truncated": http(200, b'{"code": 0, "data": {"accepted": [{"number": "RB0000', Content_Type="application/json"),
    "redirect": http(302, Location="http://169.254.169.254/latest/meta-data"),
    "wrong schema": http(200, b'{"unexpected": [1, "two", null]}', Content_Type="application/json"),
    "html": http(200, b"<!DOCTYPE html><html><body>Just a moment</body></html>", Content_Type="text/html"),
}

TOKEN = "kanarie-token"
_GRANT = json.dumps(
    {"access_token": TOKEN, "expires_in": "3600", "token": TOKEN, "expiraEm": "2099-01-01T00:00:00", "zoneOffset": "-03:00"}
).encode()
_LOGINS = ("token", "autentica")
_TICKET = (
    b'<?xml version="1.0"?><S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body><ns2:ticketResponse '
    b'xmlns:ns2="http://fclient.russianpost.org/postserver"><value>20260501120000000STAND%d</value></ns2:ticketResponse></S:Body></S:Envelope>'
)


class Stand:
    """One source. `bodies` by number; every fault is given once, each before another answer that would have been good."""

    def __init__(self, name: str, told: Mapping[str, cases.Sample], faults: Iterable[str]) -> None:
        self.name = name
        self.told = told
        self.faults = deque(faults)
        self.met: list[str] = []
        self.answered = 0
        self._ordered = list(told.values())

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Log in, fail as long as faults are left, else answer with the sample of the number that is asked for."""
        text = unquote_plus(path) + body.decode("utf-8", "replace")
        if any(word in path.partition("?")[0] for word in _LOGINS):
            return http(200, _GRANT, Content_Type="application/json")
        if self.faults:
            fault = self.faults.popleft()
            self.met.append(fault)
            return FAULTS[fault]
        self.answered += 1
        return self._answer(path, normalise(text)) or http(418)

    def _answer(self, path: str, asked: str) -> Reply | None:
        if self.name == "russian_post":
            open_ = re.search(r"STAND(\d+)", asked)
            if open_ is not None:
                return _told(self._ordered[int(open_[1])])
            found = self._sample(asked)
            return None if found is None else http(200, _TICKET % self._ordered.index(found), Content_Type="text/xml")
        found = self._sample(asked)
        if found is None:
            return None
        if re.search(r"/(register|create|changecarrier|retrack)$", path) or (
            self.name == "aftership" and path.endswith("/trackings")
        ):
            return http(200, _REGISTERED[self.name](found.numbers[0]), Content_Type="application/json")
        return _told(found)

    def _sample(self, asked: str) -> cases.Sample | None:
        return next((sample for number, sample in self.told.items() if normalise(number) in asked), None)


def _told(sample: cases.Sample | None) -> Reply | None:
    return None if sample is None else http(sample.response.status, sample.response.body)


_REGISTERED = {
    "seventeen_track": lambda number: json.dumps(
        {"code": 0, "data": {"accepted": [{"origin": 1, "number": number, "carrier": 3011}], "rejected": []}}
    ).encode(),
    "trackingmore": lambda number: json.dumps(
        {"meta": {"code": 200, "message": "ok"}, "data": {"success": [{"tracking_number": number, "id": "1"}], "error": []}}
    ).encode(),
    "aftership": lambda number: json.dumps(
        {"meta": {"code": 201}, "data": {"id": "1", "tracking_number": number, "tag": "Pending", "checkpoints": []}}
    ).encode(),
}
