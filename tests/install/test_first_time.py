"""`tracker init --system` on an empty disk: everything a service needs, with the rights that it needs (facts/systemd.md 9)."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from tests.install.conftest import PREFIX, Install, content, notes, told
from tracker import config
from tracker.install import Did, Machine
from tracker.store import SchemaVerdict, schema_state

needs_sysusers = pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="systemd-sysusers is not on this machine")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to others")
as_a_person = pytest.mark.skipif(os.geteuid() == 0, reason="root can give files to others")

RIGHTS = {
    "/etc/tracker": ("root", "tracker-ops", 0o750),
    "/etc/tracker/stores": ("root", "tracker-ops", 0o750),
    "/etc/tracker/tracker.toml": ("root", "tracker-ops", 0o640),
    "/etc/tracker/stores/example.toml.sample": ("root", "tracker-ops", 0o640),
    "/etc/tracker/tracker.schema.json": ("root", "tracker-ops", 0o640),
    "/etc/tracker/secrets.toml": ("root", "root", 0o600),
    "/var/lib/tracker": ("tracker", "tracker-ops", 0o2770),
    "/var/lib/tracker/inbox": ("tracker", "tracker-ops", 0o2770),
    "/var/lib/tracker/backups": ("tracker", "tracker-ops", 0o2770),
    "/var/lib/tracker/tracker.db": ("tracker", "tracker-ops", 0o660),
    "/etc/systemd/system/tracker.service": ("root", "root", 0o644),
    "/etc/systemd/system/tracker@.service": ("root", "root", 0o644),
    "/etc/systemd/system/tracker.target": ("root", "root", 0o644),
}


@needs_sysusers
def test_everything_is_there_with_its_mode(root: Path, setup: Install) -> None:
    report = setup()
    done = {path for path, did in told(report).items() if did is Did.DONE}
    assert done == {"tracker, tracker-ops", "/usr/local/bin/tracker", *RIGHTS}
    modes = {path: stat.S_IMODE((root / path.lstrip("/")).stat().st_mode) for path in RIGHTS}
    assert modes == {path: mode for path, (_, _, mode) in RIGHTS.items()}
    assert (root / "usr/local/bin/tracker").readlink() == Path(PREFIX, "bin/tracker")
    assert report.first


@needs_sysusers
@as_root
def test_everything_belongs_to_whom_it_should(root: Path, setup: Install) -> None:
    """The daemon writes its state, members of the group too; nobody but root changes rules, and nobody else reads secrets."""
    report = setup()
    machine = Machine(root)
    numbers = {"root": 0}
    for name in ("tracker",):
        account = machine.account(name)
        assert account is not None
        numbers[name] = account.uid
    group = machine.group("tracker-ops")
    assert group is not None
    owned = {path: ((found := (root / path.lstrip("/")).stat()).st_uid, found.st_gid) for path in RIGHTS}
    assert owned == {path: (numbers[user], group[0] if of == "tracker-ops" else 0) for path, (user, of, _) in RIGHTS.items()}
    assert not report.needs_you


@needs_sysusers
@as_a_person
def test_owners_that_cannot_be_given_are_told(setup: Install) -> None:
    """Nothing is faked: whoever may not give files away hears so, and is told who can."""
    report = setup()
    assert {each.path for each in report.outcomes if each.owner is not None} == set(RIGHTS)
    assert "as root" in notes(report)["owners"]
    assert report.needs_you


@needs_sysusers
def test_the_user_cannot_log_in_and_is_in_the_group(root: Path, setup: Install) -> None:
    setup()
    account, group = Machine(root).account("tracker"), Machine(root).group("tracker-ops")
    assert account is not None
    assert group is not None
    assert not account.can_log_in
    assert "tracker" in group[1]


@needs_sysusers
def test_the_configuration_is_good_and_the_database_ready(root: Path, setup: Install) -> None:
    """Commands find the database without systemd's $STATE_DIRECTORY: the file says where it lies."""
    setup()
    loaded = config.load(root / "etc/tracker/tracker.toml", environ={})
    assert loaded.problems == ()
    assert loaded.settings.database_url == "sqlite:////var/lib/tracker/tracker.db"
    assert loaded.settings.inbox == Path("/var/lib/tracker/inbox")
    assert schema_state(f"sqlite:///{root}/var/lib/tracker/tracker.db").verdict is SchemaVerdict.CURRENT
    assert (root / "etc/tracker/tracker.toml").read_text().startswith("#:schema ./tracker.schema.json\n")
    assert '"outreach"' in (root / "etc/tracker/tracker.schema.json").read_text()


@needs_sysusers
def test_the_template_of_secrets_holds_none_and_can_be_filled_in(root: Path, setup: Install) -> None:
    """The names in the two templates fit: whoever takes away the `#` has a working pair."""
    setup()
    secrets = root / "etc/tracker/secrets.toml"
    asked = [line for line in (root / "etc/tracker/tracker.toml").read_text().splitlines() if "credential:" in line]
    for line in asked:
        name = line.partition('"credential:')[2].partition('"')[0]
        assert f"# {name} = " in secrets.read_text()
    assert len(asked) == 2


@needs_sysusers
def test_units_start_this_installation(root: Path, setup: Install) -> None:
    setup(prefix="/srv/tools/tracker-1")
    text = (root / "etc/systemd/system/tracker.service").read_text()
    assert "\nExecStart=/srv/tools/tracker-1/bin/tracker run\n" in text
    assert PREFIX not in text
    assert (root / "usr/local/bin/tracker").readlink() == Path("/srv/tools/tracker-1/bin/tracker")


@needs_sysusers
@pytest.mark.skipif(shutil.which("systemctl") is None, reason="systemctl is not on this machine")
def test_enabling_is_one_option(root: Path, setup: Install) -> None:
    """In a root folder the service starts with that machine; there is nothing to start now."""
    report = setup(enable=True)
    assert told(report)["systemctl enable --now tracker.service"] is Did.DONE
    assert (root / "etc/systemd/system/multi-user.target.wants/tracker.service").is_symlink()


def test_a_dry_run_writes_nothing(root: Path, setup: Install) -> None:
    report = setup(dry_run=True, enable=True)
    assert {did for path, did in told(report).items() if path in RIGHTS} == {Did.WOULD}
    assert list(root.iterdir()) == []


@needs_sysusers
def test_a_dry_run_of_the_second_time_has_nothing_left(setup: Install, root: Path) -> None:
    setup()
    before = content(root)
    assert Did.WOULD not in {each.did for each in setup(dry_run=True).outcomes if each.owner is None} - (
        set() if os.geteuid() == 0 else {Did.WOULD}
    )
    assert content(root) == before


def test_without_sysusers_the_accounts_are_made_by_hand(setup: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way is named, and everything that does not need them is done."""
    monkeypatch.setattr("tracker.install.machine._PROGRAMS", "/nonexistent")
    report = setup()
    assert told(report)["tracker, tracker-ops"] is Did.NEEDS_YOU
    assert "groupadd --system tracker-ops; useradd --system" in notes(report)["tracker, tracker-ops"]
    assert told(report)["/var/lib/tracker/tracker.db"] is Did.DONE
    assert report.needs_you
