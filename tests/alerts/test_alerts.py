"""D24: one message a shift and kind, in the last working hour before the deadline; at least once; to whoever is on duty."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.carriers.loopback import http, serving
from tests.channels.conftest import Handler, Serve, serve
from tests.desk.world import NOW, STORE, World
from tracker import config
from tracker.alerts import Teller
from tracker.clock import SimulatedClock
from tracker.config import Loaded
from tracker.model import Intent
from tracker.store import Store, create, open_store
from tracker.store.rows import Breaker

__all__ = ["serve"]  # a fixture of the channels' room: a real mail server

HOUR = timedelta(hours=1)
TEAM = """\
[[person]]
id = "mei"
name = "Mei"
zone = "Asia/Shanghai"
hours = "09:00-18:00"
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
address = "mail:mei@desk.example"
"""


class Desk:
    """Where a webhook ends: a real HTTP server that keeps what it got, and answers as the test wants."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.got: list[dict[str, Any]] = []

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
        status = self.answers.pop(0) if self.answers else 204
        if status < 300:
            self.got.append(json.loads(body) | {"path": path})
        return http(status)

    @property
    def kinds(self) -> list[str]:
        return [each["kind"] for each in self.got]


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(NOW)


@pytest.fixture
async def store(tmp_path: Path, clock: SimulatedClock) -> AsyncIterator[Store]:
    url = f"sqlite:///{tmp_path / 'tracker.db'}"
    create(url, rehearsal=True, now=NOW)
    opened = await open_store(url, clock=clock, daemon=True)
    yield opened
    await opened.close()


@pytest.fixture
async def desk() -> AsyncIterator[tuple[Desk, str]]:
    received = Desk()
    async with serving(received) as url:
        yield received, url


def _loaded(folder: Path, text: str, *, team: str = "", **environ: str) -> Loaded:
    (folder / "stores").mkdir(exist_ok=True)
    shop = 'platform = "aliexpress"\nname = "Lume"\nzone = "Asia/Shanghai"\ncurrency = "USD"\nmode = "live"\n'
    (folder / "stores" / f"{STORE}.toml").write_text(shop, encoding="utf-8")
    (folder / "tracker.toml").write_text(text, encoding="utf-8")
    (folder / "team.toml").write_text(team, encoding="utf-8")
    return config.load(folder / "tracker.toml", environ=environ)


def _webhook(folder: Path, url: str, text: str = "", **more: str) -> Loaded:
    target = '[[target]]\nid = "desk"\nkind = "webhook"\nurl = "env:DESK"\n'
    return _loaded(folder, f"{text}\n{target}", DESK=f"{url}/hook", **more)


async def _tell(loaded: Loaded, store: Store, clock: SimulatedClock, *, after: timedelta = timedelta(0)) -> None:
    """One pass of the unit, as a daemon that has just started makes it."""
    clock.advance_to(clock.now() + after)
    teller = Teller(loaded, store, clock)
    await teller.work_once()
    await teller.close()


async def test_two_of_a_kind_are_one_message_and_the_third_waits_for_the_next_shift(
    store: Store, clock: SimulatedClock, desk: tuple[Desk, str], tmp_path: Path
) -> None:
    received, url = desk
    loaded = _webhook(tmp_path, url)
    world = World(store)
    for number in ("A-1", "A-2"):
        await world.doubtful(await world.order(number))
    await _tell(loaded, store, clock)
    assert received.kinds == ["doubtful_send"]
    assert [line.split()[1].rstrip(":") for line in received.got[0]["lines"][:2]] == ["A-1", "A-2"]
    assert "2 messages" in received.got[0]["title"]
    assert received.got[0]["path"] == "/hook"
    await world.doubtful(await world.order("A-3"))
    await _tell(loaded, store, clock, after=HOUR)
    assert len(received.got) == 1, "once a shift"
    await _tell(loaded, store, clock, after=7 * HOUR)
    assert received.kinds == ["doubtful_send"] * 2
    assert "A-3" in received.got[1]["lines"][0]
    await _tell(loaded, store, clock, after=24 * HOUR)
    assert len(received.got) == 2, "what was told and still holds is not told again"


