"""A worksheet comes back: columns moved, added, renamed, rows sorted, deleted, blanks behind; what is not ours is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.desk.paper import LANGUAGES, Paper
from tracker.desk import Refused, worksheet
from tracker.model import TaskState
from tracker.reports.worksheet import REVIEW, TASKS, task_lines
from tracker.store.rows import TaskItem, TaskView

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def _paper(language: str = "en", database: str = "abc123") -> Paper:
    items = tuple(
        TaskItem(
            row_id=10 + number, key=f"order/lume/A-{number}:stage1:0", order_id=number, order=f"A-{number}", facts={}, version=3
        )
        for number in (1, 2, 3)
    )
    task = TaskView(id=7, kind="stage1", title="t", store="lume", order="A-1", state=TaskState.OPEN, created_at=NOW, items=items)
    paper = Paper(TASKS, list(task_lines([task], LANGUAGES[language])), language, database)
    return paper.fill(1, decision="done", note="pasted")


def _decided(paper: Paper) -> list[tuple[int | None, int | None, str, str]]:
    return [(each.row, each.version, each.text("decision"), each.text("note")) for each in paper.read()]


ALL = [(11, 3, "", ""), (12, 3, "done", "pasted"), (13, 3, "", "")]


def _rename_one(paper: Paper) -> None:
    paper.head[paper.names.index("decision")] = "Was tun?"


def _rename_all(paper: Paper) -> None:
    paper.head = [name if str(name).startswith("tracker:") else f"Spalte {at}" for at, name in enumerate(paper.head)]


def _reorder(paper: Paper) -> None:
    paper.head.reverse()
    paper.rows = [row[::-1] for row in paper.rows]


def _add(paper: Paper) -> None:
    paper.head[3:3] = ["remarks of ours", ""]
    paper.rows = [[*row[:3], "hm", "", *row[3:]] for row in paper.rows]


def _add_and_rename(paper: Paper) -> None:
    _rename_one(paper)
    _add(paper)


def _title_above(paper: Paper) -> None:
    paper.rows = [[""] * len(paper.head), list(paper.head), *paper.rows]
    paper.head = ["What is due on Monday"]


def _blanks(paper: Paper) -> None:
    paper.rows = [*paper.rows, [""] * len(paper.head), [], [" ", "42"]]


def _floats(paper: Paper) -> None:
    paper.rows = [[f"{cell}" if isinstance(cell, float) else cell for cell in row] for row in paper.rows]


def _full_width(paper: Paper) -> None:
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    for line in range(3):
        paper.fill(line, **{"tracker:facts": str(paper.cell("tracker:facts", line)).removesuffix(".0").translate(wide)})


def _drop_columns(paper: Paper) -> None:
    keep = [at for at, name in enumerate(paper.names) if name in {"order", "decision", "note"} or name.startswith("tracker:")]
    paper.head = [paper.head[at] for at in keep]
    paper.rows = [[row[at] for at in keep] for row in paper.rows]


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize(
    "bend",
    [_rename_one, _rename_all, _reorder, _add, _add_and_rename, _title_above, _blanks, _floats, _full_width, _drop_columns],
)
def test_a_bent_worksheet_is_understood(bend: Callable[[Paper], None], language: str) -> None:
    paper = _paper(language)
    bend(paper)
    assert _decided(paper) == ALL


def test_lines_sorted_and_deleted_are_understood() -> None:
    paper = _paper()
    paper.rows = [paper.rows[2], paper.rows[1]]
    assert _decided(paper) == [ALL[2], ALL[1]]


@given(st.permutations(range(3)), st.sampled_from(sorted(LANGUAGES)), st.data())
def test_any_order_of_columns_and_lines(lines: list[int], language: str, data: st.DataObject) -> None:
    paper = _paper(language)
    columns = data.draw(st.permutations(range(len(paper.head))))
    paper.head = [paper.head[at] for at in columns]
    paper.rows = [[paper.rows[line][at] for at in columns] for line in lines]
    assert _decided(paper) == [ALL[line] for line in lines]


def test_a_sum_below_the_lines_is_nobodys_decision_and_a_foreign_one_is_not_dropped_silently() -> None:
    paper = _paper()
    paper.rows.append(["" if name != "amount_paid" else 99.0 for name in paper.names])
    paper.rows.append(["" if name != "decision" else "done" for name in paper.names])
    assert _decided(paper) == [*ALL, (None, None, "done", "")]


def _refused(paper: Paper, form: worksheet.Form | None = None, copies: int = 1) -> Refused:
    with pytest.raises(Refused) as refused:
        worksheet.read([paper.lines] * copies, form or paper.form())
    return refused.value


def test_what_is_no_worksheet_of_ours_is_refused_as_a_whole() -> None:
    paper = _paper()
    paper.head = [name for name in paper.head if not str(name).startswith("tracker:")]
    assert _refused(paper).kind == "no_worksheet"
    assert _refused(_paper(), copies=2).kind == "two_worksheets"
    assert _refused(_paper(database="def456")).kind == "other_database"
    newer = _paper()
    newer.fill(0, **{"tracker:sheet": "tasks/2/abc123/1772368200000"})
    assert _refused(newer).kind == "newer_worksheet"


def test_what_a_restored_backup_does_not_know_is_not_decided() -> None:
    """Faults row 36: exported between backup and restore; the same versions may mean other facts now. A move loses nothing."""
    lost = (NOW - timedelta(hours=1), NOW + timedelta(hours=1))
    assert _refused(_paper(), _paper().form(lost=lost)).kind == "older_life"
    for kept in ((NOW, lost[1]), (lost[0], NOW)):
        assert len(worksheet.read([_paper().lines], _paper().form(lost=kept))) == 3


def test_a_worksheet_of_another_kind_is_told_where_it_belongs() -> None:
    refused = _refused(_paper(), Paper(REVIEW, []).form())
    assert (refused.kind, str(refused)) == ("other_kind", "this is a worksheet of tasks: tracker tasks import FILE --by NAME")


def test_a_lost_column_for_decisions_is_told() -> None:
    paper = _paper()
    at = paper.names.index("decision")
    paper.head[at : at + 2] = ["", "x"]
    assert _refused(paper).kind == "no_decision_column"
