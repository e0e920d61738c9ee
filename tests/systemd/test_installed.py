"""The units as `tracker init --system` leaves them on a disk, and with the page's stricter drop-in (facts/systemd.md 3, 9)."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.docs.walkthrough import blocks
from tracker.install import Machine, install

ANALYZE = shutil.which("systemd-analyze")
SYSTEM = Path("/usr/lib/systemd/system")
PAGE = Path(__file__).parents[2] / "docs/how-to/install-on-a-server.md"
DROP_IN = "/etc/systemd/system/tracker.service.d/private.conf"
UNITS = ("tracker.service", "tracker@1.service", "tracker.target")
UNIT = "etc/systemd/system/tracker.service"

pytestmark = pytest.mark.skipif(ANALYZE is None or not SYSTEM.is_dir(), reason="systemd is not on this machine")


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A machine's own units, ours, and the programs that they start."""
    shutil.copytree(SYSTEM, tmp_path / SYSTEM.relative_to("/"), symlinks=True)
    install(Machine(tmp_path), prefix=None, enable=False, dry_run=False, now=datetime(2026, 11, 22, tzinfo=UTC))
    for program in ("opt/tracker/bin/tracker", "bin/kill"):
        (tmp_path / program).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / program).write_text("#!/bin/sh\n")
        (tmp_path / program).chmod(0o755)
    return tmp_path


def drop_in() -> str:
    """The page's stricter variant."""
    (found,) = [block.body for block in blocks(PAGE.read_text(encoding="utf-8")) if block.file == DROP_IN]
    return found


def analyze(disk: Path, *words: str) -> tuple[int, str, str]:
    assert ANALYZE is not None
    command = [ANALYZE, words[0], f"--root={disk}", *words[1:]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    return done.returncode, done.stderr, done.stdout


def test_systemd_has_nothing_to_say(disk: Path) -> None:
    assert analyze(disk, "verify", "--man=no", *UNITS) == (0, "", "")


@pytest.mark.parametrize("slip", [("WatchdogSec=", "WachdogSec="), ("/opt/tracker/bin/tracker", "/opt/tracker/bin/traker")])
def test_silence_means_something(disk: Path, slip: tuple[str, str]) -> None:
    """A misspelt key, a program that is not there."""
    (disk / UNIT).write_text((disk / UNIT).read_text().replace(*slip))
    assert slip[1].rstrip("=") in analyze(disk, "verify", "--man=no", *UNITS)[1]


def test_the_stricter_variant_is_one_that_systemd_takes(disk: Path) -> None:
    """DynamicUser=: no account, state that no other user can enter; the confinement is no weaker."""
    file = disk / DROP_IN.lstrip("/")
    file.parent.mkdir()
    file.write_text(drop_in())
    assert analyze(disk, "verify", "--man=no", "tracker.service") == (0, "", "")
    code, _, said = analyze(disk, "security", "--offline=true", "--threshold=12", "tracker.service")
    assert code == 0, said[-300:]
    file.write_text(drop_in().replace("DynamicUser", "DynamicUsr"))
    assert "DynamicUsr" in analyze(disk, "verify", "--man=no", "tracker.service")[1]
