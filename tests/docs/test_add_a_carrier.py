"""how-to/add-a-carrier.md: the page's own adapter, in a copy of the tree, under the real contract suite."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.carriers.situations import EXPERIMENTAL, FIRST_CLASS
from tests.docs.pages import DOCS
from tests.docs.walkthrough import blocks, follow

ROOT = DOCS.parent
PAGE = (DOCS / "how-to" / "add-a-carrier.md").read_text(encoding="utf-8")
LAST = '    _line("fake"'


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what the page touches, with its registry line in place."""
    for name in ("carriers", "tracker", "config"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests" / "carriers", tmp_path / "tests" / "carriers")
    shutil.copytree(ROOT / "tests" / "samples" / "carriers", tmp_path / "tests" / "samples" / "carriers")
    for name in ("__init__", "conftest", "canaries", "moving", "picking", "ports", "postgres"):
        shutil.copy(ROOT / "tests" / f"{name}.py", tmp_path / "tests" / f"{name}.py")
    shutil.copy(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    (line,) = (block.body for block in blocks(PAGE) if block.body.startswith("    _line("))
    registry = tmp_path / "carriers" / "registry.py"
    text = registry.read_text(encoding="utf-8")
    assert text.count(LAST) == 1
    registry.write_text(text.replace(LAST, line + LAST), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _python(tree: Path, *words: str) -> tuple[int, str]:
    # Not the options of the run that this test belongs to, its coverage for instance.
    environ = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_ADDOPTS": ""}
    done = subprocess.run([sys.executable, *words], cwd=tree, env=environ, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_page_makes_a_carrier_of_three_things(tree: Path) -> None:
    """DESIGN, "What good looks like": one module, a folder of samples, one registry line, and the contract suite comes free."""
    follow(PAGE, lambda words: _python(tree, "-c", "import sys; from tracker.cli import main; sys.exit(main())", *words))
    new = {path.relative_to(tree).parts for path in tree.rglob("*acme*")}
    assert new == {("carriers", "acme.py"), ("tests", "samples", "carriers", "acme")}
    code, said = _python(tree, "-m", "pytest", "-q", "tests/carriers", "-k", "acme", "-p", "no:cacheprovider")
    assert code == 0, said
    assert re.search(r"\d{2,} passed", said), said
    # What the page shows is copied: it is written as everything else here.
    code, said = _python(tree, "-m", "ruff", "check", "--no-cache", "carriers/acme.py")
    assert code == 0, said


def test_the_page_names_every_situation() -> None:
    """A newcomer sees both lists before the suite tells."""
    trial, first = (PAGE.partition(words)[2].partition(".")[0] for words in ("adapter needs", "each situation:"))
    assert set(re.findall(r"`(\w+)`", trial.partition(";")[0])) == EXPERIMENTAL
    assert set(re.findall(r"`(\w+)`", first)) == FIRST_CLASS
