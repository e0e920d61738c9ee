"""A JSON document by POST: for a chat's own webhook, a ticket system, a script."""

from __future__ import annotations

import msgspec

from carriers.base import Request
from carriers.errors import CarrierError
from carriers.http import HttpTransport, make_transport
from carriers.reach import reach_of
from tracker.channels.base import Refused
from tracker.channels.notice import Notice

_DEADLINE_SECONDS = 20.0
_GOOD = range(200, 300)


class WebhookSink:
    """One address. `{"key", "kind", "title", "lines", "text", "store", "at"}`; the answer must be a 2xx."""

    def __init__(self, target: str, url: str, *, proxy: str | None = None, private: bool = False) -> None:
        """`target` is its id in the configuration: the URL holds a secret and is never told. `private`: allow_private_hosts."""
        reach = reach_of(url, private=private)
        self._target = target
        self._url = url
        self._http = HttpTransport(
            account_id=target,
            total_deadline_s=_DEADLINE_SECONDS,
            max_body_bytes=64 * 1024,
            reach=reach,
            transport=make_transport(connections=1, proxy=proxy, reach=reach),
        )

    async def tell(self, notice: Notice) -> None:
        """Post it. Raises Refused."""
        body = msgspec.json.encode(
            {
                "key": notice.key,
                "kind": notice.kind,
                "title": notice.title,
                "lines": notice.lines,
                "text": notice.text,
                "store": notice.store,
                "at": notice.at,
            }
        )
        headers = {"content-type": "application/json", "idempotency-key": notice.key.encode("ascii", "replace").decode()}
        try:
            answer = await self._http.send(Request(method="POST", url=self._url, headers=headers, body=body))
        except CarrierError as error:
            raise Refused(f"target {self._target}: {error}", retry=True) from error
        if answer.status not in _GOOD:
            raise Refused(f"target {self._target} answers HTTP {answer.status}", retry=True)

    async def close(self) -> None:
        """Close the connection."""
        await self._http.close()
