"""SMTP against a real server on loopback: what it answers decides what becomes of the row (faults rows 18, 19)."""

from __future__ import annotations

import email.policy
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult

from tests.channels.conftest import NOW, Handler, Serve, outgoing
from tracker.channels.base import Ambiguous, Refused
from tracker.channels.smtp import SmtpChannel
from tracker.clock import FixedClock
from tracker.config import Secret, Smtp


def _channel(port: int, **changes: Any) -> SmtpChannel:
    values: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "user": None,
        "password": None,
        "tls": "none",
        "from_": "help@lume.example",
    }
    context = changes.pop("context", None)
    return SmtpChannel(Smtp(**(values | changes)), FixedClock(NOW), context=context, command_seconds=2.0, data_seconds=0.3)


async def test_the_server_gets_one_mail_for_one_recipient(serve: Serve) -> None:
    handler = Handler()
    async with serve(handler) as port:
        delivered = await _channel(port).deliver(outgoing())
    [envelope] = handler.envelopes
    assert "4711" in delivered.provider_id
    assert (envelope.mail_from, envelope.rcpt_tos) == ("help@lume.example", ["ana.kanarie@buyers.example"])
    mail = email.message_from_bytes(envelope.original_content or b"", policy=email.policy.default)
    assert mail["Message-ID"] == outgoing().message_id
    assert mail["Date"].datetime == NOW
    assert mail.get_content().splitlines() == outgoing().body.splitlines(), "a line with one dot does not end the mail"


@pytest.mark.parametrize(
    ("rcpt", "data", "retry"),
    [
        (("451 4.7.1 greylisted, try later",), (), True),
        (("550 5.1.1 no such user",), (), False),
        ((), ("451 4.3.0 try later",), True),
        ((), ("452 4.3.1 no space",), True),
        ((), ("552 5.3.4 too big",), False),
        ((), ("554 5.7.1 content refused",), False),
    ],
)
async def test_a_definite_refusal_says_whether_to_try_again(
    serve: Serve, rcpt: tuple[str, ...], data: tuple[str, ...], retry: bool
) -> None:
    """Faults row 18: 4xx comes back later, 5xx is over; the server's own words are the reason."""
    handler = Handler(rcpt, data)
    async with serve(handler) as port:
        with pytest.raises(Refused) as refused:
            await _channel(port).deliver(outgoing())
    assert refused.value.retry is retry
    assert refused.value.reason == (rcpt + data)[0]
    assert handler.envelopes == []


async def test_greylisting_lets_the_second_attempt_in_with_the_same_message_id(serve: Serve) -> None:
    """Faults row 18: 451 once, then accepted: one mail, the Message-ID of the first attempt."""
    handler = Handler(rcpt=("451 4.7.1 greylisted",))
    async with serve(handler) as port:
        with pytest.raises(Refused):
            await _channel(port).deliver(outgoing())
        await _channel(port).deliver(outgoing())
    [envelope] = handler.envelopes
    assert outgoing().message_id.encode() in (envelope.content or b"")


@pytest.mark.parametrize("handler", [Handler(hang=True), Handler(drop="before 250")], ids=["hang", "drop"])
async def test_silence_after_the_data_is_doubtful(serve: Serve, handler: Handler) -> None:
    """Faults row 18, RFC 1047: the server may have taken it, so nobody sends it again by himself."""
    async with serve(handler) as port:
        with pytest.raises(Ambiguous, match="handed over"):
            await _channel(port).deliver(outgoing())


async def test_a_drop_after_the_250_is_delivered(serve: Serve) -> None:
    async with serve(Handler(drop="after 250")) as port:
        assert "4711" in (await _channel(port).deliver(outgoing())).provider_id


async def test_nobody_there_is_a_refusal_that_allows_a_retry() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Refused, match=r"cannot reach the mail server 127\.0\.0\.1") as refused:
            await _channel(taken.getsockname()[1]).deliver(outgoing())
    assert refused.value.retry


async def test_a_server_that_does_not_greet_is_a_refusal_that_allows_a_retry() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        channel = SmtpChannel(
            Smtp(host="127.0.0.1", port=silent.getsockname()[1], user=None, password=None, tls="none", from_="help@lume.example"),
            FixedClock(NOW),
            command_seconds=0.2,
        )
        with pytest.raises(Refused) as refused:
            await channel.deliver(outgoing())
    assert refused.value.retry


async def test_the_envelope_is_ascii_even_for_a_domain_beyond_it(serve: Serve) -> None:
    """Faults row 24: no server needs SMTPUTF8 for us; a user beyond ASCII is refused for good before any connection."""
    handler = Handler()
    async with serve(handler) as port:
        await _channel(port).deliver(outgoing(recipient="ana@ação.example"))
        with pytest.raises(Refused, match="non-ASCII") as refused:
            await _channel(port).deliver(outgoing(recipient="ação@buyer.example"))
    assert not refused.value.retry
    assert [envelope.rcpt_tos for envelope in handler.envelopes] == [["ana@xn--ao-siap.example"]]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and self-signed certificate of 127.0.0.1, made for this run."""
    made = tmp_path_factory.mktemp("tls") / "loopback.pem"
    request = [
        "-subj",
        "/CN=127.0.0.1",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        str(made),
        "-out",
        str(made) + ".crt",
    ]
    try:
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *request]
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("needs openssl for a certificate")
    made.write_text(made.read_text() + Path(f"{made}.crt").read_text())
    return made


@pytest.mark.parametrize("tls", ["tls", "starttls"])
async def test_the_password_goes_over_tls_only(serve: Serve, certificate: Path, tls: str) -> None:
    """Both TLS modes, with the certificate checked, and a login."""
    ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ours.load_cert_chain(certificate)
    seen: list[Any] = []

    def login(_server: Any, _session: Any, _envelope: Any, mechanism: str, data: Any) -> AuthResult:
        seen.append((data.login, data.password))
        return AuthResult(success=data.password == b"kanarie-right", handled=False)

    options: dict[str, Any] = {"authenticator": login, "auth_required": True}
    options |= {"tls": ours, "auth_require_tls": False} if tls == "tls" else {"tls_context": ours, "require_starttls": True}
    trusted = ssl.create_default_context(cafile=str(certificate))
    handler = Handler()
    async with serve(handler, **options) as port:
        account = {"tls": tls, "user": "shop", "context": trusted}
        await _channel(port, **account, password=Secret("kanarie-right")).deliver(outgoing())
        with pytest.raises(Refused, match="does not accept the user and password") as refused:
            await _channel(port, **account, password=Secret("kanarie-wrong")).deliver(outgoing())
        assert refused.value.retry, "a wrong password is mended by the operator; no message is lost over it"
        assert "kanarie" not in refused.value.reason
        with pytest.raises(Refused, match="cannot reach"):
            await _channel(port, **(account | {"context": None})).deliver(outgoing())
    assert set(seen) == {(b"shop", b"kanarie-right"), (b"shop", b"kanarie-wrong")}
    assert len(handler.envelopes) == 1


async def test_starttls_is_not_given_up_where_the_server_has_none(serve: Serve) -> None:
    handler = Handler()
    async with serve(handler) as port:
        with pytest.raises(Refused, match="cannot reach"):
            await _channel(port, tls="starttls").deliver(outgoing())
    assert handler.envelopes == []
