"""The demo tells the truth: every ending of the cast leads to what the rules say, through the real pipeline."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import mailbox
import re
import shlex
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from tracker.cli import main
from tracker.demo.stage import Occupied
from tracker.demo.story import Progress, Tale, Told, tell

pytestmark = pytest.mark.timeout(300)


class Played(NamedTuple):
    """What the command lived through, and what it said on stdout and stderr."""

    told: Told
    out: str
    err: str


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "a story"


@pytest.fixture(scope="module")
def played(folder: Path) -> Played:
    """`tracker demo`, once for all tests."""
    told: list[Told] = []

    async def kept(days: int, into: Path, heard: Progress) -> Told:
        told.append(await tell(days, into, heard))
        return told[0]

    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patched, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patched.setattr("tracker.cli.demo.tell", kept)
        assert main(["demo", "--days", "75", "--dir", str(folder)]) == 0
    return Played(told[0], out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def told(played: Played) -> Told:
    return played.told


def intents(tale: Tale) -> list[str]:
    """What was done for an order, in order, without dates and reasons."""
    return [step.split(": ", 1)[1].split(",")[0].split()[0] for step in tale.steps]


def tale(told: Told, order: str) -> Tale:
    return next(each for each in told.tales if each.order == order)


@pytest.mark.parametrize(
    ("order", "done"),
    [
        ("J-1001", []),
        ("J-1002", ["stage1", "stage2"]),
        ("J-1003", ["stage1", "compensation", "stage2", "refund", "refund_issued", "late_arrival"]),
        ("J-1004", ["compensation", "stage1", "claim_inquiry", "stage2", "refund", "refund_issued"]),
        ("J-1005", ["forwarder_inquiry", "refund", "compensation", "refund_issued"]),
        ("J-1006", ["customs", "stage1", "stage2"]),
        ("J-1007", ["refund", "refund", "refund_issued"]),
        ("J-1008", ["stage1", "refund", "compensation", "lost", "refund_issued"]),
        ("J-1009", ["forwarder_inquiry", "refund", "compensation", "refund_issued"]),
        ("J-1010", ["stage1", "stage2"]),
        ("J-1011", ["stage1"]),
        ("J-1012", ["stage1"]),
        ("8180000000000101", ["stage1", "stage2", "extension", "extended"]),
        ("8180000000000106", ["stage1", "stage2"]),
        ("8180000000000108", ["release_funds"]),
        ("12-04001-10006", ["stage1", "compensation", "stage2", "refund", "lost", "refund_issued"]),
    ],
)
def test_every_ending_leads_to_what_the_rules_say(told: Told, order: str, done: list[str]) -> None:
    """R1-R4, R7, R8, R37, R86: early, late, refunded and arrived, silent, never scanned, customs, returned, lost, not found."""
    assert intents(tale(told, order)) == done


def test_who_opted_out_hears_nothing(told: Told) -> None:
    """D15: outreach stops, what the carrier owes does not."""
    assert not {"stage1", "stage2"} & set(intents(tale(told, "J-1014")))


def test_two_days_of_outage_made_nobody_untrackable(told: Told) -> None:
    """A source that is down, throttled or talking rubbish says nothing about a parcel: each refund has a cause of its own."""
    causes = {"J-1003", "J-1004", "J-1005", "J-1007", "J-1008", "J-1009"}
    causes |= {"8180000000000105", "8180000000000110", "12-04001-10004", "12-04001-10006", "12-04001-10008"}
    assert {each.order for each in told.tales if "refund" in intents(each)} == causes


def test_a_refused_refund_is_not_asked_for_again(told: Told) -> None:
    """D2: a person's no holds until the facts change."""
    assert intents(tale(told, "12-04001-10004")).count("refund") == 1
    assert any("refused" in step for step in tale(told, "12-04001-10004").steps)


def test_each_mail_is_a_real_message_and_nobody_got_one_twice(told: Told) -> None:
    """D12: one message a slot; each opens in a mail client."""
    mails = list(mailbox.Maildir(Path(told.look["messages to buyers"]).parent, create=False))
    identities = [mail["Message-ID"] for mail in mails]
    assert len(mails) == len(set(identities)) == sum(line.count for line in told.summary[0].lines)
    assert all(mail["To"] and mail["Subject"] and mail.get_payload() for mail in mails)


