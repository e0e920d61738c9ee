"""The commands on a PostgreSQL: made, moved to, looked at; and its password, which stands nowhere (facts/engine.md section 4)."""

from __future__ import annotations

import asyncio
import builtins
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.cli.conftest import Shop
from tests.cli.shell import Shell
from tests.desk.world import NOW
from tests.postgres import Server
from tracker.clock import FixedClock
from tracker.store import EpochLost, Store, fleet_schema, open_store, schema

pytestmark = pytest.mark.postgres

PASSWORD = "correct horse/battery"


@pytest.fixture
def empty(postgres_server: Server) -> str:
    """A PostgreSQL database without any table."""
    return postgres_server.database()


def _worker(url: str, name: str) -> Store:
    return asyncio.run(open_store(url, clock=FixedClock(NOW), daemon=True, worker=name))


def test_a_shop_moves_and_everything_that_could_be_seen_is_seen_there(shop: Shop, shell: Shell, empty: str) -> None:
    """The one line of configuration: status, lists, explain, plan and tasks say the same of the same shop."""
    questions = (
        ("review", "list"),
        ("tasks", "list"),
        ("outbox", "list"),
        ("hold", "list"),
        ("claims", "list"),
        ("cases", "list"),
        ("decisions", "list"),
        ("backlog", "list"),
        ("explain", shop.order, "--at", "2026-03-01"),
        ("plan", "--at", "2026-03-01"),
        ("services",),
        ("carriers", "status"),
        ("report", "savings"),
    )
    before = {words: _said(shell, *words) for words in questions}
    said = shell("db", "copy", "--to", empty)
    assert said.code == 0
    assert "They are the same." in said.out
    assert "tracker db retire" in said.out
    again = shell("db", "copy", "--to", empty, "--json")
    assert (again.code, again.document["error"]["kind"]) == (1, "conflict")
    _retire_and_point(shop, shell, empty)
    assert {words: _said(shell, *words) for words in questions} == before
    assert shell("db", "check").code == 0
    assert shell("tasks", "take", str(shop.task), "--by", "Mei").code == 0
    assert shell("pause", "--all", "--reason", "a look").code == 0
    assert shell("run", "--once", "--at", "2026-03-02").code == 0


def _said(shell: Shell, *words: str) -> dict[str, Any]:
    """All of it, but when it was said and the hash of a configuration with another address in it."""
    document = shell(*words, "--json").document
    return {key: value for key, value in document.items() if key not in {"at", "config"}}


def _retire_and_point(shop: Shop, shell: Shell, url: str) -> None:
    assert shell("db", "retire", "--by", "Mei", "--reason", "moved", "--to", "the fleet").code == 0
    toml = shop.folder / "tracker.toml"
    toml.write_text(f'[database]\nurl = "{url}"\n' + toml.read_text())


