"""Mail to operators, through the same server as the buyers' mail."""

from __future__ import annotations

from email.utils import parseaddr

from tracker.channels.base import Ambiguous, Refused
from tracker.channels.notice import Notice
from tracker.channels.smtp import SmtpChannel
from tracker.messages import message_id
from tracker.model import Outgoing


class MailSink:
    """One address."""

    def __init__(self, channel: SmtpChannel, *, sender: str, address: str) -> None:
        self._channel = channel
        self._sender = sender
        self._address = address

    async def tell(self, notice: Notice) -> None:
        """Send it. Raises Refused; an answer that means nothing counts as refused: operators may hear a thing twice."""
        domain = parseaddr(self._sender)[1].partition("@")[2] or "tracker.invalid"
        mail = Outgoing(
            key=notice.key,
            message_id=message_id(f"{notice.key}/{self._address}", domain),
            sender=self._sender,
            recipient=self._address,
            recipient_name=None,
            subject=notice.title,
            body="\n".join(notice.lines) + "\n",
            language=notice.language,
            store=notice.store or "",
            order="",
        )
        try:
            await self._channel.deliver(mail)
        except Ambiguous as error:
            raise Refused(error.reason, retry=True) from error

    async def close(self) -> None:
        """A connection a message: nothing is held open."""
