"""The second time: what is missing is repaired, what a person edited is kept, units follow a new version."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from tests.install.conftest import Install, content, notes, told
from tests.install.test_first_time import needs_sysusers
from tracker.install import Did, units

pytestmark = needs_sysusers

TOML = "/etc/tracker/tracker.toml"
SECRETS = "/etc/tracker/secrets.toml"
UNIT = "/etc/systemd/system/tracker.service"
DATABASE = "/var/lib/tracker/tracker.db"


def at(root: Path, path: str) -> Path:
    return root / path.lstrip("/")


def test_nothing_changes(root: Path, setup: Install) -> None:
    setup()
    before = content(root)
    report = setup()
    assert {did for path, did in told(report).items() if path != "owners"} == {Did.KEPT}
    assert not report.first
    assert content(root) == before


@pytest.mark.parametrize(
    "path",
    [TOML, SECRETS, UNIT, DATABASE, "/usr/local/bin/tracker", "/etc/systemd/system/tracker.target", "/var/lib/tracker/inbox"],
)
def test_what_is_missing_comes_back(root: Path, setup: Install, path: str) -> None:
    setup()
    before, real = content(root), at(root, path)
    real.rmdir() if real.is_dir() else real.unlink()
    report = setup()
    assert told(report)[path] is Did.DONE
    assert content(root).keys() == before.keys()
    assert [each for each, did in told(report).items() if did is Did.DONE] == [path]


def test_a_database_that_is_a_link_is_not_opened(root: Path, tmp_path: Path, setup: Install) -> None:
    """SECURITY.md: its folder is the service's. Through a link of its making root would write into a file of its choice."""
    setup()
    foreign = tmp_path / "foreign.db"
    with sqlite3.connect(foreign) as file:
        file.execute("CREATE TABLE mine (id INTEGER)")
    file.close()
    before = foreign.read_bytes()
    at(root, DATABASE).unlink()
    at(root, DATABASE).symlink_to(foreign)
    report = setup()
    assert foreign.read_bytes() == before
    assert (told(report)[DATABASE], notes(report)[DATABASE]) == (Did.KEPT, f"a link to {foreign}")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("foreign")] == ["foreign.db"]


def test_lines_in_another_encoding_are_somebodys_own(root: Path, setup: Install) -> None:
    """A unit or a passwd that is no UTF-8 is no reason to stop half way."""
    setup()
    with at(root, UNIT).open("ab") as unit:
        unit.write("# naïve\n".encode("latin-1"))
    with at(root, "/etc/passwd").open("ab") as accounts:
        accounts.write("zoe:x:4711:4711:Zoë:/:/usr/sbin/nologin\n".encode("latin-1"))
    assert told(setup())[UNIT] is Did.NEEDS_YOU
    assert at(root, UNIT).read_bytes().endswith(b"na\xefve\n")


def test_what_a_person_wrote_stays(root: Path, setup: Install) -> None:
    setup()
    for path in (TOML, SECRETS):
        with at(root, path).open("a") as file:
            file.write("\n# mine\n")
    before = content(root)
    setup()
    assert content(root) == before


def test_what_is_in_the_database_stays(root: Path, setup: Install) -> None:
    setup()
    with sqlite3.connect(at(root, DATABASE)) as database:
        database.execute("UPDATE daemon SET owner = 'mine'")
    database.close()
    assert told(setup())[DATABASE] is Did.KEPT
    with sqlite3.connect(at(root, DATABASE)) as database:
        assert database.execute("SELECT owner FROM daemon").fetchone() == ("mine",)
    database.close()


def test_a_database_of_an_older_version_names_the_upgrade(root: Path, setup: Install) -> None:
    """The upgrade path: new program, `db upgrade`, restart."""
    setup()
    with sqlite3.connect(at(root, DATABASE)) as database:
        database.execute("UPDATE alembic_version SET version_num = '0001'")
    database.close()
    report = setup()
    assert told(report)[DATABASE] is Did.NEEDS_YOU
    assert "tracker db upgrade" in notes(report)[DATABASE]


def test_a_secret_that_others_can_read_is_closed(root: Path, setup: Install) -> None:
    setup()
    at(root, SECRETS).chmod(0o644)
    assert told(setup())[SECRETS] is Did.DONE
    assert stat.S_IMODE(at(root, SECRETS).stat().st_mode) == 0o600


