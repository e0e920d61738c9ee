"""From the wheel to the service: installed, set up on a disk of its own, started as the unit says, heard as by systemd."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.packaging.conftest import Run

pytestmark = [
    pytest.mark.packaging,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("packaging"),
    pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="systemd-sysusers is not on this machine"),
]

SOURCE = '\n[[source]]\nid = "17track"\nadapter = "seventeen_track"\nsecrets = { api_key = "credential:17track-key" }\n'
PATIENCE = 30.0


class Manager:
    """Starts a unit's command with the environment that systemd gives it, and hears what it says."""

    def __init__(self, root: Path, prefix: Path, notify: Path) -> None:
        self._root, self._notify = root, notify
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(notify))
        self._socket.settimeout(0.2)
        self.said: list[str] = []
        self.unit = (root / "etc/systemd/system/tracker.service").read_text(encoding="utf-8").splitlines()
        self.prefix = prefix
        self.process: subprocess.Popen[str] | None = None

    def value(self, key: str) -> list[str]:
        return [line.partition("=")[2] for line in self.unit if line.startswith(f"{key}=")]

    def start(self, *, credentials: bool = True) -> None:
        """What the unit says of program, environment, folders, credentials and umask, below the root folder."""
        state = self._root / "var/lib" / self.value("StateDirectory")[0]
        environ = dict(line.split("=", 1) for line in self.value("Environment"))
        environ["TRACKER_CONFIG"] = str(self._root / environ["TRACKER_CONFIG"].lstrip("/"))
        environ |= {
            "PATH": "/usr/bin:/bin",
            "STATE_DIRECTORY": str(state),
            # tracker.toml names /var/lib/tracker, which the real machine's daemon would take.
            "TRACKER__STATE__DIR": str(state),
            "NOTIFY_SOCKET": str(self._notify),
            "WATCHDOG_USEC": "1000000",
        }
        if credentials:
            name, _, source = self.value("LoadCredential")[0].partition(":")
            given = self._notify.parent / "credentials"
            given.mkdir(exist_ok=True)
            shutil.copy(self._root / source.lstrip("/"), given / name)
            environ["CREDENTIALS_DIRECTORY"] = str(given)
        self.process = subprocess.Popen(
            self.value("ExecStart")[0].split(),
            env=environ,
            cwd=state,
            umask=int(self.value("UMask")[0], 8),
            stderr=subprocess.PIPE,
            text=True,
        )

    def hears(self, *words: str) -> bool:
        """Whether all of these are said from now on, in this order."""
        left, until = list(words), time.monotonic() + PATIENCE
        while left and time.monotonic() < until:
            with contextlib.suppress(TimeoutError):
                message = self._socket.recv(4096).decode()
                self.said.append(message)
                if left[0] in message:
                    left.pop(0)
        return not left

    def tell(self, name: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(name)

    def end(self) -> tuple[int, str]:
        """Exit code, and the log."""
        assert self.process is not None
        _, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, errors

    def close(self) -> None:
        self._socket.close()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


@pytest.fixture
def disk(run: Run, home: Path, tmp_path: Path) -> Path:
    """Set up by the installed command; exit code 3 where owners could not be given."""
    root = tmp_path / "root"
    done = run("tracker", "init", "--system", "--root", str(root), "--prefix", str(home / "env"))
    assert done.returncode == (0 if os.geteuid() == 0 else 3), done.stdout + done.stderr
    return root


@pytest.fixture
def manager(disk: Path, home: Path, tmp_path: Path) -> Iterator[Manager]:
    listening = Manager(disk, home / "env", tmp_path / "notify")
    yield listening
    listening.close()


def add(file: Path, text: str) -> None:
    with file.open("a", encoding="utf-8") as opened:
        opened.write(text)


def without_last_line(text: str) -> str:
    return "".join(text.splitlines(keepends=True)[:-1])


def edited(file: Path, change: Callable[[str], str]) -> None:
    file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")


def test_it_lives_as_systemd_expects(manager: Manager, disk: Path) -> None:
    """READY when all is good, WATCHDOG while it works, RELOADING and READY around a SIGHUP, STOPPING and 0 at the end."""
    toml = disk / "etc/tracker/tracker.toml"
    add(toml, SOURCE)
    add(disk / "etc/tracker/secrets.toml", '17track-key = "kanarie-source-k3y"\n')
    manager.start()
    assert manager.hears("READY=1", "WATCHDOG=1", "WATCHDOG=1"), manager.said
    add(toml, "[engine\n")
    manager.tell(signal.SIGHUP)
    assert manager.hears("RELOADING=1\nMONOTONIC_USEC=", "READY=1\nSTATUS=new configuration rejected"), manager.said
    edited(toml, without_last_line)
    manager.tell(signal.SIGHUP)
    assert manager.hears("RELOADING=1\nMONOTONIC_USEC=", "READY=1"), manager.said
    manager.tell(signal.SIGTERM)
    assert manager.hears("STOPPING=1"), manager.said
    code, log = manager.end()
    assert code == 0, log
    assert "kanarie-source-k3y" not in log + "".join(manager.said)


def test_what_the_daemon_makes_is_the_groups(manager: Manager, disk: Path) -> None:
    """UMask= of the unit and the setgid bit: members of the group write beside it."""
    manager.start()
    assert manager.hears("READY=1")
    made = [path for path in (disk / "var/lib/tracker").rglob("*") if path.is_file()]
    assert {"tracker.db", "tracker.db-wal", "tracker.db.lock", "send-journal.jsonl"} <= {path.name for path in made}
    working = [path for path in made if path.parent.name != "backups"]
    assert {path.name: path.stat().st_mode & 0o067 for path in working} == {path.name: 0o060 for path in working}
    manager.tell(signal.SIGTERM)
    assert manager.end()[0] == 0


@pytest.mark.parametrize("handed_over", [True, False], ids=["no key in secrets.toml", "no LoadCredential= in the unit"])
def test_without_its_credentials_it_says_which(manager: Manager, disk: Path, handed_over: bool) -> None:
    """Exit code 78: systemd does not start it again, and the log says line and file."""
    add(disk / "etc/tracker/tracker.toml", SOURCE)
    manager.start(credentials=handed_over)
    code, log = manager.end()
    assert code == 78, log
    assert "credential 17track-key" in log or "secrets.toml has no 17track-key" in log
    assert "tracker.toml:" in log
    assert "Traceback" not in log
