"""The embedded default: a mailbox any mail client opens, and never two files of one row."""

from __future__ import annotations

import email.policy
import mailbox
import os
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.channels.conftest import NOW, outgoing
from tracker.channels.base import Ambiguous, Refused
from tracker.channels.maildir import MaildirChannel
from tracker.clock import FixedClock


def _mails(folder: Path) -> list[EmailMessage]:
    box = mailbox.Maildir(folder, create=False)
    return [email.message_from_bytes(box.get_bytes(key), policy=email.policy.default) for key in sorted(box.keys())]


async def test_a_mail_client_opens_what_was_delivered(tmp_path: Path) -> None:
    box = tmp_path / "mail"
    delivered = await MaildirChannel(box, FixedClock(NOW)).deliver(outgoing())
    [mail] = _mails(box)
    assert (mail["Subject"], mail["Message-ID"]) == ("Seu pedido está a caminho", outgoing().message_id)
    assert mail.get_content() == outgoing().body
    assert (box / "new" / delivered.provider_id).is_file()
    assert list((box / "tmp").iterdir()) == []


@pytest.mark.parametrize("seen", [False, True])
async def test_the_same_row_never_becomes_two_files(tmp_path: Path, seen: bool) -> None:
    """I1: delivered again, before or after a mail client moved it to cur/, there is one file, the first."""
    channel = MaildirChannel(tmp_path, FixedClock(NOW))
    name = (await channel.deliver(outgoing())).provider_id
    if seen:
        (tmp_path / "new" / name).rename(tmp_path / "cur" / f"{name}:2,S")
    assert (await channel.deliver(outgoing(subject="changed"))).provider_id == name
    assert [mail["Subject"] for mail in _mails(tmp_path)] == [outgoing().subject]


async def test_a_left_over_draft_of_a_crash_does_no_harm(tmp_path: Path) -> None:
    channel = MaildirChannel(tmp_path, FixedClock(NOW))
    name = (await MaildirChannel(tmp_path / "other", FixedClock(NOW)).deliver(outgoing())).provider_id
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp" / name).write_text("half a mail")
    await channel.deliver(outgoing())
    assert len(_mails(tmp_path)) == 1
    assert list((tmp_path / "tmp").iterdir()) == []


async def test_two_rows_are_two_files(tmp_path: Path) -> None:
    channel = MaildirChannel(tmp_path, FixedClock(NOW))
    await channel.deliver(outgoing())
    await channel.deliver(outgoing(key="order/lume/8170000000000011:stage2:0"))
    assert len(_mails(tmp_path)) == 2


async def test_a_full_disk_is_a_refusal_that_allows_a_retry(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file stands where the folder belongs")
    with pytest.raises(Refused, match="cannot write the mail file") as refused:
        await MaildirChannel(tmp_path / "mail", FixedClock(NOW)).deliver(outgoing())
    assert refused.value.retry


async def test_a_written_file_that_may_not_last_is_doubtful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The buyer's copy exists but its folder was not synced: only a person can say what a power cut left."""
    real, calls = os.fsync, []

    def second_fails(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 2:
            raise OSError(5, "Input/output error")
        real(handle)

    monkeypatch.setattr(os, "fsync", second_fails)
    with pytest.raises(Ambiguous, match="power cut"):
        await MaildirChannel(tmp_path, FixedClock(NOW)).deliver(outgoing())


@pytest.mark.parametrize("changes", [{"recipient": None}, {"subject": "a\nb"}])
async def test_what_no_mail_can_carry_leaves_no_file(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        await MaildirChannel(tmp_path, FixedClock(NOW)).deliver(outgoing(**changes))
    assert not (tmp_path / "new").exists()