def test_status_and_doctor_tell_who_works(shop: Shop, shell: Shell, empty: str) -> None:
    """The workers by name, with their last sign; one that is away is told as such."""
    assert shell("db", "copy", "--to", empty).code == 0
    _retire_and_point(shop, shell, empty)
    assert shell("status", "--json").document["daemon"]["workers"] == []
    one, two = _worker(empty, "a1"), _worker(empty, "b1")
    asyncio.run(two.close())
    try:
        found = shell("status", "--json").document["daemon"]
        assert found["running"] is True
        assert {each["name"]: each["state"] for each in found["workers"]} == {"a1": "works", "b1": "away"}
        told = shell("status").out
        assert "a1" in told
        assert "away" in told
        moments = re.findall(r"\d{4}-\d\d-\d\d[ T][^\s;,]+", told)
        assert len(moments) > 4
        assert [at for at in moments if not re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\dZ", at)] == [], "one format, with its zone"
    finally:
        asyncio.run(one.close())
    assert shell("status", "--json").document["daemon"]["running"] is False


def test_a_worker_that_stopped_is_no_worker_that_is_away(shop: Shop, shell: Shell, empty: str) -> None:
    """Fault 21: a clean stop is told as one; who is at work cannot be forgotten; who will not come back is told of no more."""
    assert shell("db", "copy", "--to", empty).code == 0
    _retire_and_point(shop, shell, empty)
    stopped, at_work = _worker(empty, "a1"), _worker(empty, "b1")
    asyncio.run(_ends(stopped))
    dead = _worker(empty, "c1")
    asyncio.run(dead.fail_errand("journal of c1", NOW, "No space left on device"))
    asyncio.run(dead.know_journal("c1", "/var/lib/tracker/c1/send-journal.jsonl"))
    asyncio.run(dead.close())
    try:
        assert _states(shell) == {"a1": "stopped", "b1": "works", "c1": "away"}
        alive = shell("worker", "forget", "b1", "--by", "Mei")
        assert (alive.code, "systemctl disable --now tracker@b1" in alive.out) == (1, True)
        gone = shell("worker", "forget", "c1", "--by", "Mei", "--reason", "its host burnt")
        assert gone.code == 0
        assert "/var/lib/tracker/c1/send-journal.jsonl" in gone.out
        assert shell("worker", "forget", "a1", "--by", "Mei", "--json").document["forgotten"] is True
        assert shell("worker", "forget", "a1", "--by", "Mei").code == 1
        assert _states(shell) == {"b1": "works"}
        assert "journal of c1" not in shell("status", "--json").document["errands"]
    finally:
        asyncio.run(at_work.close())


def test_a_forgotten_name_begins_above_all_that_were(shop: Shop, shell: Shell, empty: str) -> None:
    """Fault 21: a process that slept while its worker was forgotten and begun anew writes nothing more."""
    assert shell("db", "copy", "--to", empty).code == 0
    _retire_and_point(shop, shell, empty)
    slept = _worker(empty, "a1")
    asyncio.run(slept._db._standing.close())  # type: ignore[attr-defined]
    assert shell("worker", "forget", "a1", "--by", "Mei").code == 0
    with pytest.raises(EpochLost):
        asyncio.run(slept.sign_off(NOW))
    again = _worker(empty, "a1")
    try:
        assert (again.epoch or 0) > (slept.epoch or 0)
        with pytest.raises(EpochLost):
            asyncio.run(slept.mark_behind(NOW))
    finally:
        asyncio.run(again.close())
        asyncio.run(slept.close())


async def _ends(store: Store) -> None:
    await store.sign_off(NOW)
    await store.close()


def _states(shell: Shell) -> dict[str, str]:
    return {each["name"]: each["state"] for each in shell("status", "--json").document["daemon"]["workers"]}


def test_init_makes_the_tables_and_the_password_stands_nowhere(
    shell: Shell, empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 26: by reference in the configuration, in no output, not even in an error."""
    folder = tmp_path / "fleet"
    folder.mkdir()
    (folder / "db-password").write_text(PASSWORD)
    (folder / "db-password").chmod(0o640)
    (folder / "tracker.toml").write_text(f'[database]\nurl = "{empty}"\npassword = "file:db-password"\n')
    made = shell("init", folder, "--json")
    assert made.code == 0
    shell.config = folder / "tracker.toml"
    said = [made, shell("init", folder), shell("config", "show"), shell("config", "check"), shell("doctor"), shell("status")]
    assert said[1].code == 1
    gone = (folder / "tracker.toml").read_text().replace("127.0.0.1", "127.0.0.2")
    (folder / "tracker.toml").write_text(gone)
    away = shell("status")
    assert away.code == 1
    assert "does not answer" in away.err
    for each in (*said, away):
        assert PASSWORD not in each.out + each.err
        assert "battery" not in each.out + each.err


def test_an_upgrade_says_that_it_makes_no_backup(
    shell: Shell, empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 22: before it begins, with the command that makes one, and without the password; stdout stays one document."""
    url = empty.replace("tracker@", f"tracker:{quote(PASSWORD, safe='')}@")
    (tmp_path / "tracker.toml").write_text(f'[database]\nurl = "{url}"\n')
    shell.config = tmp_path / "tracker.toml"
    assert shell("db", "upgrade").err == "", "an empty one has nothing to lose"
    monkeypatch.setattr(schema, "REVISIONS", (*schema.REVISIONS, "9999"))
    monkeypatch.setattr(fleet_schema, "migrate", lambda *_: "0005")
    said = shell("db", "upgrade", "--json")
    assert (said.code, said.document["to"], said.document["backup"]) == (0, "9999", None)
    assert f"pg_dump --format=custom --file=tracker-before-upgrade.dump '{empty}'" in said.err
    assert "the last one is none" in said.err


def test_a_password_in_the_address_works_is_warned_of_and_not_shown(shell: Shell, empty: str, tmp_path: Path) -> None:
    """Fault 26: `config check` says where it belongs; `config show` hides it."""
    url = empty.replace("tracker@", "tracker:battery-staple@")
    (tmp_path / "tracker.toml").write_text(f'[database]\nurl = "{url}"\n')
    shell.config = tmp_path / "tracker.toml"
    checked, shown = shell("config", "check"), shell("config", "show")
    assert "credential:database" in checked.out + checked.err
    assert "tracker:***@" in shown.out
    wrong = empty.replace("postgresql://tracker@", "mysql://tracker:battery-staple@")
    (tmp_path / "tracker.toml").write_text(f'[database]\nurl = "{wrong}"\n')
    refused = shell("status")
    assert refused.code == 2
    assert "postgresql://" in refused.err
    for each in (checked, shown, refused):
        assert "staple" not in each.out + each.err


def test_without_the_extra_it_says_what_to_install(shop: Shop, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """No traceback: the command that helps."""
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "procrastinate":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    toml = shop.folder / "tracker.toml"
    toml.write_text('[database]\nurl = "postgresql://tracker@127.0.0.1/tracker"\n' + toml.read_text())
    for words in (("status",), ("db", "check"), ("db", "backup"), ("doctor",)):
        said = shell(*words)
        assert said.code in {1, 2}
        assert "'.[fleet]'" in said.out + said.err
