"""The brake and the holds through the command line: a week's pause becomes a ramp, a raised mode lets go (D21, D22)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Shop
from tests.cli.shell import Said, Shell
from tests.desk.world import NOW, World
from tracker.clock import FixedClock
from tracker.model import ActionKind, Case, CaseKind, DecisionReason, HoldReason, Intent
from tracker.store import open_store

STORE = """\
platform = "own_shop"
name = "Lume"
names = ["lume"]
zone = "Asia/Shanghai"
currency = "USD"
mode = "{mode}"
channel = "maildir"
sender = "Lume <care@lume.example>"
"""
HEAD = "order,store,status,buyer,email,country,amount,currency,paid,shipped,tracking,service\n"
ORDER = (
    "L-{n},lume,shipped,Ana Kanarie,kanarie{n}@buyer.example,{country},19.90,USD,"
    "2026-03-01 10:00:00,2026-03-02 10:00:00,LB{n:09}CN,挂号小包\n"
)
SCANS = "运单号,扫描时间,事件代码,描述,地点,时区\n"
SCAN = "LB{n:09}CN,2026-03-03 09:30,EMA,收寄,深圳,+08:00\nLB{n:09}CN,2026-03-28 09:30,EMC,离开处理中心,上海,+08:00\n"

DUE = datetime(2026, 4, 2, 1, 30, tzinfo=UTC)
"""Stage 1 of all of them: thirty days after the first scan."""

DAY = timedelta(days=1)


class Street:
    """A rehearsal of one shop with many parcels of one day, all silent, seen through the command line."""

    def __init__(self, folder: Path, shell: Shell) -> None:
        self.folder, self.shell = folder, shell

    def mode(self, mode: str) -> None:
        (self.folder / "stores" / "lume.toml").write_text(STORE.format(mode=mode), encoding="utf-8")

    def say(self, *words: str | int, at: datetime) -> Said:
        return self.shell(*words, "--at", at.isoformat())

    def json(self, *words: str | int, at: datetime) -> dict[str, Any]:
        return self.shell.json(*words, "--at", at.isoformat())

    def day(self, at: datetime) -> int:
        """One pass; how many mails it wrote."""
        before = self.mails
        assert self.say("run", "--once", "--json", at=at).code == 0
        return self.mails - before

    @property
    def mails(self) -> int:
        return len(list((self.folder / "mailbox" / "new").glob("*")))

    def count(self, state: str) -> int:
        return len(self.shell.json("outbox", "list", "--state", state, "--limit", "1000")["outbox"])


@pytest.fixture
def street(tmp_path: Path, shell: Shell) -> Callable[..., Street]:
    def made(count: int, mode: str = "live", country: str = "BR") -> Street:
        folder = tmp_path / "rehearsal"
        assert shell("init", folder, "--rehearsal", "--at", "2026-03-01").code == 0
        for spare in (folder / "stores").glob("*.toml"):
            spare.unlink()
        street = Street(folder, shell)
        street.mode(mode)
        orders = HEAD + "".join(ORDER.format(n=n, country=country) for n in range(1, count + 1))
        (folder / "orders.csv").write_text(orders, encoding="utf-8")
        (folder / "scans" / "all.csv").write_text(
            SCANS + "".join(SCAN.format(n=n) for n in range(1, count + 1)), encoding="utf-8"
        )
        shell.config = folder / "tracker.toml"
        shell.json("import", folder / "orders.csv", "--at", "2026-03-04")
        assert street.day(datetime(2026, 3, 29, tzinfo=UTC)) == 0
        return street

    return made


@pytest.mark.parametrize("file", ["stores/lume.toml", "destinations.toml"])
def test_everything_can_be_stopped_while_a_file_is_broken(file: str, street: Callable[..., Street]) -> None:
    """Faults row 20, D21: whoever has just mistyped a key has the more reason to stop; a daemon goes on with the rules it has."""
    shop = street(2)
    with (shop.folder / file).open("a", encoding="utf-8") as broken:
        broken.write("\nmod = 1\n")
    refused = shop.say("pause", "--store", "lume", "--reason", "looking", "--by", "Mei", at=DUE - DAY)
    assert (refused.code, "mod: unknown key" in refused.err) == (2, True)
    said = shop.say("pause", "--all", "--reason", "looking", "--by", "Mei", at=DUE - DAY)
    assert (said.code, "This command goes on without it" in said.err, "mod: unknown key" in said.err) == (0, True, True)
    (shop.folder / file).write_text((shop.folder / file).read_text(encoding="utf-8").replace("\nmod = 1\n", ""), encoding="utf-8")
    assert shop.day(DUE) == 0
    [stands] = shop.json("pause", at=DUE)["pauses"]
    assert (stands["scope"], stands["waiting"]) == ("everything", 2)


def test_d21_three_hundred_rows_paused_for_a_week_go_out_at_a_tenth_a_day(street: Callable[..., Street]) -> None:
    """Nothing while it is paused; then a tenth of what is left a day; who waits for an answer gets it all the while."""
    shop = street(300)
    pulled = shop.json("pause", "--store", "lume", "--reason", "new wording", "--by", "Mei", at=DUE - 2 * DAY)
    assert (pulled["pause"]["scope"], pulled["stopped"]) == ("store lume", [])
    assert shop.say("order", "set", "L-300", "--waiting-since", "2026-04-03", "--by", "Mei", at=DUE + DAY).code == 0
    for day in (0.5, 2.5, 7):
        assert shop.day(DUE + day * DAY) == 0
    [task] = shop.shell.json("tasks", "list")["tasks"]
    assert task["kind"] == "buyer_waiting", "what people have to do goes on"

    [stands] = shop.json("pause", at=DUE + 7 * DAY)["pauses"]
    assert (stands["waiting"], stands["by"], stands["until"]) == (299, "Mei", None)
    waits = next(row["result"] for row in shop.shell.json("outbox", "list", "--state", "pending")["outbox"])
    assert waits == "paused: by Mei, until somebody resumes: new wording (tracker resume 1)"

    resumed = DUE + 7.1 * DAY
    look = shop.json("resume", "--store", "lume", "--dry-run", at=resumed)
    assert look["outlook"]["groups"] == [{"store": "lume", "what": "stage1", "channel": "maildir", "count": 299}]
    assert look["outlook"]["lines"] == [{"store": "lume", "backlog": 299, "today": 30, "days": 14}]
    assert look["outlook"]["orders"] == {"USD": "5950.10"}
    assert shop.day(resumed) == 0, "a dry run ends nothing"

    assert shop.json("resume", "--store", "lume", "--by", "Mei", at=resumed)["outlook"] == look["outlook"]
    assert shop.json("pause", at=resumed)["pauses"] == []
    assert [shop.day(resumed + day * DAY) for day in (0, 0.05, 1, 2, 3)] == [30, 0, 27, 25, 22]
    assert shop.count("held") == 0, "a ramp hands no text to people"


def test_a_pause_ends_by_itself_and_its_rows_are_a_ramp_too(street: Callable[..., Street]) -> None:
    """D21: the daemon marks what has become late when `until` passes."""
    shop = street(25)
    until = DUE + 3 * DAY
    pause = ("pause", "--country", "br", "--template", "stage1", "--reason", "flood", "--by", "Mei", "--until", until.isoformat())
    assert shop.json(*pause, at=DUE - DAY)["pause"]["country"] == "BR"
    assert [shop.day(DUE + day * DAY) for day in (0.1, 1, 2.9)] == [0, 0, 0]
    said = shop.say("run", "--once", at=until)
    assert (shop.mails, "pause.ended" in said.err) == (20, True)
    assert [shop.day(until + day * DAY) for day in (0.5, 1)] == [0, 5]
    assert shop.json("pause", at=until)["pauses"] == []


def test_what_arrived_meanwhile_and_what_another_pause_stops_does_not_go_out(street: Callable[..., Street]) -> None:
    shop = street(3)
    for named in (("--store", "lume"), ("--carrier", "china_post"), ("--rule", "br-standard")):
        shop.json("pause", *named, "--reason", "r", "--by", "Mei", at=DUE - DAY)
    assert shop.day(DUE) == 0
    assert shop.json("resume", 1, "--by", "Mei", at=DUE)["outlook"]["rows"] == 0
    assert shop.day(DUE + DAY) == 0
    assert shop.say("order", "set", "L-1", "--received", "2026-04-03", "--by", "Mei", at=DUE + 2 * DAY).code == 0
    ended = shop.json("resume", "--all", "--by", "Mei", at=DUE + 2 * DAY)["ended"]
    assert [pause["scope"] for pause in ended] in (
        ["carrier china_post", "rule br-standard"],
        ["carrier china_post", "rule br-standard", "store lume"],
    )
    assert shop.day(DUE + 2 * DAY) == 2
    assert shop.count("cancelled") == 1


def test_d22_a_raised_mode_lets_go_what_waited_for_it(street: Callable[..., Street]) -> None:
    """D21, D22: nothing bursts out: as a ramp while the texts are fresh."""
    shop = street(25, "observe")
    assert shop.day(DUE + 0.1 * DAY) == 0
    assert {row["hold"] for row in shop.shell.json("hold", "list")["holds"]} == {"store_observes"}
    shop.mode("live")
    said = shop.say("run", "--once", at=DUE + 2 * DAY)
    assert (shop.mails, "hold.mode_raised" in said.err, "store.mode" in said.err) == (20, True, True)
    assert shop.day(DUE + 3 * DAY) == 5


def test_d22_what_waited_for_days_comes_before_a_person_and_then_goes_as_a_ramp(street: Callable[..., Street]) -> None:
    shop = street(25, "observe")
    shop.day(DUE + 0.1 * DAY)
    shop.mode("live")
    late = DUE + 6 * DAY
    assert shop.day(late) == 0
    held = shop.shell.json("hold", "list", "--reason", "stale_stage", "--store", "lume")
    assert held["groups"] == [{"hold": "stale_stage", "store": "lume", "count": 25}]
    bulk = ("hold", "release", "--all", "--reason", "stale_stage", "--store", "lume", "--by", "Mei")
    tried = shop.json(*bulk, "--dry-run", at=late)
    assert (tried["released"], tried["ramp"]) == (0, [{"store": "lume", "backlog": 25, "today": 20, "days": 2}])
    assert shop.count("held") == 25
    assert shop.json(*bulk, "--note", "texts read", at=late)["released"] == 25
    assert [shop.day(late + day * DAY) for day in (0.1, 1)] == [20, 5]


def test_d22_a_store_that_may_ask_brings_them_into_the_review(street: Callable[..., Street]) -> None:
    shop = street(2, "observe")
    shop.day(DUE + 0.1 * DAY)
    shop.mode("approve")
    assert shop.day(DUE + 8 * DAY) == 0
    assert [row["hold"] for row in shop.shell.json("review", "list")["reviews"]] == ["message_needs_approval"] * 2
    assert shop.shell.json("hold", "list")["holds"] == []


def test_deadlines_go_on_and_a_pause_that_stops_them_says_which(street: Callable[..., Street]) -> None:
    shop = street(1)
    url = f"sqlite:///{shop.folder / 'tracker.db'}"

    async def case() -> None:
        store = await open_store(url, clock=FixedClock(DUE))
        await store.save_case(1, Case(id="INR-1", kind=CaseKind.INQUIRY, opened_at=DUE, due_at=DUE + 3 * DAY), DUE)
        await store.close()

    asyncio.run(case())
    said = shop.say("pause", "--store", "lume", "--reason", "r", "--by", "Mei", at=DUE)
    assert "go on" in said.out
    assert "--deadlines-too" in said.out
    until = (DUE + 5 * DAY).isoformat()
    every = ("pause", "--all", "--deadlines-too", "--reason", "moving house", "--by", "Mei", "--until", until)
    assert "Careful" in shop.say(*every, at=DUE).out
    told = shop.json(*every, at=DUE)
    assert [(each["kind"], each["subject"]) for each in told["deadlines"]] == [("case", "L-1")]
    other = shop.json(*every[:1], "--channel", "smtp", *every[2:], at=DUE)
    assert other["deadlines"] == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--reason", "r"), "say what stands still"),
        (("--all",), "needs a reason"),
        (("--all", "--store", "lume", "--reason", "r"), "leave out --store"),
        (("--store", "lumee", "--reason", "r"), "did you mean lume?"),
        (("--template", "stage_1", "--reason", "r"), "did you mean stage1?"),
        (("--carrier", "yanwn", "--reason", "r"), "did you mean yanwen?"),
        (("--rule", "br-standrd", "--reason", "r"), "did you mean br-standard?"),
        (("--channel", "fax", "--reason", "r"), "there are: maildir, marketplace, register, smtp, task, telegram, whatsapp"),
        (("--country", "XQ", "--reason", "r"), "--country: 'XQ' is not known"),
        (("--all", "--reason", "r", "--until", "2026-03-01"), "has passed"),
    ],
)
def test_what_cannot_be_paused_is_said(words: tuple[str, ...], message: str, shop: Shop, shell: Shell) -> None:
    said = shell("pause", *words, "--by", "Mei", "--at", "2026-03-02")
    assert (said.code, said.out) == (2, "")
    assert message in said.err
    assert shell.json("pause")["pauses"] == []


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("resume",), 2, "by number"),
        (("resume", "1", "--all"), 2, "by number"),
        (("resume", "7"), 1, "no pause 7 stands"),
        (("resume", "--store", "lume"), 1, "no pause that names --store lume stands"),
        (("hold", "release"), 2, "name ids"),
        (("hold", "release", "3", "--all"), 2, "name ids"),
        (("hold", "release", "3", "--dry-run"), 2, "belongs to --all"),
        (("hold", "release", "--reason", "stale"), 2, "did you mean stale_stage?"),
        (("hold", "release", "--reason", "money_needs_approval"), 2, "tracker review list"),
        (("hold", "list", "--store", "lumee"), 2, "did you mean lume?"),
    ],
)
def test_what_cannot_be_let_go_is_said(words: tuple[str, ...], code: int, message: str, shop: Shop, shell: Shell) -> None:
    by = () if words[:2] == ("hold", "list") else ("--by", "Mei")
    said = shell(*words, *by, "--at", "2026-03-02")
    assert (said.code, message in said.err) == (code, True), said


def test_the_time_guards_hold_is_confirmed_even_where_nothing_waits(shop: Shop, shell: Shell) -> None:
    """Faults row 13: outreach waits until a person confirms."""
    url = f"sqlite:///{shop.folder / 'tracker.db'}"

    async def distrust() -> None:
        store = await open_store(url, clock=FixedClock(DUE))
        await store.distrust_clock(DUE)
        await store.close()

    asyncio.run(distrust())
    assert shell.json("hold", "list")["clock_distrusted_since"] == "2026-04-02T01:30:00Z"
    assert "time_guard" in shell("hold", "list").out
    done = shell.json("hold", "release", "--reason", "time_guard", "--by", "Mei", "--at", "2026-03-02")
    assert (done["clock_confirmed"], done["released"]) == (True, 0)
    assert shell.json("hold", "list")["clock_distrusted_since"] is None


def test_explain_names_the_pause(shop: Shop, shell: Shell) -> None:
    """Operator experience section 3: what release() said, pauses too."""
    assert shell("review", "approve", shop.refund, "--reason", "r", "--by", "Mei").code == 0
    shell.json("pause", "--all", "--reason", "moving house", "--by", "Mei")
    [story] = shell.json("explain", shop.order)["explanations"]
    [said] = [each["release"] for each in story["decisions"] if each["release"]]
    assert ("paused" in said, "by Mei" in said, "moving house" in said) == (True, True, True)


def test_d25_whoever_may_approve_sees_that_it_is_a_mass_change(shop: Shop, shell: Shell) -> None:
    """D25: told before the yes, one by one or many at once; an ordinary refund says nothing."""
    assert shell.json("review", "list")["plausibility"] == []

    async def mass() -> None:
        store = await open_store(f"sqlite:///{shop.folder / 'tracker.db'}", clock=FixedClock(NOW))
        world = World(store)
        for n in range(22):
            number = f"RB9000000{n:02}CN"
            order = await world.order(f"M-{n}", number)
            await world.refund(order, Decimal(6), reason=DecisionReason.NOT_FOUND_CONFIRMED, shipment=number)
        await store.close()

    asyncio.run(mass())
    at = ("--at", "2026-03-02T09:00")
    [numbers] = shell.json("review", "list", *at)["plausibility"]
    assert (numbers["within_24h"], numbers["at_least"]) == (22, 20)
    told = "22 parcels turned bad within 24 h"
    assert told in shell("review", "list", *at).out
    many = ("review", "approve", "--reason", "not_found_confirmed", "--up-to", "8", *at)
    assert told in shell(*many, "--dry-run").out
    assert shell.json(*many, "--dry-run")["plausibility"] == [numbers]
    assert told in shell(*many, "--by", "Mei").out
    assert shell.json("review", "list", "--at", "2026-03-05")["plausibility"] == [], "two days later nobody is warned any more"


def test_d25_the_numbers_of_a_mass_change_are_shown(shop: Shop, shell: Shell) -> None:
    """D25: the money stops, and the person who is called sees how many it were and how many are usual."""

    async def mass() -> int:
        store = await open_store(f"sqlite:///{shop.folder / 'tracker.db'}", clock=FixedClock(NOW))
        world, row = World(store), 0
        for n in range(22):
            number = f"RB9000000{n:02}CN"
            order = await world.order(f"M-{n}", number)
            found = {"kind": ActionKind.REFUND, "reason": DecisionReason.NOT_FOUND_CONFIRMED, "shipment": number}
            row = await world.effect(order, Intent.REFUND, hold=HoldReason.PLAUSIBILITY, **found)
        await store._db.write(
            lambda tx: tx.run("UPDATE outbox SET approved_by = 'Mei' WHERE hold = 'plausibility' AND id < ?", row)
        )
        await store.close()
        return row

    last = asyncio.run(mass())
    at = ("--at", "2026-03-02T09:00")
    [numbers] = shell.json("hold", "show", last, *at)["plausibility"]
    assert numbers == {"carrier": "", "within_24h": 22, "usual_per_day": 0.0, "more_than": 0.0, "at_least": 20}
    assert "?: 22 parcels turned bad within 24 h" in shell("hold", "list", "--reason", "plausibility", *at).out
    done = shell("hold", "release", "--reason", "plausibility", "--by", "Mei", *at)
    assert (done.code, "Released: 21." in done.out, "1 stay: money" in done.out) == (0, True, True), "D11: one nobody approved"
    assert "22 parcels turned bad" in done.out
    assert len(shell.json("hold", "list", "--reason", "plausibility", *at)["holds"]) == 1
