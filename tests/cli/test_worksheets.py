"""Worksheets through the command line, as real files: written by us, changed by another program, and read back."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet

from tests.cli.conftest import Shop
from tests.cli.shell import Shell
from tests.cli.test_people import TEAM, refunds
from tests.desk.world import NOW, World
from tracker.clock import FixedClock
from tracker.config import load
from tracker.desk import worksheet
from tracker.intake.reading import sheets_of
from tracker.model import HoldReason, Intent
from tracker.reports import worksheet as made
from tracker.reports.sheet import write_xlsx
from tracker.store import open_store

AT = ("--at", "2026-03-02T09:00Z")
BY = ("--by", "Mei", *AT)
LANGUAGES = load(None, environ={}).languages
Cells = Mapping[str, object]


def _speak(shop: Shop, language: str) -> None:
    file = shop.folder / "tracker.toml"
    file.write_text(f'{file.read_text(encoding="utf-8")}\n[operators]\nlanguage = "{language}"\n', encoding="utf-8")


def _page(file: Path) -> Worksheet:
    page = openpyxl.load_workbook(file).worksheets[0]
    assert isinstance(page, Worksheet)
    return page


def _column(page: Worksheet, name: str) -> int:
    """Where a column stands, in whatever language it is headed."""
    ways = {each.say(f"worksheet.{name}", zone="Asia/Shanghai") for each in LANGUAGES.values()} | {name}
    [found] = [at for at, cell in enumerate(page[1], start=1) if cell.value in ways]
    return found


def _shown(file: Path, name: str) -> list[Any]:
    page = _page(file)
    return [page.cell(line, _column(page, name)).value for line in range(2, page.max_row + 1)]


def _fill(file: Path, lines: Mapping[str, Cells]) -> Path:
    """Write into the lines of these orders (`A-2 extension`: with that kind in their key), as a person does in a spreadsheet."""
    book = openpyxl.load_workbook(file)
    page = book.worksheets[0]
    assert isinstance(page, Worksheet)
    orders, keys = _column(page, "order"), _column(page, "tracker:key")
    for which, cells in lines.items():
        order, _, intent = which.partition(" ")
        [line] = [
            line
            for line in range(2, page.max_row + 1)
            if page.cell(line, orders).value == order and f":{intent}" in str(page.cell(line, keys).value)
        ]
        for name, value in cells.items():
            page.cell(line, _column(page, name)).value = value
    book.save(file)
    return file


def _exported(shell: Shell, kind: str, *words: str) -> Path:
    file = Path(f"{kind}.xlsx").absolute()
    shell.json(kind, "export", file, "--force", *words)
    return file


def _states(shell: Shell) -> dict[int, tuple[str, str | None]]:
    return {row["id"]: (row["state"], row["amount"]) for row in shell.json("outbox", "list")["outbox"]}


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_tasks_out_and_in_again(shop: Shop, shell: Shell, language: str) -> None:
    """Out in the operators' language, filled in with its words, and closed line by line with what each wants to know."""
    _speak(shop, language)
    say = LANGUAGES[language].say
    file = _exported(shell, "tasks")
    done, unsure = say("worksheet.done"), say("worksheet.unsure")
    _fill(
        file,
        {
            "A-2 stage2": {"decision": unsure},
            "A-2 extension": {"decision": done, "window_end": datetime(2026, 5, 31)},  # noqa: DTZ001 - a cell has no zone
            "A-2 refund": {"decision": done, "amount_paid": 12.5, "reference": "R-4711"},
        },
    )
    tried = shell("tasks", "import", file, *BY, "--dry-run")
    assert tried.code == 0, tried
    assert len(shell.json("tasks", "list")["tasks"]) == 3, "a trial writes nothing"
    said = shell("tasks", "import", file, *BY)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[:3] == tried.out.splitlines()[:3]
    assert shell.json("tasks", "list")["tasks"] == []
    [told] = shell.json("explain", "A-2", *AT)["explanations"]
    facts = {fact["name"]: fact["value"] for fact in told["facts"]}
    assert facts["refunded"] == "2026-03-02, 12.50 USD"
    assert "2026-06-01" in facts["window ends"], "the end of the day where the marketplace is"
    results = [task["result"] for task in shell.json("tasks", "list", "--state", "done")["tasks"]]
    assert {"amount": "12.50", "reference": "R-4711"} in results
    again = shell.json("tasks", "import", file, *BY)
    assert (again["taken"], again["unchanged"], again["refused"], again["rejected_file"]) == (0, 3, 0, None)
    assert [row["decision"] for row in again["rows"]] == ["unsure", "done", "done"]


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_reviews_out_and_in_again(shop: Shop, shell: Shell, language: str) -> None:
    """The sums that it approves are told first (D23); rejected, put off and edited in the same file."""
    _speak(shop, language)
    rows = refunds(shop, B1="3.50", B2="8", B3="9", B4="40")
    say = LANGUAGES[language].say
    words = {word: say(f"worksheet.{word}") for word in ("approve", "reject", "snooze")}
    file = _exported(shell, "review")
    _fill(
        file,
        {
            "B1": {"decision": words["approve"], "note": "checked"},
            "B2": {"decision": words["reject"], "note": "buyer waits"},
            "B3": {"decision": words["snooze"], "until": "2026年3月5日", "note": "asks his post office"},
            "B4": {"decision": words["approve"], "amount": 19.99, "note": "half of it arrived"},
        },
    )
    said = shell("review", "import", file, *BY)
    assert said.code == 0, said
    first = {"en": "Approves 2 refunds, together 23.49 USD.", "zh-CN": "将批准 2 笔退款，合计 23.49 USD。"}
    assert said.out.splitlines()[0] == first[language]
    states = _states(shell)
    assert [states[row] for row in rows] == [("pending", "3.50"), ("cancelled", "8"), ("held", "9"), ("pending", "19.99")]
    again = shell.json("review", "import", file, *BY)
    assert (again["taken"], again["unchanged"], again["silent"], again["approves"]) == (0, 4, 1, {})
    assert _states(shell) == states


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("kind", ["review", "tasks"])
def test_an_unchanged_worksheet_decides_nothing(shop: Shop, shell: Shell, kind: str, language: str) -> None:
    _speak(shop, language)
    before = _states(shell), shell.json("tasks", "list")
    told = shell.json(kind, "import", _exported(shell, kind), *BY)
    assert (told["taken"], told["unchanged"], told["refused"], told["rows"]) == (0, 0, 0, [])
    assert (_states(shell), shell.json("tasks", "list")) == before