def test_the_register_lists_each_loss_with_its_window(told: Told) -> None:
    """R86: written down at once, with the earliest and the latest day."""
    with Path(told.look["register of claims"]).with_suffix(".csv").open(encoding="utf-8-sig", newline="") as file:
        lines = {line["tracking_no"]: line for line in csv.DictReader(file)}
    lost = lines["LX400100185CN"]
    assert (lost["order_id"], lost["earliest_on"], lost["latest_on"]) == ("J-1008", "2026-05-01", "2026-06-30")
    assert (lost["payable"], lost["payable_currency"]) == ("23.30", "USD")


def test_files_that_come_again_change_nothing(told: Told, folder: Path) -> None:
    """Importing again changes nothing."""
    log = [msgspec.json.decode(line) for line in (folder / "tracker.log").read_bytes().splitlines()]
    again = [line for line in log if line["event"] == "inbox.imported" and line["file"].endswith(("-2.csv", "-2.xlsx"))]
    assert [(line["new"], line["updated"]) for line in again] == [(0, 0)] * 3


def test_a_code_that_nobody_knows_is_said_once(told: Told, folder: Path) -> None:
    """Unknown stays unknown: one warning, and no status is made up."""
    log = [msgspec.json.decode(line) for line in (folder / "tracker.log").read_bytes().splitlines()]
    assert [line["code"] for line in log if line["event"] == "poll.unmapped_code"] == ["Rerouted_Wormhole"]


@pytest.mark.parametrize("order", ["J-1003", "LX400100185CN", "8180000000000103", "12-04001-10004"])
def test_every_order_can_be_explained_afterwards(
    told: Told, folder: Path, order: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", order, "--config", str(folder / "tracker.toml"), "--at", "2026-05-20", "--json"]) == 0
    assert msgspec.json.decode(capsys.readouterr().out)["explanations"][0]["rules"]


def test_the_command_tells_how_far_it_is_what_happened_and_where_to_look(
    played: Played, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Promise 3: off a terminal a line every fifteen days; and the command that it ends with can be copied and answers."""
    assert played.err.splitlines() == [f"day {day} of 75" for day in (15, 30, 45, 60, 75)]
    assert re.match(r"\d+ orders in 32 parcels, 75 days; the carrier was asked \d+ times\.", played.out)
    assert "J-1003  BR  jade-shop: " in played.out
    [why] = re.findall(r"why\? (.*)      \(", played.out)
    called, *words = shlex.split(why)
    assert (Path(called).name, words) == ("tracker", ["explain", "J-1003", "--config", str(folder)])
    assert main(words) == 0
    assert "J-1003" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("--days", "0"), 2, "tell a story of 1 to 400 days"),
        (("--days", "401"), 2, "tell a story of 1 to 400 days"),
        (("--dir", "file/story"), 1, "Not a directory"),
    ],
)
def test_a_story_that_cannot_be_told_is_said(
    words: tuple[str, ...],
    code: int,
    why: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert main(["demo", *words]) == code
    assert why in capsys.readouterr().err


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tax.ods").write_text("mine")
    with pytest.raises(Occupied):
        asyncio.run(tell(1, tmp_path))
    assert main(["demo", "--dir", str(tmp_path)]) == 2
    assert "nothing was touched" in capsys.readouterr().err
    assert (tmp_path / "tax.ods").read_text() == "mine"


def test_an_outage_is_told_once_when_it_begins_and_once_when_it_ends(told: Told, folder: Path) -> None:
    """An operator reads two lines about two days without a source, not one for each attempt."""
    log = [msgspec.json.decode(line) for line in (folder / "tracker.log").read_bytes().splitlines()]
    outage = [line["event"] for line in log if "2026-04-25" <= line["time"][:10] <= "2026-04-27" and line["level"] != "info"]
    assert outage.count("source.down") == 1
    assert outage.count("poll.failed") <= 3
    down = [line for line in log if line["event"] == "source.up"]
    assert any(line["down_seconds"] > 86_400 for line in down)
