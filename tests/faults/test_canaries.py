"""The search for canaries is itself tried: it finds each kind of leak, names the test, and is loud when it looks at nothing.

Faults rows 26 and 27. The search itself runs over every test of the suite: tests/canaries.py.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from tests import canaries, house
from tests.channels.conftest import outgoing
from tests.desk import world
from tests.store import build

ROOT = Path(__file__).resolve().parents[2]
SLOW = 240
"""Seconds: a whole pytest inside one, on a machine that is busy with the others."""

CONFTEST = """\
import pytest

from tests.canaries import Watch
from tracker import log


def pytest_configure(config):
    config.pluginmanager.register(Watch(config), "canaries")


@pytest.fixture(autouse=True)
def _log():
    import io

    log.configure("json", io.StringIO())
"""

LEAKS = """\
import subprocess, sys

from tests import canaries
from tracker.log import Event, get_logger


def test_log():
    get_logger().error(Event.SWEEP_PARKED, order="1", error="the buyer " + canaries.BUYER)

def test_masked_in_the_log():
    get_logger().error(Event.SWEEP_PARKED, order="1", error=f"{canaries.TAX_NUMBER} and mei@desk.example")

def test_stderr():
    print(canaries.PHONE, file=sys.stderr)

def test_stderr_that_was_read(capfd):
    print(canaries.ADDRESS, file=sys.stderr)
    assert capfd.readouterr().err

def test_child():
    program = f"import sys; print('login {canaries.secret('smtp')}', file=sys.stderr)"
    subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

def test_journal(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "send-journal.jsonl").write_text(canaries.MAIL)

def test_metrics(tmp_path):
    (tmp_path / "metrics.prom").write_text("x{account='" + canaries.secret("push") + "'} 1")

def test_health(tmp_path):
    (tmp_path / "health.json").write_text(canaries.TAX_NUMBER.replace(".", ""))

def test_logfile(tmp_path):
    (tmp_path / "stderr.jsonl").write_bytes(b"\\xff" + canaries.secret("token").upper().encode())

def test_dump(tmp_path):
    (tmp_path / "core.4711").write_text(canaries.secret("token"))

def test_clean(tmp_path):
    print(canaries.BUYER)
    (tmp_path / "orders.csv").write_text(canaries.BUYER)
    (tmp_path / "metrics.prom").write_text("tracker_up 1")
"""

IMPORTED = """\
import sys
from datetime import UTC, datetime

from tests import house
from tracker.clock import FixedClock


async def test_imported(tmp_path):
    async with house.database(tmp_path, FixedClock(house.START)) as store:
        await house.bring(store, [house.order("1", buyer_name="Zbigniew Nobody")], [], house.START)
    print("parked: Zbigniew Nobody", file=sys.stderr)
"""


def _run(folder: Path, tests: str, *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_inner.py").write_text(tests)
    (folder / "pytest.ini").write_text(f"[pytest]\ntestpaths = .\nasyncio_mode = auto\npythonpath = {ROOT}\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:cov", *words]
    # Its output is full of finds, which are not this test's own: pipes that nobody reads through `communicate`.
    with (folder / "out").open("w+") as out:
        # Options of the outer run (coverage, say) are none of its business.
        own = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
        code = subprocess.run(command, cwd=folder, env=own, stdout=out, stderr=out, check=False, timeout=SLOW).returncode
        out.seek(0)
        return subprocess.CompletedProcess(command, code, out.read())


@pytest.mark.timeout(SLOW)
def test_every_kind_of_leak_fails_the_test_that_leaks(tmp_path: Path) -> None:
    """Faults 26 and 27: the run fails and names the tests, across workers too; what is data, or was masked, is left alone."""
    said = _run(tmp_path, LEAKS + IMPORTED, "test_inner.py", "-n", "1")
    named = set(re.findall(r"^ERROR test_inner\.py::(\w+)", said.stdout, re.MULTILINE))
    every = set(re.findall(r"def (test_\w+)", LEAKS + IMPORTED))
    assert said.returncode == pytest.ExitCode.TESTS_FAILED, said.stdout
    assert named == every - {"test_clean", "test_masked_in_the_log"}, said.stdout
    for kind in (*canaries.KINDS, "dump", "planted"):
        assert re.search(rf"canaries: searched .*\b[1-9]\d* {kind}\b", said.stdout), kind


@pytest.mark.timeout(SLOW)
def test_a_whole_run_that_saw_nothing_is_broken(tmp_path: Path) -> None:
    """Faults 26 and 27: a search that looks at nothing finds nothing, for ever; that must not look like success."""
    said = _run(tmp_path, "def test_quiet(): pass\n")
    assert said.returncode == pytest.ExitCode.TESTS_FAILED, said.stdout
    assert "canaries: saw no log, no stderr, no child, no journal, no metrics, no health, no logfile, no planted" in said.stdout


def test_the_common_builders_plant_canaries() -> None:
    """Faults 26 and 27: orders, messages and accounts of these tests carry what is searched for."""
    order, message = house.order("1"), outgoing()
    planted = (
        order.buyer_name,
        order.buyer_email,
        order.buyer_phone,
        order.tax_number,
        message.recipient,
        message.recipient_name,
    )
    for each in (*planted, build.order().buyer_name, build.order().tax_number, house.TOKEN):
        assert canaries.PLANTED.search(str(each)), each
    assert canaries.TAX_NUMBER in Path(world.__file__).read_text() or "canaries.TAX_NUMBER" in Path(world.__file__).read_text()


@pytest.mark.parametrize("before", ["", "x", "xy", "\0user\0"])
@pytest.mark.parametrize("planted", [canaries.BUYER, canaries.MAIL, canaries.secret("smtp"), canaries.ADDRESS])
def test_a_canary_is_known_in_base64(planted: str, before: str) -> None:
    """Fault 26: a login on the wire, a basic authorisation, a mail's encoded word."""
    assert canaries.PLANTED.search(b64encode((before + planted).encode()).decode())
