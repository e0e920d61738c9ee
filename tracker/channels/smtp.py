"""Mail over SMTP. What the server answered decides: refused for now, refused for good, or nobody knows (faults rows 18, 19)."""

from __future__ import annotations

import contextlib
import ssl
from email.message import EmailMessage

import aiosmtplib
from aiosmtplib.email import flatten_message

from tracker.channels.base import Ambiguous, Delivered, Refused
from tracker.channels.mail import compose
from tracker.clock import Clock
from tracker.config import Smtp
from tracker.model import Outgoing

COMMAND_SECONDS = 60.0
"""Longest wait for the answer to a command before DATA: giving up there is safe."""

DATA_SECONDS = 600.0
"""Longest wait after the final dot: RFC 5321 asks for ten minutes, because giving up there is what makes duplicates."""

GOODBYE_SECONDS = 2.0

_TEMPORARY = range(400, 500)
_PERMANENT = range(500, 600)


class SmtpChannel:
    """One server. A connection a message: at 60 messages an hour a kept one would be stale each time."""

    def __init__(
        self,
        server: Smtp,
        clock: Clock,
        *,
        context: ssl.SSLContext | None = None,
        command_seconds: float = COMMAND_SECONDS,
        data_seconds: float = DATA_SECONDS,
    ) -> None:
        self._server = server
        self._clock = clock
        self._context = context
        self._command_seconds = command_seconds
        self._data_seconds = data_seconds

    async def deliver(self, message: Outgoing) -> Delivered:
        """Hand the mail to the server. `provider_id` is its answer to the last dot, which usually names a queue id."""
        mail = compose(message, self._clock.now())
        client = self._client()
        try:
            await self._open(client)
            await self._envelope(client, _plain(mail, "From"), _plain(mail, "To"))
            return Delivered(provider_id=await self._data(client, flatten_message(mail)))
        finally:
            # The message is settled by now: how the goodbye goes changes nothing, and it is not waited for.
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=GOODBYE_SECONDS)
            client.close()

    async def probe(self) -> None:
        """Connect, log in and leave: no message. Raises Refused with what is wrong."""
        client = self._client()
        try:
            await self._open(client)
        finally:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=GOODBYE_SECONDS)
            client.close()

    def _client(self) -> aiosmtplib.SMTP:
        server = self._server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.tls == "tls",
            start_tls=server.tls == "starttls",
            tls_context=self._context,
            timeout=self._command_seconds,
        )

    async def _open(self, client: aiosmtplib.SMTP) -> None:
        server = self._server
        where = f"{server.host}:{server.port}"
        try:
            await client.connect()
            if server.user:
                await client.login(server.user, server.password.reveal() if server.password else "")
        except aiosmtplib.SMTPAuthenticationError as error:
            # A wrong password is the operator's to mend; the messages must not be lost over it.
            raise Refused(f"{where} does not accept the user and password: {_said(error)}", retry=True) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Refused(f"cannot reach the mail server {where}: {error}", retry=True) from error

    async def _envelope(self, client: aiosmtplib.SMTP, sender: str, recipient: str) -> None:
        try:
            await client.mail(sender)
            await client.rcpt(recipient)
        except aiosmtplib.SMTPResponseException as error:
            raise Refused(_said(error), retry=error.code not in _PERMANENT) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Refused(f"the mail server went away before the message: {error}", retry=True) from error

    async def _data(self, client: aiosmtplib.SMTP, wire: bytes) -> str:
        try:
            answer = await client.data(wire, timeout=self._data_seconds)
        except aiosmtplib.SMTPDataError as error:
            if error.code in _TEMPORARY or error.code in _PERMANENT:
                raise Refused(_said(error), retry=error.code in _TEMPORARY) from error
            raise Ambiguous(f"the mail server gave an answer that means nothing: {_said(error)}") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Ambiguous(f"no answer after the message was handed over: {error}") from error
        return answer.message


def _plain(mail: EmailMessage, header: str) -> str:
    """The one address of a header, as the envelope wants it."""
    address: str = mail[header].addresses[0].addr_spec
    return address


def _said(error: aiosmtplib.SMTPResponseException) -> str:
    return f"{error.code} {error.message}".replace("\n", " ")
