"""What every mail of the house looks like (facts/messages.md section 7; faults rows 24, 25)."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.channels.conftest import NOW, outgoing
from tracker.channels.base import Refused
from tracker.channels.mail import compose
from tracker.messages import message_id


def _read(mail: EmailMessage) -> EmailMessage:
    read = email.message_from_bytes(mail.as_bytes(), policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    return read


def test_a_mail_survives_the_wire_with_every_header() -> None:
    read = _read(compose(outgoing(in_reply_to="<first@lume.example>"), NOW))
    assert {name: read[name] for name in read} | {"Content-Type": None} == {
        "From": "Lume <help@lume.example>",
        "To": "Ana Kanarie <ana.kanarie@buyers.example>",
        "Subject": "Seu pedido está a caminho",
        "Date": "Sun, 01 Mar 2026 12:30:00 +0000",
        "Message-ID": "<outreach-8170000000000011-stage1-0-0123456789ab@lume.example>",
        "In-Reply-To": "<first@lume.example>",
        "References": "<first@lume.example>",
        "Auto-Submitted": "auto-generated",
        "Content-Language": "pt-BR",
        "Content-Type": None,
        "Content-Transfer-Encoding": "quoted-printable",
        "MIME-Version": "1.0",
    }
    assert read.get_content_type() == "text/plain"
    assert read.get_content() == outgoing().body
    assert compose(outgoing(), NOW).as_bytes().isascii(), "no server on the way needs 8BITMIME or SMTPUTF8"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"recipient": None}, "no e-mail address"),
        ({"recipient": "not an address"}, "not an e-mail address"),
        ({"recipient": "ana.kanarie@buyers.example\nBcc: all@buyer.example"}, "line break"),
        ({"subject": "Hello\r\nBcc: all@buyer.example"}, "no mail can be made"),
        ({"message_id": "<a@b>\nX: y"}, "no mail can be made"),
        ({"sender": ""}, "not an e-mail address"),
    ],
)
def test_what_no_mail_can_carry_is_refused_for_good(changes: dict[str, Any], says: str) -> None:
    """Faults row 25: a header is never injected; trying again would not help."""
    with pytest.raises(Refused, match=says) as refused:
        compose(outgoing(**changes), NOW)
    assert not refused.value.retry


@given(st.text(max_size=200))
def test_no_name_breaks_a_header(name: str) -> None:
    """Faults row 24: whatever a file calls the buyer, the mail can be read and reaches one address."""
    try:
        mail = compose(outgoing(recipient_name=name), NOW)
        written = mail.as_bytes()
    except UnicodeEncodeError:  # pragma: no cover - would be a finding
        pytest.fail("a lone surrogate reached the mail")
    read = email.message_from_bytes(written, policy=email.policy.default)
    assert read["Bcc"] is None
    assert [address.addr_spec for address in read["To"].addresses] == ["ana.kanarie@buyers.example"]


def test_direction_marks_and_controls_leave_the_name() -> None:
    """Faults row 24."""
    read = _read(compose(outgoing(recipient_name="Ana\u202e\x07  Sou\u0301za"), NOW))
    assert read["To"].addresses[0].display_name == "Ana So\u00faza"


@pytest.mark.parametrize("order", ["8170000000000011", "24-11592-03345", "9" * 60, "订单 7"])
def test_a_message_id_stays_on_one_line_of_every_header(order: str) -> None:
    """Not every mail program reads an id that was folded: retries and threads would not be recognised."""
    made = message_id(f"order/lume/{order}:extended:2026-03-01", "lume.example")
    written = compose(outgoing(message_id=made, in_reply_to=made), NOW).as_string()
    assert [line.partition(": ")[0] for line in written.splitlines() if made in line] == [
        "Message-ID",
        "In-Reply-To",
        "References",
    ]


def test_courtesies_say_how_to_get_off_the_list() -> None:
    """R101, R91: review and vip mails carry List-Unsubscribe; a mail about the buyer's own order does not."""
    plain = compose(outgoing(), NOW)
    courtesy = compose(outgoing(unsubscribe="care@lamps.example", order="10/01"), NOW)
    click = compose(outgoing(unsubscribe="care@lamps.example", unsubscribe_url="https://lamps.example/off?o=1", order="1"), NOW)
    assert plain["List-Unsubscribe"] is None
    assert courtesy["List-Unsubscribe"] == "<mailto:care@lamps.example?subject=unsubscribe%2010%2F01>"
    assert courtesy["List-Unsubscribe-Post"] is None
    assert click["List-Unsubscribe"] == "<https://lamps.example/off?o=1>, <mailto:care@lamps.example?subject=unsubscribe%201>"
    assert click["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
