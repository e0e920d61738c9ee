"""D24: one message a shift and kind, in the last working hour before the deadline; at least once; to whoever is on duty."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from tests.carriers.loopback import http, serving
from tests.channels.conftest import Handler, Serve, serve
from tests.desk.world import NOW, STORE, World
from tests.team.hours import last_working_hour
from tracker import config
from tracker.alerts import Teller
from tracker.alerts.conditions import Look, conditions
from tracker.channels.apprise import AppriseSink
from tracker.channels.notice import Notice
from tracker.clock import SimulatedClock
from tracker.config import Loaded
from tracker.metrics import count, due_cases
from tracker.model import Case, CaseKind, DateSource, Intent, TaskState
from tracker.model.alerts import AlertKind
from tracker.store import Store, create, open_store
from tracker.store.brake import Deadline
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
    await store.change_breaker("desk-source", lambda _: Breaker(failures=3, open_until=NOW + HOUR, since=NOW, kind="unavailable"))
    source = '[[source]]\nid = "desk-source"\nadapter = "sheet"\nbase_url = "drop:scans"\n'
    loaded = _webhook(tmp_path, url, source)
    await _tell(loaded, store, clock)
    assert received.got == []
    await store.change_breaker("desk-source", lambda _: Breaker(failures=0, open_until=None, since=None, kind=None))
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
        told = last_working_hour(loaded.rules.team, deadline - timedelta(hours=12), STORE)
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


async def test_what_comes_near_and_is_done_in_time_is_never_raised(store: Store, clock: SimulatedClock, tmp_path: Path) -> None:
    """An alert that nobody needs would teach people to read none: a window is extended long before its last working hour."""
    loaded = _webhook(tmp_path, "http://127.0.0.1:9")
    world = World(store)
    await world.task(await world.order("A-1"), Intent.STAGE2, deadline=NOW + timedelta(days=4))
    with capture_logs() as logs:
        await _tell(loaded, store, clock)
    assert logs == []


async def test_a_holiday_of_the_team_tells_before_it_begins(
    store: Store, clock: SimulatedClock, desk: tuple[Desk, str], tmp_path: Path
) -> None:
    """D24: the last working hour before fourteen days of leave, not the first day of it."""
    received, url = desk
    first, last = (f"{NOW + timedelta(days=days):%Y-%m-%d}" for days in (2, 16))
    away = f"leave = [{{ from = {first}, to = {last} }}]\n"
    loaded = _webhook(tmp_path, url, team=TEAM.replace("mail:mei@desk.example", "apprise:desk") + away)
    world = World(store)
    await world.task(await world.order("A-1"), Intent.STAGE2, deadline=NOW + timedelta(days=15))
    await _tell(loaded, store, clock)
    assert received.got == [], "tomorrow is a working day"
    await _tell(loaded, store, clock, after=timedelta(days=1, minutes=1))
    assert received.kinds == ["task_due"]


async def test_a_window_that_closes_is_told(store: Store, clock: SimulatedClock, desk: tuple[Desk, str], tmp_path: Path) -> None:
    """R7, D24: two days before it closes, because a window that nobody extended is money lost."""
    received, url = desk
    loaded = _webhook(tmp_path, url)
    await World(store).order("A-1", "RB123456785CN", window_end=NOW + timedelta(days=4))
    await _tell(loaded, store, clock)
    assert received.got == []
    await _tell(loaded, store, clock, after=timedelta(days=2))
    assert received.kinds == ["window_closes"]
    assert received.got[0]["lines"][0].startswith("lume A-1, by 2026-03-05 ")


@pytest.mark.parametrize("leave", ["", "leave = [{ from = 2026-02-20, to = 2026-03-20 }]\n"])
async def test_where_people_are_the_only_way_everything_reaches_one_of_them(
    leave: str, store: Store, clock: SimulatedClock, serve: Serve, tmp_path: Path
) -> None:
    """A backup is about no store, and in a holiday of everybody nobody is there: told to nobody would be lost."""
    server = Handler()
    async with serve(server) as port:
        smtp = f'[smtp]\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\nfrom = "Tracker <tracker@lume.example>"\n'
        loaded = _loaded(tmp_path, smtp, team=TEAM + leave)
        await store.fail_errand("backup", NOW, "no space left")
        world = World(store)
        await world.doubtful(await world.order("A-1"))
        await _tell(loaded, store, clock)
    assert [mail.rcpt_tos for mail in server.envelopes] == [["mei@desk.example"]] * 2


async def test_a_window_that_nobody_can_extend_is_no_alert(store: Store, clock: SimulatedClock, tmp_path: Path) -> None:
    """R7: the end of an eBay buyer's protection is no work for anybody; hundreds of them would bury what is."""
    _webhook(tmp_path, "http://127.0.0.1:9")
    (tmp_path / "stores" / f"{STORE}.toml").write_text(
        (tmp_path / "stores" / f"{STORE}.toml").read_text().replace("aliexpress", "ebay"), encoding="utf-8"
    )
    loaded = config.load(tmp_path / "tracker.toml", environ={"DESK": "http://127.0.0.1:9"})
    await World(store).order("E-1", "RB123456785CN", platform="ebay", window_end=NOW + HOUR)
    with capture_logs() as logs:
        await _tell(loaded, store, clock)
    assert logs == []


