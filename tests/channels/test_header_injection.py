"""From an order file's cell to a mail's header: nothing a stranger writes becomes a line of its own (faults rows 24 and 25)."""

from __future__ import annotations

import email
import email.policy
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.channels.conftest import NOW, Handler, Serve, outgoing
from tests.intake.sheets import rules, store
from tracker.channels.base import Refused
from tracker.channels.mail import NAME_LIMIT, compose
from tracker.channels.smtp import SmtpChannel
from tracker.clock import FixedClock
from tracker.config import Smtp
from tracker.intake.errors import FileError
from tracker.intake.loading import load_formats
from tracker.intake.reading import Wish, read_file
from tracker.messages import message_id

FORMATS = load_formats(Path(__file__).parents[2] / "config" / "formats.toml")
SELLER = rules(store("lampshop", "own_shop"))
HEADERS = {
    *("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted", "Content-Language"),
    *("Content-Type", "Content-Transfer-Encoding", "MIME-Version", "List-Unsubscribe", "List-Unsubscribe-Post"),
}
COLUMNS = (
    "order",
    "store",
    "status",
    "buyer",
    "email",
    "country",
    "amount",
    "currency",
    "paid",
    "shipped",
    "tracking",
    "service",
)
CELLS = (
    "1001",
    "lampshop",
    "shipped",
    "Ana",
    "",
    "BR",
    "9.90",
    "USD",
    "2026-02-01 10:00",
    "2026-02-02 10:00",
    "LB000000615CN",
    "",
)

_ODD = '\r\n\t\0\x0b\x0c\x1c\x85\u2028\u2029\u202e\u2066:@<>",;()\\ ab.=?_é你'
_TEXT = st.text(st.one_of(st.sampled_from(_ODD), st.characters()), max_size=40)
_BREAKS = st.sampled_from(["\r\n", "\n", "\r", "\n ", "\x0b", "\x85", "\u2028", "\0", ""])
_LINES = st.builds(lambda a, b, c: f"{a}{b}Bcc: all@x.example{c}", _TEXT, _BREAKS, _TEXT)
_ADDRESSES = st.one_of(
    _TEXT, st.builds(lambda a, b: f"{a}@{b}.example", _TEXT, _TEXT), st.builds(lambda a: f"{a} <x@y.example>", _TEXT)
)
_FIELDS = {
    **dict.fromkeys(("recipient", "sender"), _ADDRESSES),
    **dict.fromkeys(("recipient_name", "subject", "message_id", "in_reply_to", "language", "order"), _TEXT | _LINES),
    **dict.fromkeys(("unsubscribe", "unsubscribe_url"), _ADDRESSES | _LINES),
}
_ONE_FIELD = st.sampled_from(sorted(_FIELDS)).flatmap(lambda name: st.tuples(st.just(name), _FIELDS[name]))


@settings(max_examples=300, deadline=None)
@given(st.lists(_ONE_FIELD, min_size=1, max_size=2).map(dict))
@example({"recipient": "@x.example"})
@example({"subject": "Hello\r"})
@example({"message_id": "<a@läden.example>"})
@example({"language": "pt\nBcc: all@x.example"})
def test_no_header_holds_a_line_break(changes: dict[str, Any]) -> None:
    """Fault 25: whatever stands in a field, a mail has our headers, each once, in ASCII, and one recipient; or there is none."""
    changes.setdefault("unsubscribe", "care@lamps.example")
    try:
        mail = compose(outgoing(**changes), NOW)
    except Refused as refused:
        assert not refused.retry  # noqa: PT017 - no mail is the other good answer
        return
    written = mail.as_bytes()
    head = written.partition(b"\n\n")[0]
    names = [line.partition(b":")[0].decode() for line in head.split(b"\n") if line[:1] not in b" \t"]
    assert set(names) <= HEADERS
    assert len(names) == len(set(names))
    assert all(char == 0x0A or 0x20 <= char < 0x7F or char == 0x09 for char in head)
    read = email.message_from_bytes(written, policy=email.policy.default)
    assert [each.addr_spec for each in read["To"].addresses] == [mail["To"].addresses[0].addr_spec]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(column=st.sampled_from(COLUMNS), cell=_TEXT | _LINES | _ADDRESSES)
