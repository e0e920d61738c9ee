"""Telegram: a bot writes into a chat that the buyer has opened; it can start none (facts/messages.md section 7, R25)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from carriers.reach import reach_of
from tracker.channels.base import Ambiguous, Delivered, Refused
from tracker.channels.messenger import DEADLINE_SECONDS, Caller, reason_of
from tracker.config import Telegram
from tracker.model import Outgoing

_LATER = frozenset({401, 404, 429})
"""Too fast, or a token that the operator mends: the message waits. A wrong token answers 401 or 404."""

_MOST = 4096


class TelegramChannel:
    """One bot."""

    def __init__(self, bot: Telegram, *, total_deadline_s: float = DEADLINE_SECONDS) -> None:
        self._bot = bot
        reach = reach_of(bot.base_url, private=bot.allow_private_hosts)
        self._caller = Caller("telegram", reach, total_deadline_s=total_deadline_s)

    async def deliver(self, message: Outgoing) -> Delivered:
        """Send one text. `provider_id` is the message's id in the buyer's chat; whose chat that is stays with the order."""
        if message.chat is None:
            raise Refused("the buyer has opened no chat with the bot, and a bot can start none", retry=False)
        text = f"{message.subject}\n\n{message.body}".strip()
        if len(text) > _MOST:
            raise Refused(f"the text has {len(text)} characters, Telegram takes {_MOST}", retry=False)
        url = f"{self._bot.base_url.rstrip('/')}/bot{self._bot.token.reveal()}/sendMessage"
        body = {"chat_id": message.chat, "text": text, "link_preview_options": {"is_disabled": True}}
        status, answer = await self._caller.post(url, body)
        if answer.get("ok") is True:
            return Delivered(provider_id=str(_message_id(answer)))
        raise _refusal(status, answer)

    async def close(self) -> None:
        """Close the connections."""
        await self._caller.close()


def _message_id(answer: Mapping[str, Any]) -> int:
    result = answer.get("result")
    found = result.get("message_id") if isinstance(result, dict) else None
    if not isinstance(found, int):
        raise Ambiguous("telegram answers ok without the message's id")
    return found


def _refusal(status: int, answer: Mapping[str, Any]) -> Refused | Ambiguous:
    if answer.get("ok") is not False:
        return Ambiguous(f"telegram answers {status} with a body that means nothing")
    code = answer.get("error_code", status)
    return Refused(f"telegram answers {code}: {reason_of(answer.get('description'))}", retry=code in _LATER)