ANY = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "text": ANY,
                "evidence": ANY,
                "order": ANY,
                "amount": st.none() | st.decimals(0, 10_000, places=2),
                "deadline": st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds
            }
        ),
        max_size=4,
    ),
    st.sampled_from(sorted(LANGUAGES)),
)
def test_whatever_stands_in_it_nothing_is_decided_before_somebody_decides(
    tmp_path: Path, lines: list[dict[str, Any]], language: str
) -> None:
    """Through a real file: every line comes back with its row, key and version, with no decision, and no amount edited."""
    sent = [
        made.Line(
            row=at,
            key=f"order/lume/{at}:refund:0",
            version=at + 1,
            store="lume",
            amount=cells["amount"],
            deadline=cells["deadline"],
            cells=cells,
        )
        for at, cells in enumerate(lines)
    ]
    setting = made.Setting(phrases=LANGUAGES[language], zones={}, database="abc", at=NOW)
    file = tmp_path / "a.xlsx"
    write_xlsx(file, made.worksheet(made.REVIEW, sent, setting), created=datetime(2026, 3, 1, tzinfo=UTC))
    form = worksheet.Form(
        kind=made.REVIEW,
        version=made.FORMAT,
        database="abc",
        lost=None,
        mark=made.MARK,
        layout=made.LAYOUT[made.REVIEW],
        sometimes=made.SOMETIMES,
        titles=made.titles(made.REVIEW, LANGUAGES.values()),
    )
    sheets = [[(line.number, line.cells) for line in sheet.lines] for sheet in sheets_of(file.read_bytes(), form.layout)]
    back = worksheet.read(sheets, form)
    assert [(each.row, each.key, each.version) for each in back] == [(line.row, line.key, line.version) for line in sent]
    assert [(each.text("decision"), each.text("until"), each.text("note")) for each in back] == [("", "", "")] * len(sent)
    amounts = [(each.text("amount"), each.text("tracker:amount")) for each in back]
    assert [Decimal(shown or 0) for shown, _ in amounts] == [Decimal(known or 0) for _, known in amounts]


