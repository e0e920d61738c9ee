"""Accounts at marketplaces: what a configuration may ask of an API, and what falls back to people (R7, R42)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.build import write
from tracker import config
from tracker.config.accounts import PLATFORMS
from tracker.marketplaces.registry import KNOWN

SHOP = 'platform = "aliexpress"\nname = "Lume"\nzone = "Asia/Shanghai"\nmode = "live"\n'
ACCOUNT = """\
[[marketplace_account]]
id = "ae"
platform = "aliexpress"
store = "lume"
app_key = "123456"
secrets = { app_secret = "env:A", access_token = "env:B" }
api = ["window", "disputes", "extend"]
"""
ENVIRON = {"A": "a-secret", "B": "a-token"}


def loaded(folder: Path, account: str = ACCOUNT, **files: str) -> config.Loaded:
    main = write(folder, {"tracker.toml": account, "stores/lume.toml": SHOP, **files})
    return config.load(main, environ=ENVIRON)


def test_r7_an_account_says_what_a_store_has_done_by_api(tmp_path: Path) -> None:
    """R7: the rules know it by store; the secrets are resolved, and known to the log's redaction."""
    found = loaded(tmp_path)
    assert found.rules.stores["lume"].api == {"window", "disputes", "extend"}
    (account,) = found.settings.accounts
    assert (account.base_url, account.secrets["app_secret"].reveal()) == ("https://api-sg.aliexpress.com", "a-secret")
    assert {"a-secret", "a-token"} <= set(found.settings.secret_values)
    assert found.problems == ()


def test_what_is_known_of_a_platform_is_what_its_adapter_offers() -> None:
    assert {name: set(each.offers) for name, each in PLATFORMS.items()} == {
        name: {capability.value for capability in each.offers} for name, each in KNOWN.items()
    }


def test_r7_mode_api_without_an_account_falls_back_to_people_and_says_so(tmp_path: Path) -> None:
    """R7: as shipped it means "where there is an account"; who asks for it himself is told."""
    assert loaded(tmp_path / "shipped", "").problems == ()
    mine = '[[marketplace]]\nid = "aliexpress"\nextension.mode = "api"\n'
    main = write(tmp_path / "own", {"tracker.toml": "", "stores/lume.toml": SHOP, "marketplaces.toml": mine})
    (problem,) = config.load(main, environ={}).problems
    assert problem.level == "warning"
    assert "marketplaces.toml:3" in str(problem)
    assert "its windows are extended by hand" in problem.message


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('store = "lume"', 'store = "lumo"', 'store: no such shop in stores/ (got "lumo", did you mean "lume")'),
        ('platform = "aliexpress"', 'platform = "ebay"', "platform: the shop lume sells on aliexpress"),
        ('platform = "aliexpress"', 'platform = "etsy"', "has no API of which Tracker makes use"),
        ('"window", "disputes", "extend"', '"extend"', '"extend" needs "window"'),
        (', access_token = "env:B"', "", 'wants a secret "access_token"'),
        ('app_key = "123456"', 'app_key = "1"\nbase_url = "api.example"', "has to begin with https:// and a host"),
    ],
)
def test_what_an_account_cannot_be(tmp_path: Path, before: str, after: str, says: str) -> None:
    main = write(tmp_path, {"tracker.toml": ACCOUNT.replace(before, after), "stores/lume.toml": SHOP})
    with pytest.raises(config.ConfigError) as caught:
        config.load(main, environ=ENVIRON)
    assert any(says in str(problem) for problem in caught.value.problems), caught.value.problems


def test_two_accounts_do_not_share_a_shops_work(tmp_path: Path) -> None:
    twice = ACCOUNT + ACCOUNT.replace('id = "ae"', 'id = "other"')
    main = write(tmp_path, {"tracker.toml": twice, "stores/lume.toml": SHOP})
    with pytest.raises(config.ConfigError, match='does "window" for this shop already'):
        config.load(main, environ=ENVIRON)


def test_no_api_extends_where_there_is_none(tmp_path: Path) -> None:
    mine = '[[marketplace]]\nid = "ebay"\nextension = { mode = "api", days = [3], max_extensions = 1 }\n'
    main = write(tmp_path, {"tracker.toml": "", "marketplaces.toml": mine})
    with pytest.raises(config.ConfigError, match="there is no API that extends a window on ebay"):
        config.load(main, environ={})
