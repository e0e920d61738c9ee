"""Every command answers `--json` with one document, has an example in its help, and knows the common options."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cyclopts import App

from tests.cli.conftest import Shop
from tests.cli.shell import Shell
from tracker.cli import main
from tracker.cli.app import COMMANDS, build
from tracker.intake.past import COLUMNS

AT = ("--at", "2026-03-02T09:00Z")
ANSWER = Path(__file__).parents[1] / "samples" / "carriers" / "seventeen_track"

CASE = ("--kind", "bad_review", "--id", "C-1", "--by", "Mei")
STORM = ("--from", "2026-03-01", "--to", "2026-03-20", "--days", "5", "--country", "BR", "--cause", "en=a strike")
BEFORE: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("cases show", "cases done", "cases export", "cases import"), ("cases", "add", "{order}", *CASE, *AT)),
    "advisory end": ("advisory", "add", *STORM, "--by", "Mei", *AT),
}
"""What has to be there first."""

CASES: dict[str, tuple[tuple[Any, ...], int, set[str]]] = {
    "init": (("new", "--rehearsal"), 0, {"config", "database", "rehearsal", "written"}),
    "run": (("--once", *AT), 0, {"imported", "asked", "unasked", "decided", "dispatched", "down"}),
    "import": (("{orders}", *AT), 0, {"files"}),
    "carriers list": ((), 0, {"carriers"}),
    "carriers parse": (("seventeen_track", "{answer}"), 0, {"carrier", "results", "error"}),
    "carriers status": (AT, 1, {"at", "accounts", "without_source"}),  # nobody is configured who could be asked
    "services": (("--unmatched",), 0, {"services", "unmatched"}),
    "explain": (("{order}", *AT), 0, {"explanations"}),
    "review list": ((), 0, {"reviews"}),
    "review show": (("{refund}",), 0, {"review"}),
    "review approve": (("{refund}", "--reason", "checked", "--by", "Mei", *AT), 0, {"results"}),
    "review snooze": (("{refund}", "--until", "2026-03-04", "--reason", "asks his post office", *AT), 0, {"results"}),
    "review edit": (("{refund}", "--amount", "9.90", "--reason", "half of it arrived", *AT), 0, {"results"}),
    "review reject": (("{refund}", "--reason", "buyer waits", *AT), 0, {"results"}),
    "tasks list": ((), 0, {"tasks"}),
    "tasks show": (("{task}",), 0, {"task"}),
    "tasks take": (("{task}", *AT), 0, {"results"}),
    "tasks done": (("{extension}", "--window-end", "2026-05-01", *AT), 0, {"results"}),
    "tasks drop": (("{task}", "--reason", "buyer cancelled", *AT), 0, {"results"}),
    "tasks assign": (("{task}", "--to", "Lin", *AT), 0, {"results"}),
    "review export": (("review.xlsx",), 0, {"file", "rows"}),
    "review import": (("{worksheet}", *AT), 0, {"approves", "taken", "unchanged", "refused", "silent", "rows", "rejected_file"}),
    "tasks export": (("tasks.xlsx",), 0, {"file", "rows"}),
    "tasks import": (("{worksheet}", *AT), 0, {"taken", "unchanged", "refused", "silent", "rows", "rejected_file"}),
    "cases list": ((), 0, {"cases"}),
    "cases show": (("C-1",), 0, {"case"}),
    "cases add": (("{order}", *CASE, *AT), 0, {"case"}),
    "cases done": (("C-1", "--answered", "--by", "Mei", *AT), 0, {"case"}),
    "cases export": (("cases.xlsx",), 0, {"file", "rows"}),
    "cases import": (("{worksheet}", "--by", "Mei", *AT), 0, {"taken", "unchanged", "refused", "silent", "rows"}),
    "advisory add": ((*STORM, "--by", "Mei", *AT), 0, {"advisory"}),
    "advisory preview": ((*STORM, *AT), 0, {"parcels"}),
    "advisory end": (("1", "--reason", "over", "--by", "Mei", *AT), 0, {"advisory"}),
    "advisory list": ((), 0, {"advisories"}),
    "report evidence": (("{order}", "--out", "evidence", *AT), 0, {"evidence", "failed"}),
    "report savings": (("--month", "2026-02", *AT), 0, {"month", "lines", "registrations"}),
    "claims list": ((), 0, {"claims"}),
    "claims show": (("1",), 0, {"claim", "history"}),
    "claims explain": (("1",), 0, {"claim", "rule", "phase", "window", "payable", "papers", "attempts_left", "files"}),
    "claims set": (("1", "--note", "seen", "--by", "Mei", *AT), 0, {"claim"}),
    "claims export": (("claims.xlsx",), 0, {"file", "rows"}),
    "claims import": (("{answers}", "--carrier", "yanwen", *AT), 1, {"taken", "unchanged", "refused", "rows"}),
    "claims reconcile": (
        ("{statement}", "--carrier", "yanwen", "--month", "2026-02", *AT),
        3,
        {"matched", "partly_paid", "unknown", "used_before", "not_on_statement"},
    ),
    "outbox list": (("--state", "unknown"), 0, {"outbox"}),
    "outbox show": (("{doubtful}",), 0, {"row"}),
    "outbox resolve": (("{doubtful}", "--to", "sent", "--reason", "provider's log", *AT), 0, {"results"}),
    "plan": (("--until", "+3d", *AT), 0, {"at", "until", "config", "orders", "totals", "days"}),
    "apply": (("{plan}", *AT), 0, {"planned_at", "config", "planned", "applied", "already", "moved"}),
    "test": ((), 0, {"config", "files", "cases", "failed", "differences"}),
    "backtest": (("{past}",), 0, {"as_of", "orders", "shipped", "open_longer_than", "compared", "suspect", "rejected"}),
    "decisions list": (("--limit", "3"), 0, {"decisions"}),
    "decisions withdraw": (("--intent", "stage3", "--reason", "wrong day", "--dry-run"), 0, {"cancelled", "dropped", "left"}),
    "hold list": ((), 0, {"holds"}),
    "hold show": (("{hold}",), 0, {"hold"}),
    "hold release": (("{hold}", "--by", "Mei", *AT), 0, {"results"}),
    "pause": (("--template", "stage2", "--reason", "new wording", "--by", "Mei", *AT), 0, {"pause", "stopped", "deadlines"}),
    "resume": (("--all", "--by", "Mei", *AT), 0, {"ended", "outlook", "dry_run"}),
    "backlog list": (AT, 0, {"skipped", "in_line", "held"}),
    "backlog settle": (("--as", "skip", "--reason", "told by hand", "--by", "Mei", *AT), 0, {"settled", "refused", "in_line"}),
    "order set": (("{order}", "--vip", *AT), 0, {"order"}),
    "status": (AT, 1, {"orders", "outbox", "tasks", "needs_person", "rehearsal", "sources", "reviews"}),
    "doctor": (("--offline",), 0, {"findings"}),
    "logs": (("{parcel}", *AT), 0, {"stories"}),
    "worker forget": (("tokyo-1", "--by", "Mei", *AT), 1, {"worker", "forgotten", "message", "journal"}),  # a file has no workers
    "config check": ((), 0, {"config", "errors", "warnings", "problems"}),
    "config show": (("--section", "tracker"), 0, {"settings"}),
    "config schema": (("store",), 0, {"name", "schema"}),
    "config accept": (("{rules}", *AT), 0, {"config", "accepted", "already", "released"}),
    "db upgrade": ((), 0, {"from", "to"}),
    "db check": ((), 0, {"found", "needed", "verdict", "findings", "last_backup"}),
    "db backup": (("copy.db",), 0, {"path", "taken_at", "bytes", "rows"}),
    "db restore": (
        ("{folder}/tracker.db", "--without-journal", "--by", "Mei", "--reason", "never had one", "--dry-run"),
        0,
        {"taken_at", "sent", "unknown", "lost", "held", "held_until", "open_tasks", "missing_journals", "dry_run"},
    ),
    "db copy": (("--to", "sqlite:///moved.db"), 0, {"tables", "rows"}),
    "db purge": (AT, 0, {"orders", "parcels", "files", "journal_bytes"}),
    "db retire": (("--by", "Mei", "--reason", "moved"), 0, {"retired", "at", "by", "reason", "to"}),
    "report handover": (AT, 0, {"at", "since", "zone", "due", "at_risk", "sent", "decided", "closed", "waits"}),
    "report month-end": (("--month", "2026-03", "--out", "reports"), 0, {"month", "claims", "files"}),
}
MAKES_ONE = {"init", "db restore"}
TELLS_ITSELF = {"doctor"}
"""Commands whose findings say that there is no database."""
WITHOUT_DATABASE = {"backtest", "test", "carriers list", "carriers parse", "config check", "config schema", "config show"}


def _commands(app: App, path: tuple[str, ...]) -> Iterator[str]:
    names = [name for name in app if not name.startswith("-")]
    if not names:
        yield " ".join(path)
    for name in names:
        yield from _commands(app[name], (*path, name))


ALL = sorted(command for name in COMMANDS for command in _commands(build(name)[name], (name,)))


def test_the_table_knows_every_command() -> None:
    """All but the demo, whose own tests tell its story."""
    assert sorted([*CASES, "demo"]) == ALL


def _words(name: str, shop: Shop, tmp_path: Path) -> list[str]:
    if name in BEFORE:
        words = [word.format(order=shop.order) for word in BEFORE[name]]
        assert main([*words, "--config", str(shop.folder / "tracker.toml")]) == 0
    orders = tmp_path / "orders.csv"
    orders.write_text("订单号,平台渠道,店铺账号,国家二字码,运单号\n", encoding="utf-8")
    known = {
        **{field: str(getattr(shop, field)) for field in shop.__struct_fields__},
        "answers": str(_text(tmp_path / "answers.csv", "运单号,结果\nLX000000005CN,拒赔\n")),
        "statement": str(_text(tmp_path / "statement.csv", "运单号,金额,币种\nLX000000005CN,3,USD\n")),
        "orders": str(Path(__file__).parents[1] / "samples" / "imports" / "aliexpress_orders_zh.xls"),
        "answer": str(next(iter(sorted(ANSWER.glob("*.json"))))),
        "worksheet": str(_worksheet(name, shop, tmp_path)),
        "plan": str(_plan(name, shop, tmp_path)),
        "past": str(_past(tmp_path)),
    }
    return [*name.split(), *(str(word).format(**known) for word in CASES[name][0])]


def _plan(name: str, shop: Shop, tmp_path: Path) -> Path:
    """What the command before it has saved."""
    file = tmp_path / "plan.json"
    if name == "apply":
        assert main(["plan", "--out", str(file), "--config", str(shop.folder / "tracker.toml"), *AT]) == 0
    return file


def _text(file: Path, text: str) -> Path:
    file.write_text(text, encoding="utf-8")
    return file


def _past(tmp_path: Path) -> Path:
    """One past order."""
    file = tmp_path / "past.csv"
    file.write_text(f"{','.join(COLUMNS)}\na1,BR,SP,shipped,2025-03-01,2025-03-01,2025-03-03,,2025-04-02\n", encoding="utf-8")
    return file


def _worksheet(name: str, shop: Shop, tmp_path: Path) -> Path:
    """What the command before it has exported, for one that imports it."""
    file = tmp_path / "out.xlsx"
    if CASES[name][0][:1] == ("{worksheet}",):
        assert main([name.split(maxsplit=1)[0], "export", str(file), "--config", str(shop.folder / "tracker.toml")]) == 0
    return file


@pytest.mark.parametrize("name", sorted(CASES))
def test_json_is_one_document_and_nothing_else(name: str, shop: Shop, shell: Shell, tmp_path: Path) -> None:
    """Operator experience section 5: a schema version, and nothing but the document on stdout."""
    words = _words(name, shop, tmp_path)
    if name in WITHOUT_DATABASE | {"init"}:
        shell.config = None
    said = shell(*words, "--json")
    assert said.code == CASES[name][1], said
    assert said.document["schema_version"] == 1
    assert CASES[name][2] <= set(said.document)


@pytest.mark.parametrize("name", sorted(CASES))
def test_text_says_something_and_is_not_json(name: str, shop: Shop, shell: Shell, tmp_path: Path) -> None:
    words = _words(name, shop, tmp_path)
    if name in WITHOUT_DATABASE | {"init"}:
        shell.config = None
    said = shell(*words)
    assert said.code == CASES[name][1], said
    assert said.out.strip()
    assert not said.out.startswith("{") or name == "config schema"
    assert "\x1b" not in said.out, "no colours into a pipe"


@pytest.mark.parametrize("name", ALL)
def test_every_help_has_an_example(name: str, shell: Shell) -> None:
    said = shell(*name.split(), "--help")
    assert said.code == 0
    plain = " ".join(said.out.split())
    assert f"Example: tracker {name}" in plain
    assert "--json" in plain


@pytest.mark.parametrize("name", [name for name in sorted(CASES) if name not in WITHOUT_DATABASE | MAKES_ONE | TELLS_ITSELF])
def test_without_a_database_the_next_command_is_named(name: str, shop: Shop, shell: Shell, tmp_path: Path) -> None:
    """Exit code 2; with --json the error is a document too."""
    words = _words(name, shop, tmp_path)
    (shop.folder / "tracker.db").unlink()
    said = shell(*words, "--json")
    assert (said.code, said.document["error"]["kind"]) == (2, "no_database")
    assert "tracker init" in said.document["error"]["message"]


READERS = {
    "advisory preview",
    "backlog list",
    "carriers status",
    "explain",
    "logs",
    "plan",
    "report evidence",
    "report handover",
    "report savings",
    "status",
}
WRITERS = [name for name in sorted(CASES) if "--at" in map(str, CASES[name][0]) and name not in READERS]


@pytest.mark.parametrize("name", WRITERS)
def test_at_is_for_rehearsals_where_a_command_writes(name: str, shell: Shell, tmp_path: Path, shop: Shop) -> None:
    """DESIGN "How it runs": writing at another time than now needs the mark in the database."""
    words = _words(name, shop, tmp_path)
    (shop.folder / "tracker.db").unlink()
    shell.config = None
    assert shell("init", shop.folder).code == 0
    shell.config = shop.folder / "tracker.toml"
    said = shell(*words, "--json")
    assert (said.code, said.document["error"]["kind"]) == (2, "not_a_rehearsal"), said
