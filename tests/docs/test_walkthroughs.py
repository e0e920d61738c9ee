"""The how-to pages are true: their commands are run as they stand, in their order, and print what the page shows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.docs.pages import DOCS
from tests.docs.walkthrough import Tracker, follow
from tests.postgres import Server
from tracker.cli import main

ROOT = DOCS.parent
PAGES = DOCS / "how-to"
SCENES = Path(__file__).parent / "scenes"
YEAR = ("first-day", "every-day", "month-end", "fire", "when-it-burns", "moving-house")
"""One shop's way through the handbook; `fire` is a scene: it lights what the page behind it puts out."""

WALKS = {
    "first-day": YEAR,
    "be-told": ("be-told",),
    "advisories": ("advisories",),
    "order-files": ("order-files",),
    "cases": ("cases",),
    "change-the-rules": ("change-the-rules",),
    "connect-a-marketplace": ("connect-a-marketplace",),
    "rehearse": ("rehearse",),
    "stop-and-resume": ("stop-and-resume",),
    "people": ("people",),
    "pushes": ("pushes",),
    "sources": ("sources",),
    "take-over": ("take-over",),
}
"""Pages that go on where the one before them ended share a folder."""

ON_A_SERVER = {"move-to-postgresql": ("first-day", "move-to-postgresql"), "several-machines": ("several-machines",)}
NAMED = "postgresql://tracker@db.example/tracker"


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like the source tree, to start from."""
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    for name in [name for name in os.environ if name.startswith("TRACKER_") and name != "TRACKER_REFERENCE"]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("pages", WALKS.values(), ids=WALKS)
def test_a_page_can_be_followed(pages: tuple[str, ...], clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Style 13: documentation is tested."""
    for page in pages:
        folder = PAGES if (PAGES / f"{page}.md").exists() else SCENES
        follow((folder / f"{page}.md").read_text(encoding="utf-8"), _tracker(capsys))


def _tracker(capsys: pytest.CaptureFixture[str]) -> Tracker:
    def tracker(words: list[str]) -> tuple[int, str]:
        capsys.readouterr()
        code = main(words)
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return tracker


@pytest.mark.postgres
@pytest.mark.parametrize("pages", ON_A_SERVER.values(), ids=ON_A_SERVER)
def test_the_page_about_a_server_can_be_followed_on_one(
    pages: tuple[str, ...], postgres_server: Server, clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Style 13: with a database of a real server in the place of the one that the page names."""
    there = postgres_server.database()
    for page in pages:
        follow((PAGES / f"{page}.md").read_text(encoding="utf-8").replace(NAMED, there), _tracker(capsys))


def test_every_page_is_followed() -> None:
    """add-a-carrier and install-on-a-server have tests of their own: they want a source tree, and a disk."""
    followed = {page for pages in (*WALKS.values(), *ON_A_SERVER.values()) for page in pages}
    assert {path.stem for path in PAGES.glob("*.md")} <= followed | {"add-a-carrier", "install-on-a-server"}


def test_a_page_may_leave_the_clock_to_its_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that take a time get the page's; those that tell their own, and those that live today, are run as they stand."""
    monkeypatch.chdir(tmp_path)
    ran: list[str] = []

    def tracker(words: list[str]) -> tuple[int, str]:
        ran.append(" ".join(words))
        return 0, ""

    console = "```console\n$ tracker status\n$ tracker hold list --at 2026-01-01\n$ tracker db restore a.db\n```\n"
    follow(f"{console}\n<!-- now: 2026-12-01 -->\n\n{console}", tracker)
    asked = ["status", "hold list --at 2026-01-01", "db restore a.db"]
    assert ran == [*asked, "status --at 2026-12-01", *asked[1:]]
