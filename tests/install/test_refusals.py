"""What cannot become a service is refused before anything is written, with the way that works."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.install.conftest import NOW, Install, content, notes, told
from tests.install.test_first_time import needs_sysusers
from tracker.cli import main
from tracker.install import Did, Machine, Refused, StepFailed, install
from tracker.install.machine import Account
from tracker.journal import Journal
from tracker.model import Channel

PASSWD = "tracker:x:{uid}:1000:Trudy Acker:/srv/trudy:{login}\n"


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    """A machine that says it is a live one with a systemd, in a folder that nothing may be written to."""
    monkeypatch.setattr(Machine, "booted", property(lambda _: True))
    monkeypatch.setattr(Machine, "live", property(lambda _: True))
    monkeypatch.setattr(Machine, "is_root", property(lambda _: True))
    monkeypatch.setattr(Machine, "ask", lambda *_: pytest.fail("a program of this very machine would have been run"))
    return Machine(tmp_path)


def refused(machine: Machine, *, prefix: str | None = None, dry_run: bool = False) -> str:
    with pytest.raises(Refused) as error:
        install(machine, prefix=prefix, enable=False, dry_run=dry_run, now=NOW)
    assert content(machine.root) == {}
    return str(error.value)


def test_only_root_can(here: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Machine, "is_root", property(lambda _: False))
    assert "sudo tracker init --system" in refused(here)


def test_a_machine_without_systemd_hears_what_works(here: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also as root, and also on a dry run: a folder of its own is the way."""
    monkeypatch.setattr(Machine, "booted", property(lambda _: False))
    for dry_run in (False, True):
        said = refused(here, dry_run=dry_run)
        assert "no systemd runs here" in said
        assert "tracker init DIR" in said


def test_a_source_tree_is_not_made_a_service(here: Machine) -> None:
    """Whoever may edit the tree could change what root's command and the service run."""
    assert "there is no /opt/tracker/bin/tracker" in refused(here)


@pytest.mark.parametrize("prefix", ["opt/tracker", "/opt/my tracker", "/opt/%i", "/", "/opt/tracker/"])
def test_a_prefix_must_fit_into_a_unit(here: Machine, prefix: str) -> None:
    assert "--prefix" in refused(here, prefix=prefix)


@pytest.mark.parametrize(("uid", "shell"), [(1000, "/bin/bash"), (1000, ""), (0, "/usr/sbin/nologin")])
def test_an_account_of_a_person_is_not_taken(root: Path, setup: Install, uid: int, shell: str) -> None:
    """A person called tracker would own all buyers' data, and the daemon her files."""
    (root / "etc").mkdir()
    (root / "etc/passwd").write_text(PASSWD.format(uid=uid, login=shell))
    with pytest.raises(Refused, match=r"can log in.*usermod --shell"):
        setup()
    assert set(content(root)) == {"etc/passwd"}


@needs_sysusers
def test_an_account_of_the_daemon_is_kept(root: Path, setup: Install) -> None:
    """For instance one of an earlier installation: it only joins the group."""
    (root / "etc").mkdir()
    (root / "etc/passwd").write_text(PASSWD.format(uid=450, login="/usr/sbin/nologin"))
    assert told(setup())["tracker, tracker-ops"] is Did.DONE
    account = Machine(root).account("tracker")
    assert account == Account(450, 1000, "/usr/sbin/nologin")
    assert Machine(root).has_accounts()


def test_a_python_that_the_service_cannot_see_is_told(root: Path, setup: Install) -> None:
    """The unit hides home folders: an environment made from somebody's own Python would not start (203/EXEC)."""
    home = root / "opt/tracker"
    (home / "bin").mkdir(parents=True)
    (home / "bin/tracker").touch()
    (home / "pyvenv.cfg").write_text("home = /home/ann\n")
    report = setup()
    assert told(report)["/opt/tracker/bin/tracker"] is Did.NEEDS_YOU
    assert "PYTHON=/usr/bin/python3" in notes(report)["/opt/tracker/bin/tracker"]
    (home / "pyvenv.cfg").write_text("home = /usr/bin\n")
    assert told(setup())["/opt/tracker/bin/tracker"] is Did.KEPT


def test_nothing_is_written_through_a_link(root: Path, setup: Install, tmp_path: Path) -> None:
    """A root folder is a border: an image may hold links that would lead to this machine's own files."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "etc").symlink_to(outside)
    with pytest.raises(StepFailed, match="leads out of"):
        setup()
    assert list(outside.iterdir()) == []


@needs_sysusers
def test_what_stands_in_the_way_is_left_and_told(root: Path, setup: Install, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "usr/local/bin").mkdir(parents=True)
    (root / "usr/local/bin/tracker").write_text("another program of that name")
    (root / "var/lib/tracker").mkdir(parents=True)
    (root / "var/lib/tracker/inbox").symlink_to(outside)
    report = setup()
    assert told(report)["/usr/local/bin/tracker"] is Did.NEEDS_YOU
    assert told(report)["/var/lib/tracker/inbox"] is Did.NEEDS_YOU
    assert (root / "usr/local/bin/tracker").read_text() == "another program of that name"
    assert list(outside.iterdir()) == []


def test_a_disk_that_cannot_be_written_is_named(root: Path, setup: Install) -> None:
    (root / "etc").write_text("no folder")
    with pytest.raises(StepFailed, match=r"etc/passwd: Not a directory"):
        setup()


# ---------------------------------------------------------------------------------------------------------- the command line


def test_options_of_a_service_need_system(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["init", str(tmp_path / "shop"), "--dry-run"]) == 2
    assert main(["init", "--system", "--rehearsal", "--root", str(tmp_path)]) == 2
    assert "belong to tracker init --system" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@needs_sysusers
def test_the_command_tells_each_step_and_what_comes_next(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--system", "--root", str(root)]) in {0, 3}
    said = capsys.readouterr().out
    assert "done       /etc/tracker/tracker.toml" in said
    assert "sudo usermod -aG tracker-ops NAME" in said
    assert "sudo systemctl enable --now tracker" in said
    main(["init", "--system", "--root", str(root), "--json"])
    document = json.loads(capsys.readouterr().out)
    assert {step["path"]: step["did"] for step in document["steps"]}["/etc/tracker/tracker.toml"] == "kept"
    assert any("systemctl restart tracker" in line for line in document["next"])


def test_a_refusal_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, nothing done: this machine itself, which the fixture makes one without systemd."""
    assert main(["init", "--system"]) == 2
    assert "no systemd runs here" in capsys.readouterr().err


@needs_sysusers
def test_exit_code_3_says_that_something_is_left(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "usr/local/bin").mkdir(parents=True)
    shutil.copy(__file__, root / "usr/local/bin/tracker")
    assert main(["init", "--system", "--root", str(root)]) == 3
    assert "needs you  /usr/local/bin/tracker" in capsys.readouterr().out


def test_no_new_database_beside_a_journal_that_knows_sends(root: Path, setup: Install) -> None:
    """Faults row 36: the database is gone, the send journal is left: what it knows would go out once more."""
    setup()
    state = root / "var/lib/tracker"
    (state / "tracker.db").unlink()
    with Journal(state / "send-journal.jsonl") as book:
        book.begin("order/lume/A-1:stage1:0", attempt=1, channel=Channel.SMTP, now=NOW)
    report = setup()
    assert told(report)["/var/lib/tracker/tracker.db"] is Did.NEEDS_YOU
    assert "tracker db restore FILE" in notes(report)["/var/lib/tracker/tracker.db"]
    assert not (state / "tracker.db").exists()
