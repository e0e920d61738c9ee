"""The units in systemd/: accepted by systemd without a word, confined, in step with the exit codes of `tracker run`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "systemd"
# How a file is named when systemd reads it: a template is looked at as one of its instances.
INSTANCES = {
    "tracker.service": "tracker.service",
    "tracker@.service": "tracker@1.service",
    "tracker.target": "tracker.target",
}
SERVICES = ["tracker.service", "tracker@.service"]
ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not on this machine")


def analyze(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze; it needs no running systemd for what is asked here."""
    assert ANALYZE is not None
    return subprocess.run([ANALYZE, *arguments], cwd=cwd, capture_output=True, text=True, timeout=50, check=False)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder of the units as systemd would see them, the program's path replaced by one that exists (verify looks for it)."""
    for name, instance in INSTANCES.items():
        text = (UNITS / name).read_text(encoding="utf-8")
        (tmp_path / instance).write_text(text.replace("/opt/tracker/bin/tracker", "/bin/true"), encoding="utf-8")
    return tmp_path


def settings(name: str) -> dict[str, list[str]]:
    """Each key of a unit with its values, in order; sections do not overlap in keys here."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / name).read_text(encoding="utf-8").splitlines():
        if line and line[0] not in "#[":
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


@needs_systemd
@pytest.mark.parametrize("instance", INSTANCES.values())
def test_systemd_has_nothing_to_say(installed: Path, instance: str) -> None:
    """`verify` exits 0 for unknown keys and bad values too, so silence is what counts."""
    result = analyze("verify", "--man=no", f"./{instance}", cwd=installed)
    assert (result.returncode, result.stderr, result.stdout) == (0, "", "")


@needs_systemd
def test_silence_means_something(installed: Path) -> None:
    """The same check speaks up for one misspelt key."""
    unit = installed / "tracker.service"
    unit.write_text(unit.read_text(encoding="utf-8").replace("WatchdogSec=", "WachdogSec="), encoding="utf-8")
    assert "WachdogSec" in analyze("verify", "--man=no", "./tracker.service", cwd=installed).stderr


@needs_systemd
@pytest.mark.parametrize("name", SERVICES)
def test_exposure_stays_low(installed: Path, name: str) -> None:
    """At most 1.2 of 10; what remains is the network that the daemon is for."""
    result = analyze("security", "--offline=true", "--threshold=12", f"./{INSTANCES[name]}", cwd=installed)
    assert result.returncode == 0, result.stdout[-400:]


@pytest.mark.parametrize("name", SERVICES)
def test_only_a_person_mends_wrong_usage_and_wrong_configuration(name: str) -> None:
    """`tracker run`: 64 usage and 78 configuration or schema stay down; 0, 74 and 75 come back."""
    unit = settings(name)
    assert unit["Restart"] == ["always"]
    assert unit["RestartPreventExitStatus"] == ["64 78"]
    assert "ExecStartPre" not in unit, "its exit code would be retried; `run` makes the same check and answers 78"


@pytest.mark.parametrize("name", SERVICES)
def test_a_daemon_that_is_aborted_leaves_no_memory_behind(name: str) -> None:
    """Faults 26 and 27: the watchdog's SIGABRT would write a core dump, with every secret and every buyer in it."""
    assert settings(name)["LimitCORE"] == ["0"]


def test_the_two_services_differ_only_where_many_workers_must() -> None:
    """One machine or many: the same program under the same limits."""
    one, many = settings("tracker.service"), settings("tracker@.service")
    differing = {key for key in one.keys() | many.keys() if one.get(key) != many.get(key)}
    assert differing == {
        "Description",
        "After",
        "PartOf",
        "Environment",
        "WorkingDirectory",
        "SyslogIdentifier",
        "StateDirectory",
        "RuntimeDirectory",
        "WantedBy",
    }
    assert many["StateDirectory"] == ["tracker tracker/%i"], "each worker keeps a send journal of its own, below what all share"
    assert many["WorkingDirectory"] == ["%S/tracker/%i"]