def test_what_is_refused_comes_back_to_be_filled_in_again(shop: Shop, shell: Shell) -> None:
    """Exit code 3; each line with its number and what to do; on today's facts, so that the next import takes it."""
    rows = refunds(shop, B1="3.50", B2="8", B3="9")
    file = _exported(shell, "review")
    approve = {"decision": "approve", "note": "checked"}
    _fill(file, {"B1": approve, "B2": approve, "B3": {"decision": "approve"}})
    shell.json("order", "set", "B2", "--note", "news", *AT)
    said = shell("review", "import", file, *BY)
    assert said.code == 3
    lines = _shown(file, "order")
    assert f"line {lines.index('B2') + 2}, B2: the facts have moved since the export" in said.out
    assert f'line {lines.index("B3") + 2}, B3: the reason is missing: write it into "note"' in said.out
    assert "Taken: 1, unchanged: 0, refused: 2, without a decision: 1." in said.out
    rejected = file.with_name("review.rejected.xlsx")
    assert str(rejected) in said.out
    assert _shown(rejected, "order") == ["B2", "B3"]
    assert _shown(rejected, "decision") == [None, "approve"], "what was decided on older facts is decided again"
    assert _shown(rejected, "note") == ["checked", None]
    problems = _shown(rejected, "problem")
    assert [problem.split(":")[0] for problem in problems] == [
        "the facts have moved since the export (version 0, now 1)",
        "the reason is missing",
    ]
    _fill(rejected, {"B2": {"decision": "approve"}, "B3": {"note": "checked"}})
    assert shell("review", "import", rejected, *BY).code == 0
    assert [_states(shell)[row][0] for row in rows] == ["pending"] * 3


def test_nothing_that_was_filled_in_is_overwritten(shop: Shop, shell: Shell) -> None:
    """Exit code 1: none was taken; the next file of refused lines has the next number."""
    file = _fill(_exported(shell, "tasks"), {"A-2 refund": {"decision": "done"}})
    names = []
    for _ in range(2):
        said = shell("tasks", "import", file, *BY, "--json")
        assert said.code == 1
        names.append(Path(said.document["rejected_file"]).name)
    again = shell("tasks", "import", file.with_name(names[1]), *BY, "--json")
    names.append(Path(again.document["rejected_file"]).name)
    assert names == ["tasks.rejected.xlsx", "tasks.rejected-2.xlsx", "tasks.rejected-3.xlsx"]
    tried = shell("tasks", "import", file, *BY, "--dry-run", "--json")
    assert (tried.code, tried.document["rejected_file"], len(list(shop.folder.parent.glob("*.rejected-4.xlsx")))) == (1, None, 0)


def test_the_file_speaks_the_operators_language_also_to_scripts(shop: Shop, shell: Shell) -> None:
    """`--json` is English for ever; the clerk who opens the file reads his own."""
    _speak(shop, "zh-CN")
    file = _fill(_exported(shell, "tasks"), {"A-2 refund": {"decision": "完成"}})
    told = shell("tasks", "import", file, *BY, "--json").document
    assert [(row["problem"], row["message"]) for row in told["rows"]] == [("no_value", '"amount paid" is missing')]
    assert _shown(Path(told["rejected_file"]), "problem") == ["缺少“实付金额”"]


def _through_libreoffice(page: Worksheet) -> None:
    """Numbers as floats, dates as text, a column more, lines in another order, blanks behind, formats lost."""
    rows = [[cell.value for cell in line] for line in page.iter_rows(min_row=2)]
    rows = [[float(cell) if isinstance(cell, int) else cell for cell in row] for row in reversed(rows)]
    head = [cell.value for cell in page[1]]
    page.delete_rows(1, page.max_row)
    page.append([*head[:4], "谁来做", *head[4:]])
    for row in rows:
        page.append([*row[:4], "Mei", *row[4:], None, " "])
    page.append([" ", None])


