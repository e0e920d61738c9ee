"""how-to/add-a-carrier.md: the page's own adapter, in a copy of the tree, under the real contract suite."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.carriers.test_contract import EVERYBODY, ONLINE
from tests.docs.pages import DOCS
from tests.docs.walkthrough import blocks, follow

ROOT = DOCS.parent
PAGE = (DOCS / "how-to" / "add-a-carrier.md").read_text(encoding="utf-8")
ENTRY = "        Description(\n"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what the page touches, with its registry line in place."""
    for name in ("carriers", "tracker", "config"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests" / "carriers", tmp_path / "tests" / "carriers")
    shutil.copytree(ROOT / "tests" / "samples" / "carriers", tmp_path / "tests" / "samples" / "carriers")
    for name in ("tests/__init__.py", "tests/conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (line,) = (block.body for block in blocks(PAGE) if block.body.lstrip().startswith("(\n" + ENTRY))
    registry = tmp_path / "carriers" / "registry.py"
    text = registry.read_text(encoding="utf-8")
    last = text.rindex("    (Description(")
    registry.write_text(text[:last] + line + text[last:], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _python(tree: Path, *words: str) -> tuple[int, str]:
    environ = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, *words], cwd=tree, env=environ, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_page_makes_a_carrier_of_three_things(tree: Path) -> None:
    """DESIGN, "What good looks like": one file, one registry line, a folder of samples, and the contract suite comes free."""
    follow(PAGE, lambda words: _python(tree, "-c", "import sys; from tracker.cli import main; sys.exit(main())", *words))
    # Each test of the suite that fails does so for want of samples; everything else the page's adapter passes.
    code, said = _python(tree, "-m", "pytest", "-q", "tests/carriers/test_contract.py", "-k", "acme", "-p", "no:cacheprovider")
    failed = re.findall(r"^FAILED \S+::(\w+)", said, re.MULTILINE)
    assert (code, failed) == (1, ["test_an_adapter_has_a_sample_for_every_situation"]), said
    assert re.search(r"\d{2,} passed", said), said


def test_the_page_names_every_situation() -> None:
    """A newcomer sees the whole list before the suite tells."""
    assert (
        set(re.findall(r"`(\w+)`", PAGE.partition("lack a sample:")[2].partition("\n\n")[0])) | {"delivered"}
        == EVERYBODY | ONLINE
    )
