"""Over a hundred services (WeCom, DingTalk, Feishu, Telegram ...) through the library apprise, the extra `alerts`."""

from __future__ import annotations

import asyncio

from tracker.channels.base import Refused
from tracker.channels.notice import Notice

_DEADLINE_SECONDS = 60.0


class AppriseSink:
    """One apprise URL. The library is synchronous: it works in a thread."""

    def __init__(self, target: str, url: str) -> None:
        """`target` is its id in the configuration: its URL holds a secret and is never told. Raises Refused."""
        try:
            from apprise import Apprise
        except ImportError:
            raise Refused(f"target {target} wants the extra `alerts`: pip install '.[alerts]'", retry=True) from None
        self._target = target
        self._library = Apprise()
        if not self._library.add(url):
            raise Refused(f"target {target}: apprise does not understand its url", retry=True)

    async def tell(self, notice: Notice) -> None:
        """Hand it over. Raises Refused."""
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                taken = await asyncio.to_thread(self._library.notify, body="\n".join(notice.lines), title=notice.title)
        except TimeoutError:
            raise Refused(f"target {self._target} gave no answer within {_DEADLINE_SECONDS:g} s", retry=True) from None
        if not taken:
            raise Refused(f"target {self._target} did not take it", retry=True)

    async def close(self) -> None:
        """Nothing is held open."""