def test_edited_in_another_program(shop: Shop, shell: Shell) -> None:
    file = _fill(
        _exported(shell, "tasks"),
        {
            "A-2 stage2": {"decision": " 完成 "},
            "A-2 extension": {"decision": "Done", "window_end": "２０２６／５／３１"},
            "A-2 refund": {"decision": "DONE", "amount_paid": "１２．５０ USD", "reference": 4711},
        },
    )
    book = openpyxl.load_workbook(file)
    page = book.worksheets[0]
    assert isinstance(page, Worksheet)
    _through_libreoffice(page)
    book.save(file)
    told = shell.json("tasks", "import", file, *BY)
    assert (told["taken"], told["refused"]) == (3, 0)
    [refund] = [task for task in shell.json("tasks", "list", "--state", "done")["tasks"] if task["kind"] == "refund"]
    assert refund["result"] == {"amount": "12.50", "reference": "4711"}


def test_saved_as_text_it_is_read_as_well(shop: Shop, shell: Shell, tmp_path: Path) -> None:
    """Spreadsheets write what is hidden into a CSV file, too."""
    page = _page(_fill(_exported(shell, "tasks"), {"A-2 stage2": {"decision": "done"}}))
    file = tmp_path / "tasks.csv"
    lines = [",".join(str(cell if cell is not None else "").replace("\n", " ") for cell in row) for row in page.values]
    file.write_text("\r\n".join(lines), encoding="utf-8-sig")
    assert shell.json("tasks", "import", file, *BY)["taken"] == 1


def test_files_that_are_not_ours_to_take(shop: Shop, shell: Shell, tmp_path: Path) -> None:
    tasks, reviews = _exported(shell, "tasks"), _exported(shell, "review")
    wrong = shell("review", "import", tasks, *BY, "--json")
    assert (wrong.code, wrong.document["error"]["kind"]) == (1, "other_kind")
    assert "tracker tasks import" in wrong.document["error"]["message"]
    other = tmp_path / "other.xlsx"
    openpyxl.Workbook().save(other)
    strange = shell("review", "import", other, *BY, "--json")
    assert (strange.code, strange.document["error"]["kind"]) == (1, "no_worksheet")
    assert shell("review", "import", tmp_path / "none.xlsx", *BY).code == 1
    (tmp_path / "text.xlsx").write_text("hello")
    assert shell("review", "import", tmp_path / "text.xlsx", *BY).code == 1
    second = tmp_path / "second"
    shell.config = None
    assert shell("init", second, "--rehearsal", "--at", "2026-03-01").code == 0
    shell.config = second / "tracker.toml"
    foreign = shell("review", "import", reviews, *BY, "--json")
    assert (foreign.code, foreign.document["error"]["kind"]) == (1, "other_database")


def test_a_backup_that_was_put_back_knows_the_worksheets_from_before_it(shop: Shop, shell: Shell, tmp_path: Path) -> None:
    """Faults row 36: what was exported between backup and restore speaks of facts that are lost; moving house loses none."""
    before, between = tmp_path / "before.xlsx", tmp_path / "between.xlsx"
    shell.json("tasks", "export", before)
    shell.json("db", "backup", tmp_path / "backup.db")
    shell.json("tasks", "export", between)
    shell.json("db", "restore", tmp_path / "backup.db", "--without-journal", "--reason", "the disk broke")
    for file in (before, between):
        _fill(file, {"A-2 stage2": {"decision": "done"}})
    refused = shell("tasks", "import", between, *BY, "--json")
    assert (refused.code, refused.document["error"]["kind"]) == (1, "older_life")
    assert shell.json("tasks", "import", before, *BY)["taken"] == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("review", "import", "x.xlsx", "--store", "lume"), "leave out --store"),
        (("tasks", "import", "x.xlsx", "--carrier", "yanwen", "--store", "lume"), "leave out --store and --carrier"),
        (("tasks", "export", "x.csv"), "should end in .xlsx"),
        (("review", "export", "x.xlsx", "--mine", "--to", "Lin"), "not both"),
        (("review", "export", "x.xlsx", "--mine"), "without a team.toml"),
    ],
)
@pytest.mark.usefixtures("shop")
def test_wrong_usage(shell: Shell, words: tuple[str, ...], says: str) -> None:
    """DESIGN, commands: --by together with --carrier or --store is a usage error."""
    said = shell(*words, "--by", "Mei")
    assert said.code == 2
    assert says in said.err