async def test_what_endangers_the_work_is_told_at_once_and_in_the_same_shift(
    store: Store, clock: SimulatedClock, desk: tuple[Desk, str], tmp_path: Path
) -> None:
    """A clock that is not trusted (faults row 13), a failed backup again the next day."""
    received, url = desk
    loaded = _webhook(tmp_path, url)
    await store.distrust_clock(NOW)
    await store.fail_errand("backup", NOW, "no space left")
    await _tell(loaded, store, clock)
    assert sorted(received.kinds) == ["clock", "errand_failed"]
    await store.fail_errand("retention", NOW + HOUR, "no space left")
    await _tell(loaded, store, clock, after=HOUR)
    assert received.kinds[2:] == ["errand_failed"]
    assert "retention" in received.got[2]["lines"][0]


async def test_what_ended_before_anybody_was_told_is_not_told(
    store: Store, clock: SimulatedClock, desk: tuple[Desk, str], tmp_path: Path
) -> None:
    received, url = desk
    loaded = _webhook(tmp_path, url)
    received.answers = [500]
    await store.save_breaker("desk-source", Breaker(failures=3, open_until=NOW + HOUR, since=NOW, kind="unavailable"))
    source = '[[source]]\nid = "desk-source"\nadapter = "sheet"\nbase_url = "drop:scans"\n'
    loaded = _webhook(tmp_path, url, source)
    await _tell(loaded, store, clock)
    assert received.got == []
    await store.save_breaker("desk-source", Breaker(failures=0, open_until=None, since=None, kind=None))
    await _tell(loaded, store, clock, after=HOUR)
    assert received.got == []


async def test_whoever_took_it_is_not_told_twice_while_another_is_tried_again(
    store: Store, clock: SimulatedClock, desk: tuple[Desk, str], tmp_path: Path
) -> None:
    """At least once for each target; the failure is one line of the log."""
    received, url = desk
    second = '[[target]]\nid = "night"\nkind = "webhook"\nurl = "env:NIGHT"\n'
    loaded = _webhook(tmp_path, url, second, NIGHT=f"{url}/night")
    world = World(store)
    await world.doubtful(await world.order("A-1"))
    received.answers = [204, 503]
    with capture_logs() as logs:
        await _tell(loaded, store, clock)
        await _tell(loaded, store, clock, after=timedelta(minutes=4))
    assert [line["target"] for line in logs if line["event"] == "alert.untold"] == [
        next(name for name in ("night", "desk") if name not in received.got[0]["path"].replace("hook", "desk"))
    ]
    assert len(received.got) == 1
    await _tell(loaded, store, clock, after=timedelta(minutes=2))
    assert sorted(each["path"] for each in received.got) == ["/hook", "/night"]


