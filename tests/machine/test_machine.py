"""Whatever happens to the house, in whatever order, the seven invariants hold (faults rows 1, 2, 13, 16, 20, 36).

The normal run is short and always the same; `HYPOTHESIS_PROFILE=long` looks for new stories: `make invariants`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from carriers.fake import Outage
from carriers.model import TrackingStatus
from tests import moving
from tests.house import START
from tests.machine import configs
from tests.machine.invariants import broken, left_behind
from tests.machine.people import ANSWERS, People
from tests.machine.post import MOODS
from tests.machine.twin import differences
from tests.machine.world import CRASH_POINTS, NUMBERS, PARCELS, Crash, World
from tracker.store import create

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
"""Where a synced write costs nothing: these stories kill no disk."""

DAY = timedelta(days=1)
HOURS = (1, 12, 24, 72, 120, 240, 360)
MOVES = (
    TrackingStatus.IN_TRANSIT,
    TrackingStatus.OUT_FOR_DELIVERY,
    TrackingStatus.AVAILABLE_FOR_PICKUP,
    TrackingStatus.EXCEPTION,
    TrackingStatus.RETURNED,
    TrackingStatus.DELIVERED,
)

orders = st.sampled_from(tuple(PARCELS))
numbers = st.sampled_from(NUMBERS)
points = st.sampled_from(CRASH_POINTS)

NewDatabase = Callable[[Path], str]
"""A folder of the test's own -> the address of an empty database of this schema."""


def on_sqlite(folder: Path) -> str:
    """A file of its own."""
    url = f"sqlite:///{folder / 'tracker.db'}"
    create(url, rehearsal=True, now=START)
    return url


