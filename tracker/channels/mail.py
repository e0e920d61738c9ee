"""An outgoing message as a mail: the same for every channel that carries mails."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from urllib.parse import quote

from tracker.channels.base import Refused
from tracker.messages.clean import shorten
from tracker.model import Outgoing

NAME_LIMIT = 64
"""Characters of a display name: longer ones are shop texts, not names."""

_ENDS_A_LINE = frozenset({"Cc", "Zl", "Zp"})
_INVISIBLE = frozenset({"Cc", "Cf"})


def compose(message: Outgoing, now: datetime) -> EmailMessage:
    """Build the mail. `now` (aware) is its Date. Raises `Refused` without retry for what no mail can carry.

    EmailMessage's default policy refuses CR and LF in every header (faults row 25); names lose control and direction characters
    (faults row 24). One recipient, never CC: marketplaces' addresses are aliases of one buyer.
    """
    if message.recipient is None:
        raise Refused("the order has no e-mail address of the buyer", retry=False)
    mail = EmailMessage()
    try:
        mail["From"] = _address(message.sender, None)
        mail["To"] = _address(message.recipient, message.recipient_name)
        mail["Subject"] = _line(message.subject)
        mail["Date"] = format_datetime(now)
        mail["Message-ID"] = _token(message.message_id)
        if message.in_reply_to:
            mail["In-Reply-To"] = _token(message.in_reply_to)
            mail["References"] = message.in_reply_to
        mail["Auto-Submitted"] = "auto-generated"
        for header, value in _unsubscribe(message).items():
            mail[header] = _token(value)
        language = _token(message.language)
    except (ValueError, IndexError, MessageError) as error:  # the last two: headerregistry on half an address
        raise Refused(f"no mail can be made of it: {error}", retry=False) from error
    # Quoted-printable needs no 8BITMIME of any server on the way and stays readable in the file.
    mail.set_content(message.body, subtype="plain", charset="utf-8", cte="quoted-printable")
    mail["Content-Language"] = language  # after set_content, which clears every Content-* header
    return mail


def _unsubscribe(message: Outgoing) -> dict[str, str]:
    """How to get off the list: by mail, and by one click where the shop has a page for it (RFC 8058)."""
    if not message.unsubscribe:
        return {}
    by_mail = f"<mailto:{message.unsubscribe}?subject=unsubscribe%20{quote(message.order, safe='')}>"
    if not message.unsubscribe_url:
        return {"List-Unsubscribe": by_mail}
    return {
        "List-Unsubscribe": f"<{message.unsubscribe_url}>, {by_mail}",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def _line(text: str) -> str:
    """The text of a header: the library lets a line break at the very end pass, and control characters that are none."""
    if any(unicodedata.category(char) in _ENDS_A_LINE for char in text):
        raise ValueError("a line break or a control character in a header")
    return text


def _token(text: str) -> str:
    """What stands in a header as it is: it has no form beyond ASCII, and would fail when the mail is written."""
    if not text.isascii():
        raise ValueError(f"{text!r} is not ASCII")
    return _line(text)


def _address(text: str, name: str | None) -> Address:
    _line(text)
    shown, spec = parseaddr(text)
    if not spec or "@" not in spec:
        raise ValueError(f"{text!r} is not an e-mail address")
    user, _, domain = spec.rpartition("@")
    # Few servers take more than ASCII: a domain has an ASCII form, a user beyond it is refused by Address.
    return Address(display_name=_clean(name or shown), addr_spec=f"{user}@{domain.encode('idna').decode()}")


def _clean(name: str) -> str:
    kept = "".join(char for char in unicodedata.normalize("NFC", name) if unicodedata.category(char) not in _INVISIBLE)
    return shorten(" ".join(kept.split()), NAME_LIMIT)
