"""karrio's own background poller beside ours, in the same run, where it is installed: `make bench KARRIO=/path/to/python`.

karrio-server is no dependency of ours, of the tests or of CI: it brings 116 MB, and importing it turns certificate checks off for
its whole process (facts: carriers, section 27). It lives in an environment of its own, whose interpreter is named; there
`poller.py` runs its released job, with its best supported settings, against the carrier stand-in. Without one nothing of it is
measured.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from tests.bench.answers import numbers
from tests.bench.product import expect
from tests.bench.report import Line, line, median
from tests.bench.unified import unified
from tests.bench.worker import Figures

VARIABLE = "KARRIO_PYTHON"
LEFT_OUT = (
    "karrio's poller is left out: no interpreter that has karrio-server is named. "
    "To have it: make bench KARRIO=/path/to/python (docs/performance.md says how to install it)"
)
_POLLER = Path(__file__).with_name("poller.py")
_PACKAGES = (
    "karrio_server",
    "karrio_server_events",
    "karrio_server_graph",
    "karrio_server_orders",
    "karrio_server_pricing",
    "karrio_dhl_universal",
)
"""What its settings, its migrations and one connection want; the rest comes with them."""

_VERSION = "import sys; from importlib.metadata import version; print([version(name) for name in sys.argv[1:]][0])"

_SETTINGS: Mapping[str, str] = {
    "DJANGO_SETTINGS_MODULE": "karrio.server.settings",
    "DATABASE_NAME": "karrio.sqlite3",
    "SECRET_KEY": "invented-for-the-benchmark-and-used-nowhere-else",
    "JWT_SECRET": "invented-for-the-benchmark-and-used-nowhere-else",
    "DEBUG_MODE": "False",
    "LOG_LEVEL": "WARNING",
    "KARRIO_LOG_LEVEL": "WARNING",
    "PERSIST_SDK_TRACING": "False",
    "TRACKER_BATCH_DELAY": "0",
}
"""What its documents let an operator set, each the way that costs least. Nothing else of our environment reaches it: no database,
no proxy, no address to report to."""

_PASSES = (("same", "same"), ("one", "1 new"), ("first", "first"))
_AGAIN = "the answer after news, told again"


def version(python: str) -> str:
    """The version of karrio-server that `python` has. Raises RuntimeError, with how to mend it, where it has none."""
    try:
        done = subprocess.run([python, "-I", "-c", _VERSION, *_PACKAGES], capture_output=True, text=True, check=False)
    except OSError as error:
        raise RuntimeError(f"{python} cannot be run ({error.strerror}): name the interpreter that has karrio-server") from error
    if done.returncode != 0:
        raise RuntimeError(f"{python} has no complete karrio-server. Install: {python} -m pip install {' '.join(_PACKAGES)}")
    return done.stdout.strip()


def prepare(python: str, folder: Path) -> None:
    """An empty database of karrio's in `folder`, by its own migrations (a minute or two)."""
    folder.mkdir()
    _run(python, folder, {})


def measure(python: str, template: Path, folder: Path, base_url: str, trackers: int) -> Figures:
    """CPU microseconds a tracker of its job: `first`, `same`, `one` (new scan each), `again` (that answer, told once more).

    `folder` takes a copy of the prepared one. Raises RuntimeError where a pass did not bring the scans that were told: its job
    logs what fails, and would be fast.
    """
    shutil.copytree(template, folder)
    asked = numbers(trackers)
    found = _run(python, folder, {"base_url": base_url, "numbers": asked})
    told = sum(unified(one).count(b'"timestamp"') - 1 for one in asked)
    for cycle, scans in (("first", told), ("same", told), ("one", told + trackers)):
        expect(f'scans that karrio keeps after "{cycle}"', int(found[f"{cycle}_scans"]), scans)
    return found


def _run(python: str, folder: Path, task: Mapping[str, object]) -> Figures:
    """Run the poller in `folder`; its figures are its last line, because others print before it."""
    # Its links are kept: an environment is known by the link to its interpreter.
    command = [os.path.abspath(shutil.which(python) or python), "-I", str(_POLLER)]  # noqa: PTH100
    environment = {"PATH": os.defpath, "WORK_DIR": str(folder), **_SETTINGS}
    given = msgspec.json.encode(task).decode()
    done = subprocess.run(command, cwd=folder, env=environment, input=given, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"karrio's poller failed:\n{done.stderr.strip()}")
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Figures)


def lines(found: Sequence[Figures], ours: Figures, single: Figures) -> list[Line]:
    """How much dearer it is: beside ours as we ask (forty a request), and beside ours where we ask as it does, one a request.

    `ours` and `single` are medians by cycle.
    """
    spent = {name: median(one[name] for one in found) for name in ("first", "same", "one", "again")}
    told = [
        line(f"karrio_{cycle}", spent[cycle], "us", ours[cycle], what=f'karrio\'s poller, "{word}"', against="us ours")
        for cycle, word in _PASSES
    ]
    told.append(line("karrio_again", spent["again"], "us", ours["same"], what=f"  {_AGAIN}", against='us ours, "same"'))
    return told + [
        line(
            f"karrio_single_{cycle}",
            spent[cycle],
            "us",
            single[cycle],
            what=f'  "{word}", both one a request',
            against="us ours, DHL's answers",
        )
        for cycle, word in _PASSES
    ]