def test_a_worksheet_that_somebody_fills_in_is_not_written_over(shop: Shop, shell: Shell) -> None:
    refunds(shop, B1="3.50")
    for kind, order in (("review", "B1"), ("tasks", "A-2 stage2")):
        file = _fill(_exported(shell, kind), {order: {"note": "asked the buyer"}})
        before = file.read_bytes()
        said = shell(kind, "export", file)
        assert (said.code, "give another name, or --force" in said.err) == (1, True)
        assert shell(kind, "export", file, "--json").document["error"]["kind"] == "file_exists"
        assert file.read_bytes() == before
        assert shell(kind, "export", file, "--force").code == 0
        assert "asked the buyer" not in _shown(file, "note")


def test_the_sum_is_of_what_was_taken(shop: Shop, shell: Shell) -> None:
    """Mei may not approve the large one: neither tried nor written, neither first nor again is it in the sum."""
    (shop.folder / "team.toml").write_text(TEAM, encoding="utf-8")
    refunds(shop, B1="3.50", B2="8")
    file = _exported(shell, "review", *AT)
    _fill(file, {"B1": {"decision": "approve", "note": "so"}, "B2": {"decision": "approve", "amount": 300, "note": "so"}})
    by = ("--by", "mei", *AT)
    for words in (("--dry-run",), ()):
        said = shell("review", "import", file, *by, *words)
        assert (said.code, said.out.splitlines()[0]) == (3, "Approves 1 refunds, together 3.50 USD."), said
    again = shell("review", "import", file, *by)
    assert (again.code, "Approves" in again.out) == (3, False)
    assert "Taken: 0, unchanged: 1, refused: 1" in again.out


@pytest.mark.parametrize(
    "words", [("review", "list"), ("tasks", "list"), ("review", "export", "n.xlsx"), ("tasks", "export", "n.xlsx")]
)
@pytest.mark.usefixtures("shop")
def test_a_store_that_nobody_knows_is_no_all_clear(shell: Shell, words: tuple[str, ...]) -> None:
    said = shell(*words, "--store", "lumee")
    assert (said.code, said.out, "did you mean lume?" in said.err) == (2, "", True)
    assert not Path("n.xlsx").exists()
    assert shell(*words, "--store", "Lume").code == 0


def test_whose_lines(shop: Shop, shell: Shell) -> None:
    """A person's worksheet: his tasks, and the recommendations of the stores he looks after or stands in for."""
    (shop.folder / "team.toml").write_text(
        TEAM.replace('zone = "Asia/Shanghai"\n', 'zone = "UTC"\nstores = ["lume"]\n', 1), "utf-8"
    )
    shell.json("tasks", "assign", shop.task, "--to", "mei", "--by", "lin", *AT)
    assert shell.json("tasks", "export", "a.xlsx", "--to", "Mei Wang", *AT)["rows"] == 1
    assert _shown(Path("a.xlsx"), "whose") == ["Mei Wang"]
    assert shell.json("tasks", "export", "a.xlsx", "--force", "--mine", "--by", "lin", *AT)["rows"] == 0
    away = ("--at", "2026-03-12T09:00Z")
    assert shell.json("tasks", "export", "a.xlsx", "--force", "--mine", "--by", "lin", *away)["rows"] == 1
    assert shell.json("review", "export", "a.xlsx", "--force", "--mine", "--by", "mei", *AT)["rows"] == 1
    assert shell.json("review", "export", "a.xlsx", "--force", "--mine", "--by", "mei", *away)["rows"] == 0, "Lin stands in"
    stranger = shell("review", "import", "a.xlsx", "--by", "Ana", *AT)
    assert (stranger.code, "nobody of the team" in stranger.err) == (2, True)


