"""`tracker carriers status`: an account that will not do says so, and what helps (R6; operator-experience, Carriers)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.shell import Shell
from tests.desk.world import NOW, World
from tests.house import bring, order, parcel
from tracker.clock import FixedClock, epoch
from tracker.demo.standin import Aggregator, StandIn
from tracker.store import PollWrite, Store, create, open_store
from tracker.store.rows import Breaker, PollLater, PollQuiet, Unmapped

CONFIG = """\
[[source]]
id = "dhl"
adapter = "dhl_unified"
secrets = { api_key = "env:KEY" }

[[source]]
id = "17track"
adapter = "seventeen_track"
secrets = { api_key = "env:KEY" }
daily_quota = 100
quota = 3490
base_url = "BASE"
rps = 100

[[source]]
id = "scans"
adapter = "sheet"
base_url = "drop:scans"
"""
DAY = timedelta(days=1)
AT = ("--at", NOW.isoformat())


class Office:
    """A configuration with three sources and its database."""

    def __init__(self, shell: Shell, folder: Path, monkeypatch: pytest.MonkeyPatch, base_url: str = "") -> None:
        monkeypatch.setenv("KEY", "kanarie-source-k3y")
        self.shell = shell
        shell.config = folder / "tracker.toml"
        shell.config.write_text(CONFIG.replace("BASE", base_url), encoding="utf-8")
        (folder / "stores").mkdir()
        shop = 'platform = "aliexpress"\nname = "Lume"\nzone = "UTC"\ncurrency = "USD"\nmode = "live"\n'
        (folder / "stores" / "lume.toml").write_text(shop, encoding="utf-8")
        self.url = f"sqlite:///{folder / 'tracker.db'}"
        create(self.url, rehearsal=True, now=NOW)

    def happened(self, work: Callable[[Store], Awaitable[None]]) -> None:
        async def run() -> None:
            store = await open_store(self.url, clock=FixedClock(NOW), daemon=True)
            try:
                await work(store)
            finally:
                await store.close()

        asyncio.run(run())

    def status(self, *words: str) -> tuple[int, dict[str, dict[str, Any]]]:
        said = self.shell("carriers", "status", *words, *AT, "--json")
        return said.code, {each["account"]: each for each in said.document["accounts"]}


@pytest.fixture
def office(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    return Office(shell, tmp_path, monkeypatch)


def test_r6_accounts_that_nobody_has_asked_need_nobody(office: Office) -> None:
    """R6: limits come from the registry, a folder has none."""
    code, found = office.status()
    assert code == 0
    assert {name: each["state"] for name, each in found.items()} == {"dhl": "new", "17track": "new", "scans": "new"}
    assert (found["dhl"]["unit"], found["dhl"]["used_today"], found["dhl"]["daily"]) == ("calls", 0, 250)
    assert 0 < found["dhl"]["reserve"] <= 50
    assert (found["scans"]["used_today"], found["scans"]["daily"], found["scans"]["reserve"]) == (None, None, None)
    assert "Nothing needs a person." in office.shell("carriers", "status", *AT).out


def test_r6_the_quota_tells_when_it_ends_and_who_waits(office: Office) -> None:
    """R6, daily-operations: "4,100 left, 1,050 a day, ends on the 24th", by the class of those who wait."""

    async def busy(store: Store) -> None:
        for ago in range(1, 4):
            await store.use_quota("17track", (NOW - ago * DAY).date(), 1050, None)
        await store.use_quota("17track", NOW.date(), 100, None)
        world = World(store)
        await world.order("A-1", "RB123456785CN", "RB123456799CN")
        answered = (PollQuiet(1, "RB123456785CN", epoch(NOW + DAY)),)
        await store.write_poll(PollWrite(at=epoch(NOW) - 60, quiet=answered, answered=("17track",)))
        await store.write_poll(PollWrite(at=epoch(NOW), later=(PollLater(2, "RB123456799CN", epoch(NOW + DAY)),)))

    office.happened(busy)
    code, found = office.status()
    account = found["17track"]
    assert (account["state"], account["followed"], account["answered_today"]) == ("up", 2, 1)
    assert (account["classes"], account["waiting"]) == ({"unscanned": 2}, {"unscanned": 1})
    assert (account["left"], account["a_day"], account["left_today"]) == (240, 1050, 0)
    assert code == 1
    assert [line for line in account["needs_person"] if "ends on" in line]
    assert account["hints"] == ["1 parcels wait for their turn: nothing ages by it; a larger plan asks them sooner"]
    text = office.shell("carriers", "status", *AT).out
    assert "240 left, 1050 a day, ends on" in text
    assert "1 unscanned" in text


@pytest.mark.parametrize(
    ("breaker", "state", "says"),
    [
        (Breaker(failures=3, since=NOW - DAY, open_until=NOW + DAY, kind="auth"), "down", "refuses the key"),
        (Breaker(failures=1, kind="quota_exhausted"), "new", "quota is used up"),
        (
            Breaker(failures=4, since=NOW - DAY, open_until=NOW - timedelta(hours=1), kind="unavailable"),
            "half_open",
            "not answer",
        ),
        (Breaker(failures=1, open_until=NOW + timedelta(minutes=1), kind="rate_limited"), "paused", None),
    ],
    ids=["key", "quota", "half open", "too fast"],
)
def test_a_source_that_fails_says_since_when_and_what_helps(
    office: Office, breaker: Breaker, state: str, says: str | None
) -> None:
    """What heals by itself in a minute calls nobody."""

    async def fails(store: Store) -> None:
        await store.change_breaker("dhl", lambda _: breaker)

    office.happened(fails)
    code, found = office.status()
    assert (found["dhl"]["state"], code) == (state, 0 if says is None else 1)
    assert (says or "") in " ".join(found["dhl"]["needs_person"])
    assert bool(found["dhl"]["needs_person"]) is (says is not None)
    assert state in office.shell("carriers", "status", *AT).out


def test_codes_that_nobody_knows_are_listed_for_a_month(office: Office) -> None:
    """Facts 3 rule 8: nobody is called for them, and nobody forgets them."""

    async def odd(store: Store) -> None:
        await store.write_poll(PollWrite(at=epoch(NOW - 31 * DAY), unmapped=(Unmapped("dhl", "old", "LX1", 1),)))
        await store.write_poll(PollWrite(at=epoch(NOW - DAY), unmapped=(Unmapped("dhl", "Wormhole", "LX2", 3),)))

    office.happened(odd)
    code, found = office.status()
    assert code == 0
    assert [(each["code"], each["times"], each["number"]) for each in found["dhl"]["unmapped"]] == [("Wormhole", 3, "LX2")]
    assert "Wormhole" in office.shell("carriers", "status", *AT).out


def test_a_source_is_asked_what_is_left_when_somebody_wants_to_know(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over real HTTP; a source that cannot tell is not asked, one that refuses is no error of the command."""
    with StandIn(Aggregator([], lambda: NOW, token="kanarie-source-k3y")) as stand_in:
        office = Office(shell, tmp_path, monkeypatch, stand_in.base_url)
        _, found = office.status("--ask")
        assert found["17track"]["says"]["left"] == 10_000
        assert (found["dhl"]["says"], found["scans"]["says"]) == (None, None)
        assert "10000 left" in shell("carriers", "status", "--ask", *AT).out
        monkeypatch.setenv("KEY", "another-key")
        code, found = office.status("--ask")
        assert code == 0
        assert found["17track"]["says"]["error"]["kind"] == "auth"
        assert "nothing:" in shell("carriers", "status", "--ask", *AT).out


def test_without_a_source_it_says_what_is_missing(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(shell, tmp_path, monkeypatch)
    assert shell.config is not None
    shell.config.write_text("", encoding="utf-8")
    assert office.status() == (0, {})
    assert "add a [[source]]" in shell("carriers", "status", *AT).out


def test_parcels_that_nobody_is_asked_about_need_a_person(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """I2: visibly blocked with a reason; a status that says "nothing needs a person" beside them would be a lie."""
    office = Office(shell, tmp_path, monkeypatch)
    assert shell.config is not None
    text = shell.config.read_text(encoding="utf-8")
    shell.config.write_text(text[: text.index("[[source]]", text.index("dhl_unified"))], encoding="utf-8")
    office.happened(lambda store: bring(store, [order("1")], [parcel("LZ000000001CN", "1")], NOW))
    said = shell("carriers", "status", *AT, "--json")
    assert (said.code, said.document["without_source"]) == (1, {"china_post": 1})
    out = shell("carriers", "status", *AT).out
    assert "-> 1 parcels of china_post: no configured source is asked about them" in out
    assert "Nothing needs" not in out
