"""install-on-a-server.md is followed on a disk of its own: what only root or a running systemd can do is at least known here."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from tests.docs.pages import DOCS
from tests.docs.walkthrough import Block, Step, _missing, blocks, steps
from tracker.cli import main
from tracker.install import Machine

PAGE = DOCS / "how-to" / "install-on-a-server.md"
ROOT = DOCS.parent
BIN = re.compile(r"(?:/opt/tracker/bin/)?tracker")

pytestmark = pytest.mark.skipif(
    any(shutil.which(program) is None for program in ("systemd-sysusers", "systemctl", "make")),
    reason="systemd and make are not on this machine",
)


class Disk:
    """A machine without root and systemd's running part. Unknown commands fail: no line of the page goes untried unseen."""

    def __init__(self, root: Path, read: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self._read = read
        self._monkeypatch = monkeypatch
        self.tried: list[str] = []

    def follow(self, page: str) -> None:
        for block in blocks(page):
            if block.file:
                self._write(block)
            elif block.info == ("console",):
                for step in steps(block.body):
                    self._do(step)

    def _write(self, block: Block) -> None:
        assert block.file is not None
        file = self.root / block.file.lstrip("/")
        file.parent.mkdir(exist_ok=True)
        file.write_text(block.body, encoding="utf-8")

    def _do(self, step: Step) -> None:
        words = shlex.split(step.line)
        while words[0] in {"sudo", "env", "-u"} or "=" in words[0]:
            name, _, value = words[0].partition("=")
            if value:
                self._monkeypatch.setenv(name, str(self.root / value.lstrip("/")))
            del words[: 2 if words[0] == "-u" else 1]
        program, *rest = words
        if BIN.fullmatch(program):
            code, said = self._tracker(rest)
            assert code == step.code, f"$ {step.line}\nexit code {code}\n{said}"
            missing = _missing(step.says, said)
            assert missing is None, f"$ {step.line}\ndoes not say {missing!r} there, but:\n{said}"
            self._monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
        else:
            getattr(self, f"_{program.replace('-', '_')}", self._unknown)(rest)
        self.tried.append(program)

    def _tracker(self, words: list[str]) -> tuple[int, str]:
        self._read()
        system = words[:2] == ["init", "--system"]
        code = main([*words, "--root", str(self.root)] if system else words)
        # Without root the owners are left to a person, which the command says with exit code 3.
        return (0 if system and code == 3 and os.geteuid() != 0 else code), self._read()

    def _make(self, words: list[str]) -> None:
        subprocess.run(["make", "-n", *words], cwd=ROOT, check=True, capture_output=True)

    def _systemctl(self, words: list[str]) -> None:
        verb, *rest = [word for word in words if word != "--now"]
        if verb in {"enable", "disable"}:
            subprocess.run(["systemctl", f"--root={self.root}", verb, *rest], check=True, capture_output=True)
        assert verb in {"enable", "disable", "status", "start", "stop", "restart", "reload", "daemon-reload"}
        assert rest == ([] if verb == "daemon-reload" else ["tracker"])

    def _rm(self, words: list[str]) -> None:
        for word in words:
            path = self.root / word.lstrip("/")
            if word == "-r":
                continue
            if path.is_dir() and "-r" in words:
                shutil.rmtree(path)
            elif word != "/opt/tracker":  # make install was not run here
                path.unlink()

    def _cp(self, words: list[str]) -> None:
        assert (self.root / words[-1].lstrip("/")).is_dir()

    def _usermod(self, words: list[str]) -> None:
        assert Machine(self.root).group(words[1]) is not None

    def _userdel(self, words: list[str]) -> None:
        assert Machine(self.root).account(words[0]) is not None

    def _groupdel(self, words: list[str]) -> None:
        assert Machine(self.root).group(words[0]) is not None

    def _systemd_run(self, words: list[str]) -> None:
        """The account, group and folder of the drop-in above it."""
        given = {word for before, word in pairwise(words) if before == "-p"}
        drop_in = (self.root / "etc/systemd/system/tracker.service.d/private.conf").read_text().splitlines()
        assert {"DynamicUser=yes", "User=tracker-daemon", "UMask=0077"} <= given & set(drop_in)

    def _journalctl(self, words: list[str]) -> None:
        assert words[:2] == ["-u", "tracker"]

    def _git(self, words: list[str]) -> None:
        assert words == ["pull"]

    def _unknown(self, words: list[str]) -> None:
        pytest.fail(f"the page has a command that nobody tries: ... {shlex.join(words)}")


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Disk:
    for name in [name for name in os.environ if name.startswith("TRACKER")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRACKER_CONFIG", str(tmp_path / "etc/tracker/tracker.toml"))
    monkeypatch.setenv("TRACKER__STATE__DIR", str(tmp_path / "var/lib/tracker"))

    def read() -> str:
        captured = capfd.readouterr()
        return captured.out + captured.err

    return Disk(tmp_path, read, monkeypatch)


def test_the_page_leads_to_a_service_and_back(disk: Disk) -> None:
    """Style 13: each command is run where that can be done, and known where it cannot."""
    before = os.umask(0o022)
    try:
        disk.follow(PAGE.read_text(encoding="utf-8"))
    finally:
        os.umask(before)
    assert disk.tried.count("tracker") + disk.tried.count("/opt/tracker/bin/tracker") >= 7
    left = {str(path.relative_to(disk.root)) for path in disk.root.rglob("*") if path.is_file()}
    assert {path for path in left if "tracker" in path} == {
        # made by the page's own two files for the unit, which `systemctl edit` and root put there
        "etc/systemd/system/tracker.service.d/override.conf",
        "etc/systemd/system/tracker.service.d/private.conf",
    }


def test_the_map_and_the_readme_lead_here() -> None:
    assert "how-to/install-on-a-server.md" in (DOCS / "index.md").read_text(encoding="utf-8")
    assert "docs/how-to/install-on-a-server.md" in (ROOT / "README.md").read_text(encoding="utf-8")
