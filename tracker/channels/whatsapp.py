"""WhatsApp Cloud API: an approved template with the facts in its places (facts/messages.md section 7, R25).

A seller may write freely only within 24 hours of the buyer's own message, so every message of ours is a template. An answer of
200 says accepted, no more; its id (`wamid`) is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from carriers.reach import reach_of
from tracker.channels.base import Ambiguous, Delivered, Refused
from tracker.channels.messenger import DEADLINE_SECONDS, Caller, reason_of
from tracker.config import WhatsApp
from tracker.model import Outgoing

_ACCEPTED = 200
_UNAUTHORIZED = 401
_TOO_MANY = 429
_PLAIN = frozenset({_UNAUTHORIZED, _TOO_MANY})
"""Statuses that say no without the API's own code."""

_LATER = frozenset({4, 80007, 130429, 131048, 131056, 133016})
"""Throughput, pair rate and the like: not sent, try again later."""

_TEMPORARY = frozenset({1, 2, 131000, 131016})
"""Something went wrong over there: nobody knows whether before or after the message was taken."""

_OPERATORS = frozenset({0, 3, 10, 190, 131031, 131042, 132001, 132007, 132015, 132016})
"""Token, payment, a template that is missing or paused: a person mends it, the message waits."""

_SHORTEST, _LONGEST = 8, 15
"""Digits of a number with its country code (E.164)."""


class WhatsAppChannel:
    """One business number."""

    def __init__(self, account: WhatsApp, *, total_deadline_s: float = DEADLINE_SECONDS) -> None:
        self._account = account
        reach = reach_of(account.base_url, private=account.allow_private_hosts)
        self._caller = Caller("whatsapp", reach, total_deadline_s=total_deadline_s)

    async def deliver(self, message: Outgoing) -> Delivered:
        """Send one template message. `provider_id` is its `wamid`."""
        body = self._body(message)
        url = f"{self._account.base_url.rstrip('/')}/{self._account.phone_number_id}/messages"
        status, answer = await self._caller.post(url, body, {"authorization": f"Bearer {self._account.token.reveal()}"})
        if status == _ACCEPTED:
            return Delivered(provider_id=_wamid(answer))
        raise _refusal(status, answer)

    async def close(self) -> None:
        """Close the connections."""
        await self._caller.close()

    def _body(self, message: Outgoing) -> dict[str, object]:
        """The request's document. Raises Refused for good where the buyer has no number, or nothing was approved for the type."""
        template = self._account.templates.get(message.template)
        if template is None:
            raise Refused(f"no template was approved for {message.template} ([whatsapp.templates])", retry=False)
        missing = [name for name in template.blanks if not message.blanks.get(name)]
        if missing:
            raise Refused(f"nothing to fill into the template {template.name} for {', '.join(missing)}", retry=False)
        places = [{"type": "text", "text": message.blanks[name]} for name in template.blanks]
        return {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": number_of(message.phone),
            "type": "template",
            "template": {
                "name": template.name,
                "language": {"code": message.language.replace("-", "_")},
                "components": [{"type": "body", "parameters": places}] if places else [],
            },
        }


def number_of(phone: str | None) -> str:
    """The digits with the country code, as the API wants them. Raises Refused for what is no international number."""
    text = "".join(char for char in phone or "" if char.isdigit() or char == "+")
    digits = text.removeprefix("+").removeprefix("00")
    if not (text.startswith(("+", "00")) and _SHORTEST <= len(digits) <= _LONGEST and digits.isdigit()):
        raise Refused("the order has no telephone number with its country code", retry=False)
    return digits


def _wamid(answer: Mapping[str, Any]) -> str:
    """Accepted without an id is accepted all the same, but nobody can ask about it later."""
    messages = answer.get("messages")
    first = messages[0] if isinstance(messages, list) and messages else {}
    found = first.get("id") if isinstance(first, dict) else None
    if not isinstance(found, str):
        raise Ambiguous("whatsapp answers 200 without the message's id")
    return found


def _refusal(status: int, answer: Mapping[str, Any]) -> Refused | Ambiguous:
    error = answer.get("error")
    error = error if isinstance(error, dict) else {}
    code = error.get("code")
    said = f"whatsapp answers {status}, {code}: {reason_of(error.get('message'))}"
    if code in _TEMPORARY or (code is None and status not in _PLAIN):
        # An answer without the API's own word may be any proxy's: it says nothing about the message.
        return Ambiguous(said)
    later = status in {_TOO_MANY, _UNAUTHORIZED} or code in _LATER or code in _OPERATORS
    return Refused(said, retry=later)
