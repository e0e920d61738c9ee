"""A run for one mark looks into the files that name it, and misses none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.picking import left_aside

MARKED = "import pytest\n\npytestmark = pytest.mark.postgres\n"


@pytest.fixture
def room(tmp_path: Path) -> Path:
    (tmp_path / "test_served.py").write_text(MARKED)
    (tmp_path / "test_plain.py").write_text("def test_nothing() -> None: ...\n")
    return tmp_path


@pytest.mark.parametrize(
    ("expression", "name", "aside"),
    [
        ("postgres and not packaging", "test_served.py", False),
        ("postgres and not packaging", "test_plain.py", True),
        ("not packaging and not postgres", "test_plain.py", False),
        ("", "test_plain.py", False),
        ("postgres", "conftest.py", False),
    ],
)
def test_a_file_that_names_the_mark_is_looked_into(expression: str, name: str, aside: bool, room: Path) -> None:
    assert left_aside(room / name, expression) is aside


def test_a_room_whose_conftest_names_the_mark_is_looked_into_as_a_whole(room: Path) -> None:
    """Its fixtures may give the mark to any test: the store's do."""
    (room / "conftest.py").write_text(MARKED)
    assert not left_aside(room / "test_plain.py", "postgres")
