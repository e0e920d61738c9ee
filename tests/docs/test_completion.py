"""The completion files work in the shells that this machine has."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs.completion import FILES

FOLDER = Path(__file__).parents[2] / "tracker" / "completion"


@pytest.mark.parametrize("name", FILES)
def test_the_shell_can_read_its_file(name: str) -> None:
    shell = shutil.which(FILES[name])
    if shell is None:
        pytest.skip(f"{FILES[name]} is not installed here")
    said = subprocess.run([shell, "-n", FOLDER / name], capture_output=True, text=True, check=False, timeout=50)
    assert (said.returncode, said.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed here")
@pytest.mark.parametrize(("typed", "offered"), [(("tracker", "rev"), "review"), (("tracker", "review", "app"), "approve")])
def test_bash_offers_what_fits(typed: tuple[str, ...], offered: str) -> None:
    """The Tab key, pressed by a script."""
    words = " ".join(typed)
    press = f'source "$0"; COMP_WORDS=({words}); COMP_CWORD={len(typed) - 1}; _tracker; echo "${{COMPREPLY[@]}}"'
    said = subprocess.run(["bash", "-c", press, FOLDER / "tracker.bash"], capture_output=True, text=True, check=True, timeout=50)
    assert offered in said.stdout.split()
