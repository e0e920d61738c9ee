"""What will be done to a shop, made from the seed alone: who is killed where and when, what else happens beside."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from random import Random

import msgspec
from msgspec.structs import replace

from tests.chaos.orders import KINDS

ROOT = Path(__file__).parents[2]
HOUR = 3600.0

FIRST_JUMP = 5 * HOUR
"""After the first round, in which orders of every kind come in: now most of them are due."""

DAEMON, IMPORT, REVIEW, SHEET, BACKUP, RESTORE = "daemon", "import", "review", "worksheet", "backup", "restore"

POINTS = {
    "poll_before_commit": DAEMON,
    "poll_after_commit": DAEMON,
    "push_before_commit": DAEMON,
    "push_after_commit": DAEMON,
    "push_heard_before_commit": DAEMON,
    "push_heard_after_commit": DAEMON,
    "sweep_before_load": DAEMON,
    "sweep_before_commit": DAEMON,
    "sweep_after_commit": DAEMON,
    "send_before_claim": DAEMON,
    "claim_before_commit": DAEMON,
    "claim_after_commit": DAEMON,
    "send_after_claim": DAEMON,
    "journal_before_sync": DAEMON,
    "send_after_journal_begin": DAEMON,
    "send_after_call": DAEMON,
    "recover_before_commit": DAEMON,
    "send_after_journal_end": DAEMON,
    "finish_before_commit": DAEMON,
    "task_before_commit": DAEMON,
    "register_before_commit": DAEMON,
    "extend_before_claim": DAEMON,
    "extend_after_claim": DAEMON,
    "extend_after_journal_begin": DAEMON,
    "extend_after_call": DAEMON,
    "extend_after_journal_end": DAEMON,
    "import_before_commit": IMPORT,
    "import_between_pieces": IMPORT,
    "review_before_commit": REVIEW,
    "worksheet_line_written": SHEET,
    "backup_written": BACKUP,
    "restore_ready": RESTORE,
    "restore_aside": RESTORE,
    "restore_in_place": RESTORE,
    "restore_before_commit": RESTORE,
    "lease_before_commit": DAEMON,
    "lease_after_commit": DAEMON,
}
"""Point -> the process that passes it."""

ELSEWHERE = frozenset({"copy_before_commit"})
"""Points that no life of a shop passes: tests/store/test_moving.py kills a move to another database there."""

OF_FILES = frozenset({"restore_ready", "restore_aside", "restore_in_place"})
OF_FLEETS = frozenset({"restore_before_commit", "lease_before_commit", "lease_after_commit"})

OFTEN = frozenset({"poll_before_commit", "sweep_before_commit", "send_after_call", "finish_before_commit", "journal_before_sync"})
"""Points that one life passes several times: the kill may wait for a later passage."""


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """How one daemon will die: at a point (`name` or `name:3`), or so many seconds after its start."""

    crash_at: str = ""
    seconds: float = 0.0
    cold: bool = False


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One round of a shop: time jumps, orders come in, commands run beside the lives of its daemons."""

    jump: float
    orders: tuple[str, ...]
    lives: tuple[Life, ...] = ()
    lose_queue: bool = False
    """A fleet's queue is lost before the round; else its workers wait until the locks of the dead are tidied away."""
    restart: bool = False
    """A fleet's database server is restarted meanwhile; nobody types a command."""
    knocks: bool
    command: str = ""
    """The command that is killed in this round, at `crash_at` or after `seconds`; empty: the daemons are."""
    crash_at: str = ""
    seconds: float = 0.0
    beside: tuple[str, ...] = ()


def named_in_code() -> frozenset[str]:
    """The points that the product names."""
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / "tracker").rglob("*.py"))
    return frozenset(name for text in texts for name in re.findall(r"\bfault\(\"(\w+)\"\)", text))


def points(*, fleet: bool) -> tuple[str, ...]:
    """Those that such a shop passes."""
    others = OF_FILES if fleet else OF_FLEETS
    return tuple(point for point in POINTS if point not in others)


def rounds(seed: str, kills: int, workers: int, where: Sequence[str], *, aimed: float = 0.7) -> list[Round]:
    """The plan of one shop: so many kills in all. Every point once before any comes again, random instants in between.

    `aimed` is the share of kills at points.
    """
    random = Random(seed)  # noqa: S311 - a plan that can be played again
    deck, left = cycle(where), kills
    made = [Round(jump=0.0, orders=(*KINDS, *KINDS), knocks=False, lives=_somewhere(random, min(workers, left)))]
    left -= len(made[0].lives)
    while left > 0:
        point = next(deck) if random.random() < aimed else ""
        who = POINTS.get(point, DAEMON)
        if not point and random.random() < 0.1:
            who = IMPORT
        found = _round(random, who, point, min(workers, left))
        made.append(replace(found, jump=FIRST_JUMP) if len(made) == 1 else found)
        left -= len(found.lives) if not found.command else 1
    return made


def _round(random: Random, who: str, point: str, workers: int) -> Round:
    # A dead daemon is started again at once, as systemd does; now and then nobody does it for hours.
    jump = 0.0 if random.random() < 0.35 else random.uniform(1, 8) * HOUR
    names, weights = list(KINDS), [kind.weight for kind in KINDS.values()]
    orders = tuple(random.choices(names, weights, k=random.randint(3, 7)))
    calm = Round(
        jump=jump,
        orders=orders if random.random() < 0.6 or who == IMPORT else (),
        knocks=point.startswith("push") or random.random() < 0.15,
        beside=tuple(each for each in ("review", "hold", "tasks") if random.random() < 0.2),
    )
    if who != DAEMON:
        return replace(calm, command=who, crash_at=point, seconds=random.uniform(0.02, 0.4))
    if workers > 1:
        calm = replace(calm, restart=random.random() < 0.08, lose_queue=random.random() < 0.9)
    # Whoever of a fleet gets the work passes the point: all but one wait for it.
    aimed = max(workers - 1, 1)
    lives = [
        Life(crash_at=_passage(random, point), seconds=_seconds(random), cold=random.random() < 0.03 / aimed)
        for _ in range(aimed)
    ]
    lives += _somewhere(random, workers - aimed)
    random.shuffle(lives)
    return replace(calm, lives=tuple(lives))


def _somewhere(random: Random, count: int) -> tuple[Life, ...]:
    return tuple(Life(seconds=_seconds(random)) for _ in range(count))


def _passage(random: Random, point: str) -> str:
    return f"{point}:{random.randint(1, 3)}" if point in OFTEN else point


def _seconds(random: Random) -> float:
    """Half of the lives end while the daemon starts, the others when it has come to act."""
    return random.uniform(0.1, 1.2) if random.random() < 0.4 else random.uniform(1.0, 3.2)
