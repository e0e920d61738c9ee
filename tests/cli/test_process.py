"""The command as a process: what a shell, a pipe and systemd see."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Shop

TRACKER = [sys.executable, "-c", "import sys; from tracker.cli import main; sys.exit(main())"]
ROOT = Path(__file__).parents[2]


def _environ(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def _run(*words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TRACKER, *map(str, words)], capture_output=True, text=True, check=False, timeout=50, env=_environ(**more)
    )


@pytest.mark.parametrize(
    ("words", "code"),
    [(("--version",), 0), ((), 0), (("reviw",), 2), (("run", "--nope"), 64), (("run", "--once", "--nope"), 2)],
)
def test_the_exit_code_reaches_the_shell(words: tuple[str, ...], code: int) -> None:
    """facts/systemd.md section 6: only the resident `tracker run` speaks 64, 74, 75, 78."""
    said = _run(*words)
    assert said.returncode == code
    assert "Traceback" not in said.stderr
    assert (said.stdout == "") is (code != 0)


def test_help_is_cheap() -> None:
    """Nobody waits for databases, templates and schedulers to read which commands there are."""
    heavy = "{'alembic', 'apscheduler', 'babel', 'httpx', 'jinja2', 'pydantic', 'sqlalchemy', 'structlog', 'python_calamine'}"
    probe = f"import sys; from tracker.cli import main; main(['--help']); print(sorted({heavy} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=50, env=_environ())
    assert said.stdout.splitlines()[-1] == "[]"


def test_a_reader_who_leaves_early_causes_no_noise() -> None:
    """`tracker config show | head -1`."""
    command = [*TRACKER, "config", "show"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environ()) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=50) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("words", [("carriers", "list"), ("carriers", "list", "--json")])
def test_a_full_disk_behind_stdout_is_said_in_one_line(words: tuple[str, ...]) -> None:
    """Faults row 4, for `tracker ... > report.txt`."""
    with Path("/dev/full").open("w") as full:
        said = subprocess.run(
            [*TRACKER, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=50, env=_environ()
        )
    assert said.returncode == 1
    assert said.stderr == "tracker: the output could not be written: no space left on the disk\n"


def test_status_is_watched_until_the_keyboard_ends_it(shop: Shop) -> None:
    """Two looks into a pipe, then Ctrl-C."""
    # A job that a shell put into the background was told to ignore the keyboard; a person's terminal does not.
    attentive = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); " + TRACKER[-1]
    words = ["status", "--watch", "--every", "1", "--config", str(shop.folder / "tracker.toml")]
    command = [*TRACKER[:-1], attentive, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=_environ()) as process:
        assert process.stdout is not None
        looks = 0
        for line in process.stdout:
            looks += line.startswith("2 orders, 2 parcels")
            if looks == 2:
                process.send_signal(signal.SIGINT)
                break
        assert process.wait(timeout=50) == 0


def test_colours_and_logs_stay_out_of_stdout(shop: Shop) -> None:
    """Data on stdout, everything else on stderr; a pass logs what it does, and prints one document."""
    said = _run("run", "--once", "--at", "2026-03-02", "--json", "--config", shop.folder / "tracker.toml")
    assert said.returncode == 0
    assert said.stdout.startswith("{")
    assert said.stdout.endswith("}\n")
    assert '"event":' in said.stderr