class Machine(RuleBasedStateMachine):
    """Everything that can happen to one house with three orders and four parcels."""

    new_database: NewDatabase = staticmethod(on_sqlite)

    def __init__(self) -> None:
        super().__init__()
        self._broken = False
        self._folder = TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        folder = Path(self._folder.name)
        self.world = World(folder, self.new_database(folder))
        self.people = People(self.world)

    def teardown(self) -> None:
        """I3 at the end: a second house that hears the same in one go, and in another order, knows the same."""
        try:
            if self.world.house is not None and not self._broken:
                self._calm()
                self._holds(differences(self.world))
        finally:
            self.world.close()
            self._folder.cleanup()

    def _holds(self, wrong: list[str]) -> None:
        """All that is wrong, in the failure's own words; the end of the story is of no interest then."""
        if wrong:
            self._broken = True
            raise AssertionError("\n".join(wrong))

    def _calm(self) -> None:
        self.world.carrier.catch_up()
        self.world.post.moods.clear()
        self.world.beside = None

    # ------------------------------------------------------------------------------------------------- time and the daemon

    @initialize(days=st.sampled_from((0, 26, 28, 42, 56)))
    def some_days_have_gone(self, days: int) -> None:
        """The story begins before the first text, or the second, or the refund: announced parcels, two of them scanned."""
        for number in NUMBERS[:3]:
            self.world.carrier.happened(number, TrackingStatus.IN_TRANSIT, self.world.clock.now())
        self.world.live(timedelta(days=days), step=4 * DAY)

    @rule(hours=st.sampled_from(HOURS))
    def tick(self, hours: int) -> None:
        """Polls, decides, sends: time goes by."""
        self.world.live(timedelta(hours=hours))

    @rule()
    def drain(self) -> None:
        """I2: all that is due is done."""
        self._calm()
        self.world.drain()
        self._holds(self.world.run(left_behind(self.world)))

    @rule(point=points, passage=st.integers(1, 3), hours=st.sampled_from((0, 2, 50)))
    def crash(self, point: str, passage: int, hours: int) -> None:
        """Faults rows 1 and 2: dead at a named point of the code, up again at once or days later."""
        with self.world.armed(point, passage):
            try:
                self.world.live(timedelta(days=2))
            except BaseException as error:
                if not _is_crash(error):
                    raise
                self.world.die()
        if self.world.house is None:
            self.world.clock.live(timedelta(hours=hours))
            self.world.start()

    @rule(hours=st.sampled_from((0, 5, 200)))
    def restart(self, hours: int) -> None:
        """Asked to stop, started again later."""
        self.world.stop()
        self.world.clock.live(timedelta(hours=hours))
        self.world.start()

    @rule(name=st.sampled_from(configs.NAMES))
    def reload(self, name: str) -> None:
        """Fault 20, D12: another day of a stage, a renamed rule, another channel."""
        self.world.run(self.world.rooms.close())
        self.world.configure(name)

    @precondition(lambda self: self.world.clock.shift == timedelta())
    @rule(by=st.sampled_from((-timedelta(hours=1), timedelta(hours=1), DAY, 3 * DAY, 365 * DAY)))
    def clock_jumps(self, by: timedelta) -> None:
        """Fault 13: NTP or a hand sets the wall clock, and the daemon lives on with it for a while."""
        self.world.clock.jump(by)
        self.world.live(timedelta(hours=6), step=timedelta(hours=3))

    @precondition(lambda self: self.world.clock.shift != timedelta())
    @rule(restarted=st.booleans())
    def clock_comes_right(self, restarted: bool) -> None:
        """And it is set right again, with the daemon up or down."""
        if restarted:
            self.world.stop()
        self.world.clock.jump(-self.world.clock.shift)
        if restarted:
            self.world.start()
        self.world.work()

    # ----------------------------------------------------------------------------------------------------- backup, restore

    @precondition(lambda self: self.world.url.startswith("sqlite") and len(self.world.backups) < 2)
    @rule()
    def back_up(self) -> None:
        """A copy is made while the daemon works."""
        self.world.back_up()

    @precondition(lambda self: self.world.backups)
    @rule(which=st.integers(0, 1))
    def put_back(self, which: int) -> None:
        """Fault 36: the database has forgotten what happened since."""
        self.world.put_back(which)

    # ---------------------------------------------------------------------------------------------------------- the carrier

    @rule(number=numbers, status=st.sampled_from(MOVES), late=st.sampled_from((0, 0, 30, 100)))
    def scanned(self, number: str, status: TrackingStatus, late: int) -> None:
        """A new event, perhaps told late: older than those that are known (fault 16). No two are of one second."""
        self.world.clock.live(timedelta(minutes=1))
        self.world.carrier.happened(number, status, self.world.clock.truth, timedelta(hours=late))

    @rule(number=numbers)
    def delivery_taken_back(self, number: str) -> None:
        """Fault 16: "delivered" is revoked."""
        self.world.carrier.take_back(number)

    @rule(number=numbers, scans=st.integers(1, 3))
    def an_old_copy_answers(self, number: str, scans: int) -> None:
        """Fault 16: the answer of before, once more."""
        self.world.carrier.forget_newest(number, scans)

    @rule(seed=st.integers(0, 5))
    def scans_come_mixed(self, seed: int) -> None:
        """Fault 16: doubled, and in any order."""
        self.world.carrier.mix(seed)

    @rule()
    def carrier_fails(self) -> None:
        """The source is down until somebody calms it."""
        self.world.carrier.down = Outage(since=self.world.clock.now() - 400 * DAY)

    @rule()
    def carrier_is_well(self) -> None:
        """It tells the truth, in order, once."""
        self.world.carrier.catch_up()

    # ----------------------------------------------------------------------------------------------- people and the post office

    @rule(moods=st.lists(st.sampled_from(MOODS), min_size=1, max_size=4))
    def post_office_is_moody(self, moods: list[str]) -> None:
        """Fault 18: the next messages are refused, or nobody knows."""
        self.world.post.moods = moods

    @rule(order=orders, what=st.sampled_from(ANSWERS))
    def somebody_speaks(self, order: str, what: str) -> None:
        """A buyer, a marketplace, a clerk with a refund, the order file once more."""
        self.world.run(self.people.say(order, what))

    @rule(order=orders, what=st.sampled_from(ANSWERS))
    def somebody_will_speak_meanwhile(self, order: str, what: str) -> None:
        """A command-line write beside: while the daemon's next call is under way."""
        self.world.beside = lambda: self.people.say(order, what)

    @rule(word=st.sampled_from(("approve", "reject", "snooze")))
    def reviewed(self, word: str) -> None:
        """A person looks at the first recommendation, or the first text, that waits."""
        self.world.run(self.people.review(word))

    @rule(word=st.sampled_from(("done", "take", "drop", "unsure")), hurry=st.booleans())
    def task_worked_on(self, word: str, hurry: bool) -> None:
        """A clerk works on the oldest task, or on all of them."""
        self.world.run(self.people.work(word, every=hurry))

    @rule(to=st.sampled_from(("sent", "failed")))
    def doubt_settled(self, to: str) -> None:
        """Somebody has asked the provider about a doubtful send."""
        self.world.run(self.people.resolve(to))

    @rule()
    def holds_released(self) -> None:
        """A person lets go what a guard held."""
        self.world.run(self.people.release())

    @rule(order=orders)
    def paused(self, order: str) -> None:
        """The brake, for one store."""
        self.world.run(self.people.pause(order))

    @rule()
    def resumed(self) -> None:
        """And off again."""
        self.world.run(self.people.resume())

    # ---------------------------------------------------------------------------------------------------------- invariants

    @invariant()
    def nothing_is_broken(self) -> None:
        """I1, I4, I5, I6, I7."""
        self._holds(self.world.run(broken(self.world)))


def _is_crash(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return any(map(_is_crash, error.exceptions))
    return isinstance(error, Crash)


_CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
SHORT_RUN = settings(
    max_examples=20, stateful_step_count=25, derandomize=True, deadline=None, database=None, suppress_health_check=_CHECKS
)
ON_A_SERVER = settings(SHORT_RUN, max_examples=4)
LONG_RUN = settings(
    max_examples=int(os.environ.get("EXAMPLES", "1000")),
    stateful_step_count=60,
    deadline=None,
    print_blob=True,
    suppress_health_check=_CHECKS,
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
)


@pytest.fixture
def new_database() -> NewDatabase:
    """On which database the stories are told."""
    return on_sqlite


@pytest.mark.timeout(0 if LONG else 900)
def test_the_invariants_hold_whatever_happens(new_database: NewDatabase, request: pytest.FixtureRequest) -> None:
    """I1, I2, I3, I4, I5, I6, I7; faults rows 1, 2, 13, 15, 16, 18, 20, 21, 33, 36; D12, D15."""

    class Here(Machine):
        pass

    Here.new_database = staticmethod(new_database)
    short = ON_A_SERVER if moving.wanted(request.config) else SHORT_RUN
    run_state_machine_as_test(Here, settings=LONG_RUN if LONG else short)
