"""The house rules that no linter knows: where things lie, how long they are, what no file may hold."""

import re
import shutil
import statistics
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GIT = shutil.which("git")
pytestmark = pytest.mark.skipif(
    GIT is None or not (ROOT / ".git").exists(), reason="reads the list of files from git: run it in a clone"
)

TOP = {
    ".ci",
    ".editorconfig",
    ".gitattributes",
    ".gitignore",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "carriers",
    "config",
    "docs",
    "pyproject.toml",
    "requirements",
    "systemd",
    "tests",
    "tracker",
}
PURE = {
    "model",
    "dates",
    "rules",
    "messages",
    "compensation",
    "policy",
    "timeline",
    "explain",
    "plan",
    "backtest",
    "ruletest",
    "phrases",
    "team",
    "rates",
    "times",
}
LINES_MOST = 400
LINES_MEDIAN = 150

# Written in two halves, so that this file holds none of what it looks for.
LEFT_TO_DO = re.compile(
    "|".join((rf"\b{'TO'}{'DO'}\b", rf"\b{'FIX'}{'ME'}\b", rf"\b{'XX'}{'X'}\b", f"(?<!except )Not{'Implemented'}Error"))
)
ADDRESSES = re.compile(
    "|".join((rf"files\.{'python'}hosted", rf"{'pypi'}\.(org|io)", rf"registry\.{'npmjs'}", rf"deb\.{'debian'}\.org"))
)
SOMEBODYS_PATH = re.compile(rf"(?<![\w./-])/(work|farm|root|{'home'}/\w+|{'Users'}/\w+)/")
MAIL = re.compile(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)*\.[a-z]{2,})\b", re.IGNORECASE)
# RFC 2606 and RFC 6761: names that belong to nobody. Units are written like addresses.
NOBODYS = re.compile(r"(^|\.)(example|invalid|test|localhost|example\.(com|org|net))$|\.(service|target|socket)$", re.IGNORECASE)


def listed(*, others: bool = True) -> list[Path]:
    """Files that are in the repository, relative to its top, and with `others` those that are about to be."""
    assert GIT is not None
    command = [GIT, "ls-files", "-z", "--cached", *(["--others", "--exclude-standard"] if others else [])]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return [Path(name) for name in names if name and (ROOT / name).is_file()]


def texts() -> list[tuple[Path, str]]:
    """Those of the files that are text, with their text."""
    found = []
    for path in listed():
        try:
            found.append((path, (ROOT / path).read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def modules() -> dict[Path, str]:
    """The product's Python files."""
    return {path: text for path, text in texts() if path.parts[0] in {"tracker", "carriers"} and path.suffix == ".py"}


def hits(pattern: re.Pattern[str], files: list[tuple[Path, str]]) -> list[str]:
    """`file:line: what` for each line that the pattern finds."""
    return [
        f"{path}:{number}: {line.strip()[:100]}"
        for path, text in files
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def test_every_top_level_entry_has_its_place() -> None:
    """The first look at the repository shows the house, nothing else; what a user lays beside it is the user's."""
    assert {path.parts[0] for path in listed(others=False)} <= TOP


def test_no_module_is_longer_than_a_reader_bears() -> None:
    """Past 400 lines a module becomes a package, split by noun; half stay under 150. A migration is history, not a module."""
    lengths = {str(path): len(text.splitlines()) for path, text in modules().items() if path.parent.name != "versions"}
    assert {name: lines for name, lines in lengths.items() if lines > LINES_MOST} == {}
    assert statistics.median(lengths.values()) < LINES_MEDIAN


def test_no_module_is_a_drawer() -> None:
    """A name says what belongs inside."""
    drawers = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [str(path) for path in listed() if path.stem in drawers or drawers & set(path.parts)] == []


def test_nothing_is_left_to_do() -> None:
    """What is not finished is not there."""
    assert hits(LEFT_TO_DO, texts()) == []


def test_no_address_of_a_registry() -> None:
    """Which registry serves the pins is the business of the machine that installs them."""
    assert hits(ADDRESSES, texts()) == []


def test_no_path_of_somebodys_machine() -> None:
    """A clone works wherever it lies."""
    assert hits(SOMEBODYS_PATH, texts()) == []


def test_every_mail_address_is_nobodys() -> None:
    """Samples, tests and defaults name no real person: reserved domains only."""
    real = [
        f"{path}: {match.group(0)}"
        for path, text in texts()
        for match in MAIL.finditer(text)
        if not NOBODYS.search(match.group(1))
    ]
    assert real == []


def test_every_pin_has_a_hash_and_runtime_is_part_of_dev() -> None:
    """What users install is what was tested, down to the byte."""
    pins = {}
    for name in ("runtime", "dev"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        blocks = re.split(r"\n(?=[a-z0-9])", text)[1:]
        pins[name] = {block.split(" ", 1)[0] for block in blocks}
        assert [block.split(" ", 1)[0] for block in blocks if "--hash=sha256:" not in block] == []
        assert "://" not in text
    assert pins["runtime"]
    assert pins["runtime"] <= pins["dev"]


def test_lock_files_that_record_addresses_stay_out() -> None:
    """`uv.lock` and `pylock.toml` name the registry that was used."""
    assert GIT is not None
    command = [GIT, "check-ignore", "uv.lock", "pylock.toml"]
    ignored = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    assert ignored == ["uv.lock", "pylock.toml"]


def test_every_pure_module_is_under_the_contract() -> None:
    """The contract of pyproject names what exists; a new pure module is not forgotten there."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (pure,) = [contract for contract in contracts if contract["name"].startswith("The core is pure")]
    present = {path.parts[1].removesuffix(".py") for path in modules() if path.parts[0] == "tracker"} & PURE
    assert set(pure["source_modules"]) == {f"tracker.{name}" for name in present}
