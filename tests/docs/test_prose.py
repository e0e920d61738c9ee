"""Every page: its links lead somewhere, and its command lines are ones that the product takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclopts import CycloptsError

from tests.docs import measures
from tests.docs.commands import commands
from tests.docs.pages import DOCS
from tests.docs.walkthrough import blocks, steps
from tracker.cli.app import COMMANDS, build
from tracker.log.events import Event
from tracker.model.alerts import AlertKind

ROOT = DOCS.parent
FILES = sorted([*DOCS.rglob("*.md"), *(path for path in (ROOT / "README.md", ROOT / "SECURITY.md") if path.exists())])
ALL = dict(commands())
GROUPS = {name.split()[0] for name in ALL}

NEVER_NEEDED = {"carriers list", "demo"}
"""Told in the README and by the reference of sources."""

SAMPLES = {
    **dict.fromkeys(("FILE", "FILE…"), "orders.xls"),
    **dict.fromkeys(("ORDER", "NUMBER"), "1001"),
    **dict.fromkeys(("DATE", "TIME", "D"), "2026-03-01"),
    **dict.fromkeys(("TEXT", "WHY"), "why"),
    "ID": "1",
    "NAME": "tracker",
    "AMOUNT": "1.00",
    "DIR": "shop",
    "PATH": "tracker.toml",
}
"""What stands for a placeholder when a line is tried."""

_LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as hosts of Markdown make them."""
    headings = re.findall(r"^#+ (.*)$", _FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_links_lead_somewhere(path: Path) -> None:
    for link in _LINK.findall(_FENCED.sub("", path.read_text(encoding="utf-8"))):
        if link.startswith(("http://", "https://")):
            continue
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        assert file.exists(), f"{_name(path)}: {link}"
        assert not anchor or anchor in _anchors(file.read_text(encoding="utf-8")), f"{_name(path)}: {link}"


def test_every_page_is_on_the_map() -> None:
    listed = {
        (DOCS / link.partition("#")[0]).resolve() for link in _LINK.findall((DOCS / "index.md").read_text(encoding="utf-8"))
    }
    # performance.md is a record of measurements, for those who change the hot path.
    assert {path for path in DOCS.rglob("*.md") if path.name not in {"index.md", "performance.md"}} <= listed


def _written(path: Path) -> Iterator[str]:
    """Every command line of a page: in running text, in tables, in console blocks."""
    text = path.read_text(encoding="utf-8")
    for block in blocks(text):
        if block.info in {("console",), ("sh",), ("bash",)}:
            body = block.body if "$ " in block.body else "\n".join(f"$ {line}" for line in block.body.splitlines())
            yield from (part.strip() for step in steps(body) for part in step.line.split("&&"))
    yield from _CODE.findall(_FENCED.sub("", text))


LINES = sorted({(_name(path), line) for path in FILES for line in _written(path) if re.match(r"(\S+/)?tracker( |$)", line)})


@pytest.mark.parametrize(("page", "line"), LINES, ids=lambda part: str(part)[:70])
def test_a_command_line_is_one_that_the_command_line_takes(page: str, line: str) -> None:
    """A mere name (`tracker tasks`, `tracker tasks done`) has to exist; anything longer has to parse."""
    words = [SAMPLES.get(word, word) for word in shlex.split(line.replace("…", ""), comments=True)[1:]]
    if " ".join(words) in {*ALL, *GROUPS, *COMMANDS, "", "--help", "--version"}:
        return
    try:
        _, bound, *_ = build(words[0]).parse_args(words, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        pytest.fail(f"{page}: {line}: {error}")
    assert bound is not None


@pytest.mark.parametrize("name", [name for name in ALL if name not in NEVER_NEEDED])
def test_a_command_is_used_somewhere_in_the_handbook(name: str) -> None:
    """A command that no page needs is one that nobody finds."""
    words = re.compile(rf"tracker {name}(?![\w-])")
    used = [path.name for path in (DOCS / "how-to").glob("*.md") if words.search(path.read_text(encoding="utf-8"))]
    assert used, f"no page of docs/how-to uses: tracker {name}"


@pytest.mark.parametrize("name", ["be-told.md", "when-it-burns.md"])
def test_words_that_a_page_takes_from_the_program_exist(name: str) -> None:
    """Metrics, log events and kinds of alert by which somebody is woken, or searches at night."""
    page = (DOCS / "how-to" / name).read_text(encoding="utf-8")
    known = {measures.name_of(each) for each in measures.told()}
    assert set(re.findall(r"\btracker_\w+", page)) <= known
    rooms = {event.value.split(".")[0] for event in Event}
    events = {word for word in re.findall(r"`([a-z]+\.[a-z_]+)`", page) if word.split(".")[0] in rooms}
    assert events <= {event.value for event in Event}
    assert events, "a page about trouble names what the log says"
    assert set(re.findall(r"alerts? `(\w+)`", page)) <= set(AlertKind)


def test_command_lines_were_found_at_all() -> None:
    assert len(LINES) > 60
    assert {page for page, _ in LINES} >= {"docs/how-to/every-day.md", "docs/reference/commands.md", "docs/events.md"}
