"""The wheel of this checkout, in an environment that sees the runtime dependencies but not the checkout."""

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built as `make setup` installs: without isolation, without a network."""
    target = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = target.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def home(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that holds the wheel and sees the runtime dependencies, but not the checkout.

    A .pth file that names this environment's site-packages adds the dependencies; .pth files in there, the
    checkout's editable one among them, are not read a second time.
    """
    place = tmp_path_factory.mktemp("elsewhere")
    venv.create(place / "env", with_pip=False)
    python = str(place / "env/bin/python")
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps", str(wheel)]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    site = sysconfig.get_path("purelib", vars={"base": str(place / "env"), "platbase": str(place / "env")})
    Path(site, "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return place


@pytest.fixture
def run(home: Path) -> Run:
    """Run a program of the new environment, outside the checkout, with nothing inherited that could lead back to it."""

    def started(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "TRACKER", "COV", "VIRTUAL_ENV"))
        }
        return subprocess.run(
            [str(home / "env/bin" / program), *arguments],
            cwd=home,
            env=kept | {"HOME": str(home), "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    return started
