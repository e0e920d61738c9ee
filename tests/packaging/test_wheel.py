"""The wheel, installed in an empty environment outside the checkout, is the whole product: code, defaults, demo."""

import zipfile
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT, Run

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(300), pytest.mark.xdist_group("packaging")]


def test_the_wheel_holds_the_product_and_nothing_else(wheel: Path) -> None:
    """Two packages with their type markers, the defaults, the licence; no test, no cache."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {"tracker/py.typed", "carriers/py.typed", "tracker/cli/__init__.py"} <= names
    assert {name.split("/")[0] for name in names} == {"tracker", "carriers", "logistics_tracker-0.1.0.dist-info"}
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".db"))]
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_every_default_is_in_the_wheel_unchanged(wheel: Path) -> None:
    """`config/` travels as tracker/_defaults, byte for byte."""
    here = {
        f"tracker/_defaults/{path.relative_to(ROOT / 'config')}": path.read_bytes() for path in (ROOT / "config").rglob("*.*")
    }
    with zipfile.ZipFile(wheel) as archive:
        there = {name: archive.read(name) for name in archive.namelist() if name.startswith("tracker/_defaults/")}
    assert "tracker/_defaults/tracker.toml" in there
    assert there == here


def test_the_units_are_in_the_wheel_unchanged(wheel: Path) -> None:
    """`systemd/` travels as tracker/_systemd: `init --system` needs no source tree."""
    with zipfile.ZipFile(wheel) as archive:
        there = {name: archive.read(name) for name in archive.namelist() if name.startswith("tracker/_systemd/")}
    assert there == {f"tracker/_systemd/{path.name}": path.read_bytes() for path in (ROOT / "systemd").iterdir()}


def test_the_code_comes_from_the_wheel(run: Run, home: Path) -> None:
    """The other tests of this module would be worth nothing if the checkout were still found."""
    result = run("python", "-c", "import carriers, tracker; print(carriers.__file__, tracker.__file__, sep='\\n')")
    assert result.returncode == 0, result.stderr
    assert all(Path(line).is_relative_to(home) for line in result.stdout.splitlines())


def test_help_names_the_commands(run: Run) -> None:
    """The console script is there and starts."""
    result = run("tracker", "--help")
    assert result.returncode == 0, result.stderr
    assert all(command in result.stdout for command in ("init", "run", "import", "explain", "demo"))


def test_the_shipped_defaults_pass_the_check(run: Run) -> None:
    """`config check` needs neither a config nor a database: it reads what the wheel brought."""
    result = run("tracker", "config", "check")
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_defaults_are_read_from_the_wheel(run: Run, home: Path) -> None:
    """Spoil the installed copy and the check finds it: so it was this copy that was read before."""
    (installed,) = home.rglob("_defaults/tracker.toml")
    good = installed.read_text(encoding="utf-8")
    installed.write_text(good + "\nthis is no toml\n", encoding="utf-8")
    try:
        result = run("tracker", "config", "check")
    finally:
        installed.write_text(good, encoding="utf-8")
    assert result.returncode == 1, result.stdout + result.stderr
    assert "tracker.toml" in result.stdout + result.stderr


def test_the_demo_runs_outside_the_checkout(run: Run, home: Path) -> None:
    """Five days of the story through the real pipeline: carrier stand-in, database and mailbox included."""
    result = run("tracker", "demo", "--days", "5", "--dir", "story")
    assert result.returncode == 0, result.stdout + result.stderr
    assert list((home / "story").rglob("*.db"))
    assert "Traceback" not in result.stdout + result.stderr