def test_a_second_person_imports_the_same_file(shop: Shop, shell: Shell) -> None:
    """D23: the first import is the first yes, and the next worksheet says whose it was."""
    (shop.folder / "team.toml").write_text(TEAM, encoding="utf-8")
    [row] = refunds(shop, B1="60")
    file = _fill(_exported(shell, "review", *AT), {"B1": {"decision": "approve", "note": "checked"}})
    first = shell("review", "import", file, "--by", "mei", *AT)
    assert (first.code, "waits for a second person, Mei Wang has approved it" in first.out) == (0, True)
    assert _states(shell)[row][0] == "held"
    shell.json("review", "export", "next.xlsx", *AT)
    assert "Mei Wang" in _shown(Path("next.xlsx"), "first_yes")
    assert shell.json("review", "import", file, "--by", "mei", *AT)["unchanged"] == 1
    assert shell.json("review", "import", file, "--by", "lin", *AT)["taken"] == 1
    assert _states(shell)[row][0] == "pending"


def _held_messages(shop: Shop) -> None:
    """Two texts of a store in mode approve; the second one's parcel is not known, so it cannot be written."""

    async def fill() -> None:
        store = await open_store(f"sqlite:///{shop.folder / 'tracker.db'}", clock=FixedClock(NOW))
        try:
            world = World(store)
            held = {"hold": HoldReason.MESSAGE_NEEDS_APPROVAL}
            order = await world.order("M-1", "RB123456728CN", buyer_name="Ana Kanarie")
            await world.effect(order, Intent.STAGE2, shipment="RB123456728CN", **held)
            await world.effect(await world.order("M-2"), Intent.STAGE2, template="none_such", **held)
        finally:
            await store.close()

    asyncio.run(fill())


@pytest.mark.parametrize(("language", "twin"), [("en", "RB123456728CN"), ("zh-CN", "包裹")])
def test_a_text_that_waits_stands_beside_its_twin(shop: Shop, shell: Shell, language: str, twin: str) -> None:
    """D22, mode approve: who says yes to a text reads it, in the buyer's language and in his own; also why there is none."""
    _speak(shop, language)
    _held_messages(shop)
    file = _exported(shell, "review", *AT)
    texts = dict(zip(_shown(file, "order"), zip(_shown(file, "text"), _shown(file, "twin"), strict=True), strict=True))
    assert "RB123456728CN" in texts["M-1"][0]
    assert twin in texts["M-1"][1] != texts["M-1"][0]
    assert texts["M-2"][0].startswith("[there is no text")
    assert texts["A-1"] == (None, None)
    told = shell.json("review", "import", _fill(file, {"M-1": {"decision": "approve", "note": "reads well"}}), *BY)
    assert (told["taken"], told["approves"]) == (1, {})


def _import_and_die(shop: Shop, file: Path, point: str) -> int:
    words = ["review", "import", str(file), *BY, "--config", str(shop.folder / "tracker.toml")]
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from tracker.cli import main; sys.exit(main(sys.argv[1:]))", *words],
        env={**os.environ, "TRACKER_CRASH_AT": point},
        capture_output=True,
        check=False,
    )
    return done.returncode


def test_killed_in_the_middle_and_repeated(shop: Shop, shell: Shell) -> None:
    """Each line in a transaction of its own: what was taken is unchanged the second time, the rest is taken."""
    refunds(shop, B1="3.50", B2="8", B3="9")
    decided: Callable[[str], Cells] = lambda note: {"decision": "approve", "note": note}  # noqa: E731 - one line a row
    file = _fill(_exported(shell, "review"), {"B1": decided("a"), "B2": decided("b"), "B3": decided("c")})
    assert _import_and_die(shop, file, "worksheet_line_written:2") == -signal.SIGKILL
    told = shell.json("review", "import", file, *BY)
    assert (told["taken"], told["unchanged"], told["refused"], told["approves"]) == (1, 2, 0, {"USD": "9"})