async def test_two_stores_may_have_an_order_of_the_same_number(store: Store, tmp_path: Path) -> None:
    """Both windows close in the same second: each is an alert of its own."""
    loaded = _webhook(tmp_path, "http://127.0.0.1:9")
    ends = [Deadline(kind="window", store=shop, subject="1001", at=NOW + HOUR) for shop in (STORE, "nova")]
    found = conditions(Look(counted=await count(store, loaded, NOW), loaded=loaded, deadlines=ends))
    raised = found[AlertKind.WINDOW_CLOSES]
    assert len({each.key for each in raised}) == len(raised) == 2


async def test_a_target_that_is_away_for_days_hears_it_when_it_is_back(
    store: Store, clock: SimulatedClock, desk: tuple[Desk, str], tmp_path: Path
) -> None:
    """At least once, however often it was tried."""
    received, url = desk
    loaded = _webhook(tmp_path, url)
    world = World(store)
    await world.doubtful(await world.order("A-1"))
    received.answers = [503] * 50
    for _ in range(50):
        await _tell(loaded, store, clock, after=HOUR)
    assert received.got == []
    await _tell(loaded, store, clock, after=HOUR)
    assert received.kinds == ["doubtful_send"]


async def test_one_message_a_shift_even_while_another_target_is_away(
    store: Store, clock: SimulatedClock, desk: tuple[Desk, str], tmp_path: Path
) -> None:
    """D24 for those who hear, whoever does not."""
    received, url = desk
    away = '[[target]]\nid = "away"\nkind = "webhook"\nurl = "env:AWAY"\n'
    loaded = _webhook(tmp_path, url, away, AWAY="http://127.0.0.1:9/away")
    world = World(store)
    for number in range(5):
        await world.doubtful(await world.order(f"A-{number}"))
        await _tell(loaded, store, clock, after=HOUR)
    assert [len(each["lines"]) for each in received.got] == [3], "one alert, an empty line, the command"
    await _tell(loaded, store, clock, after=5 * HOUR)
    assert len(received.got) == 2
    assert [line.split()[1].rstrip(":") for line in received.got[1]["lines"][:4]] == ["A-1", "A-2", "A-3", "A-4"]


async def test_what_holds_again_is_told_again_unless_it_merely_flickers(
    store: Store, clock: SimulatedClock, desk: tuple[Desk, str], tmp_path: Path
) -> None:
    """The same order file fails every morning: each morning is news; nothing is lost because it was over for a while."""
    received, url = desk
    (tmp_path / "inbox" / "failed").mkdir(parents=True)
    file = tmp_path / "inbox" / "failed" / "orders.csv"
    file.touch()
    loaded = _webhook(tmp_path, url, f'[inbox]\npath = "{tmp_path}/inbox"\n')
    received.answers = [503]
    await _tell(loaded, store, clock)
    for present in (False, True):
        file.unlink(missing_ok=True)
        if present:
            file.touch()
        await _tell(loaded, store, clock, after=timedelta(minutes=6))
    assert received.kinds == ["file_failed"], "it was over before anybody heard, and holds again"
    for present in (False, True):
        file.unlink(missing_ok=True)
        if present:
            file.touch()
        await _tell(loaded, store, clock, after=timedelta(minutes=6))
    await _tell(loaded, store, clock, after=9 * HOUR)
    assert len(received.got) == 1, "it flickers"
    file.unlink()
    await _tell(loaded, store, clock, after=HOUR)
    file.touch()
    await _tell(loaded, store, clock, after=20 * HOUR)
    assert received.kinds == ["file_failed"] * 2


async def test_a_folder_that_may_not_be_read_silences_nothing_else(
    store: Store, clock: SimulatedClock, desk: tuple[Desk, str], tmp_path: Path
) -> None:
    received, url = desk
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "failed").write_text("no folder")
    loaded = _webhook(tmp_path, url, f'[inbox]\npath = "{tmp_path}/inbox"\n')
    world = World(store)
    await world.doubtful(await world.order("A-1"))
    await _tell(loaded, store, clock)
    assert received.kinds == ["doubtful_send"]


