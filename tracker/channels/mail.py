"""An outgoing message as a mail: the same for every channel that carries mails."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from tracker.channels.base import Refused
from tracker.model import Outgoing

NAME_LIMIT = 64
"""Characters of a display name: longer ones are shop texts, not names."""

ID_LIMIT = 78 - len("In-Reply-To: ")
"""Characters of a Message-ID that still fit on the line of every header that repeats it."""

_UNSAFE = re.compile(r"[^A-Za-z0-9-]+")


def message_id(key: str, sender: str) -> str:
    """Message-ID of a dedup key: the same for ever, so that a retry is recognised (facts/messages.md section 7).

    `<outreach-{order}-{slot}-{occasion}-{fingerprint}@domain>`. The fingerprint keeps two stores with one order number apart; the
    readable part is cut so that the header stays one line, because not every mail program reads a folded id.
    """
    subject, _, rest = key.partition(":")
    fingerprint = hashlib.sha256(key.encode()).hexdigest()[:12]
    domain = parseaddr(sender)[1].rpartition("@")[2] or "tracker.invalid"
    room = max(ID_LIMIT - len(f"<outreach--{fingerprint}@{domain}>"), 0)
    readable = _UNSAFE.sub("-", f"{subject.rsplit('/', 1)[-1]}-{rest}").strip("-")[:room].rstrip("-")
    return f"<outreach-{readable}-{fingerprint}@{domain}>"


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
    except (ValueError, IndexError) as error:  # IndexError: headerregistry on an address that ends in the middle
        raise Refused(f"no mail can be made of it: {error}", retry=False) from error
    # Quoted-printable needs no 8BITMIME of any server on the way and stays readable in the file.
    mail.set_content(message.body, subtype="plain", charset="utf-8", cte="quoted-printable")
    mail["Content-Language"] = message.language  # after set_content, which clears every Content-* header
    return mail


def _address(text: str, name: str | None) -> Address:
    if "\r" in text or "\n" in text:
        raise ValueError("a line break in an address")
    shown, spec = parseaddr(text)
    if not spec or "@" not in spec:
        raise ValueError(f"{text!r} is not an e-mail address")
    return Address(display_name=_clean(name or shown), addr_spec=spec)


def _clean(name: str) -> str:
    kept = "".join(char for char in unicodedata.normalize("NFC", name) if unicodedata.category(char) not in {"Cc", "Cf"})
    return " ".join(kept.split())[:NAME_LIMIT]
