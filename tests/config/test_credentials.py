"""`credential:NAME`: a file, or a key of secrets.toml, where systemd hands them over; told where it does not (faults row 26)."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

import pytest

from tracker import config
from tracker.config import ConfigError

SMTP = '[smtp]\nhost = "mail.example"\nfrom = "a@b.example"\npassword = "credential:smtp-password"\n'


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    file = tmp_path / "tracker.toml"
    file.write_text(SMTP)
    return file


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """What systemd makes for a service."""
    folder = tmp_path / "credentials"
    folder.mkdir()
    return folder


def password(toml: Path, given: Path) -> str:
    smtp = config.load(toml, environ={"CREDENTIALS_DIRECTORY": str(given)}, serving=True).settings.smtp
    assert smtp is not None
    assert smtp.password is not None
    return smtp.password.reveal()


def wrong(toml: Path, environ: dict[str, str]) -> str:
    with pytest.raises(ConfigError) as error:
        config.load(toml, environ=environ, serving=True)
    (problem,) = error.value.problems
    assert (problem.line, problem.key) == (4, "smtp.password")
    return problem.message


def test_one_file_holds_them_all(toml: Path, given: Path) -> None:
    (given / "secrets.toml").write_text('# keys\n17track-key = "other"\nsmtp-password = "hunter2"\n')
    assert password(toml, given) == "hunter2"


def test_a_file_of_its_own_goes_first(toml: Path, given: Path) -> None:
    (given / "secrets.toml").write_text('smtp-password = "old"\n')
    (given / "smtp-password").write_text("hunter2\n")
    assert password(toml, given) == "hunter2"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "no credential smtp-password, nor secrets.toml with such a key"),
        ("#there-is-no-secrets.toml", 'secrets.toml has no smtp-password: write smtp-password = "..." into it'),
        ('smtp-password = ""', "secrets.toml has no smtp-password"),
        ("smtp-password = 17", "secrets.toml holds no text as smtp-password"),
        ("smtp-password = hunter2", "secrets.toml is not valid TOML"),
    ],
    ids=["nothing", "the unit's stand-in", "empty", "a number", "no TOML"],
)
def test_what_is_missing_is_named_and_nothing_is_shown(toml: Path, given: Path, text: str | None, said: str) -> None:
    """The stand-in is what the unit's SetCredential= gives where /etc/tracker/secrets.toml is missing."""
    if text is not None:
        (given / "secrets.toml").write_text(text)
    message = wrong(toml, {"CREDENTIALS_DIRECTORY": str(given)})
    assert said in message
    assert "hunter2" not in message


def test_a_person_is_warned_a_service_refused(toml: Path) -> None:
    """An operator's `config check` is no error; a unit that lost its LoadCredential= line must not ask without a key."""
    (warned,) = config.load(toml, environ={}).problems
    assert (warned.level, warned.line) == ("warning", 4)
    assert "only the service sees it" in warned.message
    assert "LoadCredential=secrets.toml" in wrong(toml, {})


def test_the_configuration_of_a_server_shows_who_may_read_it(toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A colleague who is not in the group yet is told which one, once, instead of working on the shipped defaults."""
    stat = Path.stat

    def forbidden(file: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if file == toml:
            raise PermissionError(13, "Permission denied", str(file))
        return stat(file, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(import_module("tracker.config.load"), "SYSTEM", toml)
    monkeypatch.chdir(toml.parent.parent)
    monkeypatch.setattr(Path, "stat", forbidden)
    monkeypatch.setattr(Path, "group", lambda _: "tracker-ops")
    file = config.find(None, {})
    assert file == toml == config.find(toml, {})
    with pytest.raises(ConfigError) as error:
        config.load(file, environ={})
    (problem,) = error.value.problems
    assert problem.message.startswith("cannot be read: Permission denied; members of the group tracker-ops may (usermod -aG")


def test_a_worker_keeps_a_journal_of_its_own_below_the_state_of_all(toml: Path) -> None:
    """facts/systemd.md section 9: the instance of tracker@.service."""
    environ = {"TRACKER_WORKER": "2", "STATE_DIRECTORY": "/var/lib/tracker:/var/lib/tracker/2"}
    settings = config.load(toml, environ=environ).settings
    assert (settings.worker, settings.state_dir) == ("2", Path("/var/lib/tracker"))
    assert settings.journal == Path("/var/lib/tracker/2/send-journal.jsonl")
    toml.write_text('[state]\ndir = "/srv/tracker"\n')
    assert config.load(toml, environ=environ).settings.journal == Path("/srv/tracker/2/send-journal.jsonl")
    assert config.load(toml, environ={}).settings.worker is None