async def test_a_target_that_breaks_stops_no_other(
    store: Store, clock: SimulatedClock, desk: tuple[Desk, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults row 33: a library may raise anything; its words may repeat a secret."""
    received, url = desk

    async def breaks(_self: AppriseSink, _notice: Notice) -> None:
        raise TypeError("json://secret-4711")

    monkeypatch.setattr(AppriseSink, "__init__", lambda *_: None)
    monkeypatch.setattr(AppriseSink, "tell", breaks)
    odd = '[[target]]\nid = "a"\nkind = "apprise"\nurl = "env:ODD"\n'
    loaded = _webhook(tmp_path, url, odd, ODD="json://127.0.0.1:9/x")
    world = World(store)
    await world.doubtful(await world.order("A-1"))
    with capture_logs() as logs:
        await _tell(loaded, store, clock)
    assert received.kinds == ["doubtful_send"]
    [line] = [each for each in logs if each["event"] == "alert.untold"]
    assert line["reason"] == "target a raises TypeError"


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


@pytest.mark.parametrize(
    ("kind", "platform", "told"),
    [
        (CaseKind.BUYER_MESSAGE, "taobao", ["answer_now"]),
        (CaseKind.BUYER_MESSAGE, "amazon", []),
        (CaseKind.ACCOUNT_ALERT, "amazon", ["answer_now"]),
        (CaseKind.DISPUTE, "aliexpress", []),
    ],
)
async def test_r82_r83_r43_a_first_answer_within_minutes_is_told_at_once(
    store: Store, tmp_path: Path, kind: CaseKind, platform: str, told: list[str]
) -> None:
    """R82, R83: the platform's target is five minutes; R43: the account is in danger. A day is the shift's business (D24)."""
    loaded = _loaded(tmp_path, "")
    order = await World(store).order("A-1", platform=platform)
    case = Case(id="M-1", kind=kind, opened_at=NOW)
    await store.save_case(order, case, NOW)
    counted = await count(store, loaded, NOW)
    look = Look(counted=counted, loaded=loaded, cases=await due_cases(store, loaded.rules))
    assert [each.kind for each in conditions(look)[AlertKind.ANSWER_NOW]] == told
    assert not told or AlertKind(told[0]).at_once
    await store.save_case(order, msgspec.structs.replace(case, answered_at=NOW), NOW)
    look = Look(counted=counted, loaded=loaded, cases=await due_cases(store, loaded.rules))
    assert conditions(look)[AlertKind.ANSWER_NOW] == []


@pytest.mark.parametrize(("hours", "told"), [(23, 0), (24, 1)])
async def test_d15_a_message_that_no_marketplace_dates_escalates_after_a_day(
    store: Store, tmp_path: Path, hours: int, told: int
) -> None:
    """D15, R44: AliExpress sets no date, and it stops outreach: nobody must forget it."""
    loaded = _loaded(tmp_path, "")
    order = await World(store).order("A-1", platform="aliexpress")
    await store.save_case(order, Case(id="M-1", kind=CaseKind.BUYER_MESSAGE, opened_at=NOW - hours * HOUR), NOW)
    look = Look(counted=await count(store, loaded, NOW), loaded=loaded, cases=await due_cases(store, loaded.rules))
    assert len(conditions(look)[AlertKind.ANSWER_NOW]) == told


async def test_r3_d13_an_approved_refund_is_told_while_it_is_overdue(store: Store, tmp_path: Path) -> None:
    """R3, D13, D17: past its date it is still a task, first in the list, and told at once."""
    loaded, world = _loaded(tmp_path, ""), World(store)
    later = await world.task(await world.order("A-2"), Intent.EXTENSION, deadline=NOW + 9 * 24 * HOUR)
    owed = await world.task(await world.order("A-1"), Intent.REFUND, "amount", "reference", deadline=NOW - 24 * HOUR)
    assert await store.expire_tasks(NOW) == 0
    listed = await store.tasks((TaskState.OPEN,))
    assert [task.id for task in listed] == [owed, later]
    look = Look(counted=await count(store, loaded, NOW), loaded=loaded, tasks=listed)
    assert [each.subject for each in conditions(look)[AlertKind.TASK_DUE]] == [f"task {owed}"]


@pytest.mark.parametrize(("intent", "own", "told"), [("case_answer", 0, 0), ("case_close", 0, 0), ("case_evidence", 1, 1)])
async def test_d24_a_date_of_a_case_is_told_once(store: Store, tmp_path: Path, intent: str, own: int, told: int) -> None:
    """D24: as the case; a date of the evidence alone is its task's."""
    loaded = _loaded(tmp_path, "")
    world = World(store)
    order = await world.order("A-1")
    due = NOW + HOUR
    await store.save_case(
        order, Case(id="D-1", kind=CaseKind.DISPUTE, opened_at=NOW, due_at=due, due_source=DateSource.TYPED), NOW
    )
    await world.task(order, Intent(intent), occasion="D-1/-/x", deadline=due + own * timedelta(minutes=1))
    look = Look(
        counted=await count(store, loaded, NOW),
        loaded=loaded,
        cases=await due_cases(store, loaded.rules),
        tasks=await store.tasks(),
        deadlines=[Deadline(kind="case", store=STORE, subject="A-1", at=due, what="dispute")],
    )
    found = conditions(look)
    assert (len(found[AlertKind.CASE_DUE]), len(found[AlertKind.TASK_DUE])) == (1, told)