def test_a_state_folder_that_lost_its_group_bit_is_mended(root: Path, setup: Install) -> None:
    """For instance after a restore by hand: without setgid, what a clerk makes is his alone."""
    setup()
    at(root, "/var/lib/tracker").chmod(0o755)
    assert told(setup())["/var/lib/tracker"] is Did.DONE
    assert stat.S_IMODE(at(root, "/var/lib/tracker").stat().st_mode) == 0o2770


@pytest.mark.skipif(os.geteuid() != 0, reason="owners are root's to give")
def test_rights_that_let_the_group_read_are_a_persons_choice(root: Path, setup: Install) -> None:
    """An administrator who lets the group edit the rules is not corrected; one who locked the daemon out is."""
    setup()
    at(root, "/etc/tracker/stores").chmod(0o2770)
    assert told(setup())["/etc/tracker/stores"] is Did.KEPT
    at(root, "/etc/tracker/stores").chmod(0o700)
    assert told(setup())["/etc/tracker/stores"] is Did.DONE
    assert stat.S_IMODE(at(root, "/etc/tracker/stores").stat().st_mode) == 0o750


def other_version(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """The same program, with one more line in its unit."""
    folder.mkdir()
    for name in units.NAMES:
        text = (units.units_dir() / name).read_text(encoding="utf-8")
        (folder / name).write_text(text.replace("TasksMax=64", "TasksMax=96"), encoding="utf-8")
    monkeypatch.setattr(units, "units_dir", lambda: folder)


def test_a_unit_follows_a_new_version(root: Path, setup: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setup()
    other_version(monkeypatch, tmp_path / "newer")
    report = setup()
    assert (told(report)[UNIT], told(report)["/etc/systemd/system/tracker.target"]) == (Did.DONE, Did.KEPT)
    assert "TasksMax=96" in at(root, UNIT).read_text()
    assert told(setup())[UNIT] is Did.KEPT


@pytest.mark.parametrize("edit", [("MemoryMax=512M", "MemoryMax=2G"), ("# tracker init", "# once")], ids=["a line", "the stamp"])
def test_an_edited_unit_stays_and_the_new_one_lies_beside(root: Path, setup: Install, edit: tuple[str, str]) -> None:
    setup()
    unit = at(root, UNIT)
    shipped = unit.read_text()
    unit.write_text(shipped.replace(*edit))
    report = setup()
    assert told(report)[UNIT] is Did.NEEDS_YOU
    assert "systemctl edit tracker.service" in notes(report)[UNIT]
    assert unit.read_text() == shipped.replace(*edit)
    beside = unit.with_name("tracker.service.new")
    assert beside.read_text() == shipped
    beside.replace(unit)
    assert told(setup())[UNIT] is Did.KEPT


def test_a_broken_configuration_stops_nothing_but_the_database(root: Path, setup: Install) -> None:
    setup()
    at(root, DATABASE).unlink()
    at(root, TOML).write_text("[inbox\n")
    report = setup()
    assert told(report)[DATABASE] is Did.NEEDS_YOU
    assert "tracker.toml:1" in notes(report)[DATABASE]
    assert told(report)[UNIT] is Did.KEPT


def test_the_database_is_made_where_the_configuration_says(root: Path, setup: Install) -> None:
    setup()
    toml = at(root, TOML)
    toml.write_text(toml.read_text() + '\n[database]\nurl = "sqlite:///shops.db"\n')
    assert told(setup())["/var/lib/tracker/shops.db"] is Did.DONE
    assert at(root, "/var/lib/tracker/shops.db").stat().st_size > 0
    toml.write_text(toml.read_text().replace("sqlite:///shops.db", "postgresql://db/tracker"))
    assert "another server" in notes(setup())["database"]


def test_the_state_that_systemd_keeps_to_itself_is_left_alone(root: Path, setup: Install) -> None:
    """The stricter variant (DynamicUser=): /var/lib/tracker has become a link, and the owners behind it are systemd's."""
    setup()
    state = at(root, "/var/lib/tracker")
    private = at(root, "/var/lib/private")
    private.mkdir()
    state.rename(private / "tracker")
    state.symlink_to("private/tracker")
    (private / "tracker" / "inbox").chmod(0o700)
    report = setup()
    assert {did for path, did in told(report).items() if path.startswith("/var/lib")} == {Did.KEPT}
    assert stat.S_IMODE((private / "tracker" / "inbox").stat().st_mode) == 0o700