async def test_a_task_is_told_in_the_last_working_hour_that_leaves_time(
    store: Store, clock: SimulatedClock, serve: Serve, tmp_path: Path
) -> None:
    """D24, with Mei at work from 9 to 18 in Shenzhen: NOW is 17:00 there on a Sunday, the task is due the day after tomorrow."""
    server = Handler()
    async with serve(server) as port:
        smtp = f'[smtp]\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\nfrom = "Tracker <tracker@lume.example>"\n'
        loaded = _loaded(tmp_path, f"{smtp}[alerts]\ntask_lead_h = 12\n", team=TEAM)
        world = World(store)
        deadline = NOW + timedelta(hours=48)
        await world.task(await world.order("A-1"), Intent.STAGE2, deadline=deadline)
        told = loaded.rules.team.last_working_hour_before(deadline - timedelta(hours=12), STORE)
        assert NOW < told < deadline
        await _tell(loaded, store, clock)
        await _tell(loaded, store, clock, after=told - NOW - timedelta(minutes=1))
        assert server.envelopes == []
        await _tell(loaded, store, clock, after=timedelta(minutes=2))
    [mail] = server.envelopes
    assert mail.rcpt_tos == ["mei@desk.example"]
    text = (mail.content or b"").decode() if isinstance(mail.content, bytes) else str(mail.content)
    assert "A-1" in text or "task 1" in text
    assert "tracker tasks list" in text


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # apprise does without it on Python 3.13
async def test_apprise_carries_it_in_the_operators_language(
    store: Store, clock: SimulatedClock, desk: tuple[Desk, str], tmp_path: Path
) -> None:
    """WeCom, DingTalk, Feishu and Telegram are apprise addresses; here one that posts JSON."""
    received, url = desk
    target = '[[target]]\nid = "desk"\nkind = "apprise"\nurl = "env:DESK"\n'
    address = url.replace("http://", "json://") + "/apprise"
    loaded = _loaded(tmp_path, f'[operators]\nlanguage = "zh-CN"\n{target}', DESK=address)
    world = World(store)
    await world.doubtful(await world.order("A-1"))
    received.answers = []
    teller = Teller(loaded, store, clock)
    await teller.work_once()
    await teller.close()
    [got] = [each for each in received.got if "title" in each]
    assert got["title"] == "Tracker: 1 条消息无法确认是否送达"
    assert "查看：tracker outbox list --state unknown" in got["message"]


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ('kind = "apprise"\nurl = "env:DESK"', "does not understand its url"),
        ('kind = "mail"\naddress = "desk@shop.example"', "wants [smtp]"),
        ('kind = "webhook"\nurl = "env:DESK"', "base_url must start with"),
    ],
)
async def test_a_target_that_leads_nowhere_says_why_and_shows_no_secret(
    target: str, reason: str, store: Store, clock: SimulatedClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL + 1, logger="apprise")  # as tracker.log.configure does, and tests/log holds
    loaded = _loaded(tmp_path, f'[[target]]\nid = "desk"\n{target}\n', DESK="nonsense-4711")
    world = World(store)
    await world.doubtful(await world.order("A-1"))
    with capture_logs() as logs:
        await _tell(loaded, store, clock)
    [line] = [each for each in logs if each["event"] == "alert.untold"]
    assert reason in line["reason"]
    assert "4711" not in str(logs)


def test_without_a_target_or_an_address_nothing_is_watched(tmp_path: Path) -> None:
    assert not Teller.wanted(_loaded(tmp_path, ""))
    assert Teller.wanted(_loaded(tmp_path, "", team=TEAM))


@pytest.mark.parametrize(
    ("text", "team", "said"),
    [
        ('[[target]]\nid = "a"\nkind = "webhook"\n', "", "wants a url"),
        ('[[target]]\nid = "a"\nkind = "mail"\n', "", "wants an address"),
        ('[[target]]\nid = "a"\nkind = "mail"\naddress = "x@y.example"\nkinds = ["source_dwn"]\n', "", "source_down"),
        ('[[target]]\nid = "a"\nkind = "mail"\naddress = "x@y.example"\nstores = ["lum"]\n', "", "lume"),
        ('[reports.handover]\nto = ["desc"]\n[[target]]\nid = "desk"\nkind = "webhook"\nurl = "env:DESK"\n', "", "desk"),
        ("", TEAM.replace("mail:mei@desk.example", "apprise:desk"), "no such [[target]]"),
    ],
)
def test_every_name_that_leads_nowhere_is_told_with_its_place(text: str, team: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(config.ConfigError) as raised:
        _loaded(tmp_path, text, team=team, DESK="http://127.0.0.1:9")
    assert any(said in str(problem) and problem.line for problem in raised.value.problems), raised.value.problems