def test_what_is_imported_is_one_line(column: str, cell: str, tmp_path: Path) -> None:
    """Faults 24 and 25: every field of an order and a parcel is NFC, without control or direction characters; a mail takes it."""
    path = tmp_path / "orders.csv"
    cells = [cell if name == column else value for name, value in zip(COLUMNS, CELLS, strict=True)]
    lines = (",".join('"' + each.replace('"', '""') + '"' for each in row) for row in (COLUMNS, cells))
    path.write_text("\r\n".join(lines), encoding="utf-8", errors="replace", newline="")
    try:
        batch = read_file(path, formats=FORMATS, rules=SELLER, wish=Wish())
    except FileError:  # a NUL, say, makes it no text at all
        return
    for text in [each for row in (*batch.orders, *batch.shipments) for each in _texts(msgspec.to_builtins(row))]:
        assert {unicodedata.category(char) for char in text} & {"Cc", "Cf", "Cs", "Zl", "Zp"} == set(), text
        assert unicodedata.is_normalized("NFC", text)
    for order in batch.orders:
        told = outgoing(recipient_name=order.buyer_name, order=order.number)
        assert compose(told, NOW).as_bytes().isascii()


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from _texts(each)
        case list() | tuple():
            for each in value:
                yield from _texts(each)


@pytest.mark.parametrize("name", ["🇧🇷" * 60, "e\u0301\u0302" * 60, "👩‍👩‍👧‍👦" * 30, "नि" * 60, "x" * 500])
def test_a_display_name_is_cut_between_characters(name: str) -> None:
    """Fault 24: a flag is two code points; half of one is another letter."""
    shown = compose(outgoing(recipient_name=name), NOW)["To"].addresses[0].display_name
    assert len(shown) <= NAME_LIMIT
    assert shown.endswith("…")
    assert (len(shown) - 1) % 2 == 0 or "🇧" not in shown
    assert not unicodedata.category(shown[-2]).startswith("M") or name.startswith(("e", "न"))


def test_a_shop_with_a_domain_of_its_own_letters_can_write() -> None:
    """Fault 24: the Message-ID has no form beyond ASCII; the mail failed in the middle of its delivery."""
    made = message_id("order/lume/1:stage1:0", "läden.example")
    assert made == message_id("order/lume/1:stage1:0", "xn--lden-loa.example")
    mail = compose(outgoing(message_id=made, sender="Läden <care@läden.example>"), NOW)
    assert mail.as_bytes().isascii()
    assert message_id("a:b:0", "x" * 70 + ".example").endswith("@tracker.invalid>")


@pytest.mark.parametrize("offered", [True, False])
async def test_smtputf8_is_never_needed(serve: Serve, *, offered: bool) -> None:
    """Fault 24: with or without a server that offers SMTPUTF8, what goes over the wire is ASCII and asks for nothing."""
    handler = Handler()
    async with serve(handler, enable_SMTPUTF8=offered, decode_data=False) as port:
        server = Smtp(host="127.0.0.1", port=port, user=None, password=None, tls="none", from_="help@lume.example")
        message = outgoing(recipient_name="张三丰 👩‍👧", recipient="ana@läden.example")
        await SmtpChannel(server, FixedClock(NOW)).deliver(message)
    [envelope] = handler.envelopes
    assert "SMTPUTF8" not in envelope.mail_options
    assert envelope.rcpt_tos == ["ana@xn--lden-loa.example"]
    assert isinstance(envelope.content, bytes)
    assert envelope.content.isascii()


async def test_an_address_that_only_smtputf8_could_carry_is_refused_for_good(serve: Serve) -> None:
    """Fault 24: said before anything is sent; trying again would not help."""
    handler = Handler()
    async with serve(handler, enable_SMTPUTF8=True) as port:
        server = Smtp(host="127.0.0.1", port=port, user=None, password=None, tls="none", from_="help@lume.example")
        with pytest.raises(Refused, match="non-ASCII") as refused:
            await SmtpChannel(server, FixedClock(NOW)).deliver(outgoing(recipient="jörg@buyers.example"))
    assert not refused.value.retry
    assert handler.envelopes == []
