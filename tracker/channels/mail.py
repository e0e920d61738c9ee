"""An outgoing message as a mail: the same for every channel that carries mails."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from urllib.parse import quote

from tracker.channels.base import Refused
from tracker.model import Outgoing

NAME_LIMIT = 64
"""Characters of a display name: longer ones are shop texts, not names."""


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
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(now)
        mail["Message-ID"] = message.message_id
        if message.in_reply_to:
            mail["In-Reply-To"] = message.in_reply_to
            mail["References"] = message.in_reply_to
        mail["Auto-Submitted"] = "auto-generated"
        for header, value in _unsubscribe(message).items():
            mail[header] = value
    except (ValueError, IndexError) as error:  # IndexError: headerregistry on an address that ends in the middle
        raise Refused(f"no mail can be made of it: {error}", retry=False) from error
    # Quoted-printable needs no 8BITMIME of any server on the way and stays readable in the file.
    mail.set_content(message.body, subtype="plain", charset="utf-8", cte="quoted-printable")
    mail["Content-Language"] = message.language  # after set_content, which clears every Content-* header
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


def _address(text: str, name: str | None) -> Address:
    if "\r" in text or "\n" in text:
        raise ValueError("a line break in an address")
    shown, spec = parseaddr(text)
    if not spec or "@" not in spec:
        raise ValueError(f"{text!r} is not an e-mail address")
    user, _, domain = spec.rpartition("@")
    # Few servers take more than ASCII: a domain has an ASCII form, a user beyond it is refused by Address.
    return Address(display_name=_clean(name or shown), addr_spec=f"{user}@{domain.encode('idna').decode()}")


def _clean(name: str) -> str:
    kept = "".join(char for char in unicodedata.normalize("NFC", name) if unicodedata.category(char) not in {"Cc", "Cf"})
    return " ".join(kept.split())[:NAME_LIMIT]
