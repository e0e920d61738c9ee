"""The push door: who may have one, with which secret, and where it may listen (R6; faults row 28)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.build import loaded, told
from tracker.config import pushes

ENVIRON = {"KEY": "the-key", "PUSH": "the-push-secret", "OLD": "the-secret-until-yesterday", "TOO": "another-key"}
OPEN = '[receiver]\nlisten = "127.0.0.1:8787"\n'


def source(adapter: str = "seventeen_track", **secrets: str) -> str:
    given = ", ".join(f'{name} = "env:{value}"' for name, value in secrets.items())
    return f'[[source]]\nid = "mine"\nadapter = "{adapter}"\nsecrets = {{ {given} }}\n'


@pytest.mark.parametrize(
    ("text", "opens"),
    [
        (source(api_key="KEY"), ["the-key"]),
        (source(api_key="KEY", push_secret="PUSH"), ["the-push-secret"]),
        (source(api_key="KEY", push_secret_before="OLD"), ["the-key", "the-secret-until-yesterday"]),
        (source("aftership", api_key="KEY"), []),
        (source("aftership", api_key="KEY", push_secret="PUSH", push_secret_before="OLD"), ["the-push-secret", ENVIRON["OLD"]]),
        (source("correios", user="KEY", access_code="KEY"), []),
    ],
)
def test_which_secrets_sign_what_a_source_pushes(tmp_path: Path, text: str, opens: list[str]) -> None:
    """Faults row 28: 17TRACK signs with its key, others with a secret of their own; two are valid while one is replaced."""
    found = loaded(tmp_path, {"tracker.toml": OPEN + source(api_key="TOO").replace("mine", "too") + text}, ENVIRON)
    (mine,) = [each for each in found.settings.sources if each.id == "mine"]
    assert [secret.reveal() for secret in mine.push_secrets] == opens
    assert set(opens) <= set(found.settings.secret_values)


def test_it_is_closed_as_shipped_and_opens_on_this_machine_alone(tmp_path: Path) -> None:
    shipped = loaded(tmp_path / "a", {}).settings.receiver
    assert (shipped.listen, shipped.max_body, shipped.trusted_hosts) == (None, 1024 * 1024, ())
    for place, listen in (("b", "127.0.0.1:8787"), ("c", "[::1]:443")):
        text = f'[receiver]\nlisten = "{listen}"\nmax_body_kb = 64\ntrusted_hosts = ["push.shop.example", "*.shop.example"]\n'
        text += source(api_key="KEY")
        opened = loaded(tmp_path / place, {"tracker.toml": text}, ENVIRON).settings.receiver
        assert opened.listen == (listen.rpartition(":")[0].strip("[]"), int(listen.rpartition(":")[2]))
        assert (opened.max_body, opened.trusted_hosts) == (65_536, ("push.shop.example", "*.shop.example"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            '[receiver]\nlisten = "0.0.0.0:8787"\n' + source(api_key="KEY"),
            "tracker.toml:2: receiver.listen: has to be a port of this machine",
        ),
        ('[receiver]\nlisten = "127.0.0.1:0"\n' + source(api_key="KEY"), "has to be a port of this machine"),
        ('[receiver]\nlisten = "127.0.0.1:70000"\n' + source(api_key="KEY"), "has to be a port of this machine"),
        *(
            (f'{OPEN}trusted_hosts = ["{name}"]\n' + source(api_key="KEY"), f'push.shop.example" (got "{name}")')
            for name in ("", "push.*.example", "*shop.example", "https://push.shop.example", "push.shop.example:443", "a b")
        ),
        (OPEN + '[metrics]\nlisten = "127.0.0.1:8787"\n' + source(api_key="KEY"), "[metrics] listens at 127.0.0.1:8787 already"),
        (OPEN + source("aftership", api_key="KEY"), "no [[source]] can push: give one that can"),
        (OPEN + source("correios", user="KEY", access_code="KEY", push_secret="PUSH"), "never calls: leave push_secret out"),
        (OPEN + source("aftership", api_key="KEY", push_secret_before="OLD"), '"push_secret" is missing'),
        (OPEN + source("seventeen_trak", push_secret="PUSH"), "no such adapter"),
        (OPEN + source(api_key="KEY").replace('"mine"', '"my own/17"'), "pushes would be /push/my own/17: letters, digits"),
        (source(api_key="KEY", push_secret="PUSH"), "push_secret opens nothing while [receiver] listen is empty"),
    ],
)
def test_what_is_wrong_with_a_door_is_said(tmp_path: Path, text: str, says: str) -> None:
    """Style 13: with its line, before it is tried."""
    assert any(says in line for line in told(tmp_path, {"tracker.toml": text}, ENVIRON))


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushes, "find_spec", lambda name: None if name == "uvicorn" else name)
    (line,) = told(tmp_path, {"tracker.toml": OPEN + source(api_key="KEY")}, ENVIRON)
    assert "tracker.toml:2" in line
    assert "wants the extra `web` (uvicorn): pip install '.[web]'" in line
