"""Where requests may go is told by `config check`, with the line and how to mend it (fault 12)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.build import loaded, told

SOURCE = '[[source]]\nid = "a"\nadapter = "aftership"\nsecrets = { api_key = "env:KEY" }\n'
WHATSAPP = '[whatsapp]\nphone_number_id = "1"\ntoken = "env:KEY"\ntemplates = {}\n'
TELEGRAM = '[telegram]\ntoken = "env:KEY"\n'
TARGET = '[[target]]\nid = "desk"\nkind = "webhook"\nurl = "env:URL"\n'
SHOP = {"stores/lume.toml": 'platform = "aliexpress"\nname = "Lume"\nzone = "Asia/Shanghai"\ncurrency = "USD"\n'}
ACCOUNT = """[[marketplace_account]]
id = "ae"
platform = "aliexpress"
store = "lume"
app_key = "1"
secrets = { app_secret = "env:KEY", access_token = "env:KEY" }
"""
SECTIONS = {
    "source[a]": SOURCE,
    "whatsapp": WHATSAPP,
    "telegram": TELEGRAM,
    "marketplace_account[ae]": ACCOUNT,
}
PRIVATE = "is a private network: allow_private_hosts = true allows it"
NOWHERE = "is an address where no such service can be"


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://10.0.0.1/v1", f"10.0.0.1 {PRIVATE}"),
        ("http://192.168.1.20:8080", f"192.168.1.20 {PRIVATE}"),
        ("https://169.254.169.254/latest", f"169.254.169.254 {NOWHERE}"),
        ("https://[::ffff:10.0.0.1]/", f"::ffff:10.0.0.1 {PRIVATE}"),
        ("https://2130706433/", "names no host that every program reads alike"),
        ("https://u:p@api.example/", "holds a user or password: credentials are secrets, by reference"),
    ],
)
def test_an_address_inside_is_refused_where_it_is_written(tmp_path: Path, section: str, url: str, said: str) -> None:
    """Fault 12: sources, marketplaces, messengers alike."""
    says = told(tmp_path, {**SHOP, "tracker.toml": f'{SECTIONS[section]}base_url = "{url}"\n'}, {"KEY": "k"})
    refusals = [each for each in says if "base_url" in each and "warning" not in each]
    if said == f"192.168.1.20 {PRIVATE}" and not section.startswith("source"):
        said = "has to begin with https://"
    (refusal,) = refusals
    assert refusal.startswith("tracker.toml:")
    assert refusal.endswith(f"{section}.base_url: {said}")


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize(
    "lines",
    [
        'base_url = "http://127.0.0.1:8080/v1"',
        'base_url = "http://localhost:8080"',
        'base_url = "http://[::1]:8080"',
        'base_url = "http://10.0.0.1:8080"\nallow_private_hosts = true',
        'base_url = "https://gateway.lan"\nallow_private_hosts = true',
        'base_url = "https://gateway.example"',
    ],
)
def test_this_machine_spelled_out_and_opened_networks_are_fine(tmp_path: Path, section: str, lines: str) -> None:
    """Fault 12: a stand-in or a proxy of one's own is asked without ado; a network of one's own by permission."""
    says = told(tmp_path, {**SHOP, "tracker.toml": f"{SECTIONS[section]}{lines}\n"}, {"KEY": "k"})
    assert [each for each in says if "base_url" in each and "whoever is on the way" not in each] == []


def test_a_messenger_and_a_marketplace_are_never_asked_in_the_clear(tmp_path: Path) -> None:
    """Fault 12: they have TLS, all of them; some carriers have none, and their own address says so."""
    for number, (section, text) in enumerate(SECTIONS.items()):
        says = told(tmp_path / str(number), {**SHOP, "tracker.toml": f'{text}base_url = "http://api.example"\n'}, {"KEY": "k"})
        (line,) = [each for each in says if "base_url" in each]
        assert ("whoever is on the way can read the secrets" if section == "source[a]" else "has to begin with https://") in line
    plain = SOURCE.replace("aftership", "yunexpress").replace('api_key = "env:KEY"', 'code = "env:KEY", secret = "env:KEY"')
    assert told(tmp_path / "plain", {"tracker.toml": plain}, {"KEY": "k"}) == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://10.0.0.1/hook-4711", f"10.0.0.1 {PRIVATE}"),
        ("http://hooks.example/hook-4711", "has to begin with https://"),
        ("hook-4711", "must start with https:// (or http://) and name a host"),
    ],
)
def test_a_webhook_is_judged_without_being_told(tmp_path: Path, url: str, said: str) -> None:
    """Faults 12, 26: its address is a secret; what is wrong with it is none."""
    (line,) = told(tmp_path, {"tracker.toml": TARGET}, {"URL": url})
    assert line == f"tracker.toml:4: target[desk].url: {said}"
    assert "4711" not in line


def test_a_webhook_of_ones_own_network_is_opened_by_name(tmp_path: Path) -> None:
    """Fault 12: the permission is the target's own, and reaches its connection."""
    allowed = {"tracker.toml": TARGET + "allow_private_hosts = true\n"}
    (target,) = loaded(tmp_path, allowed, {"URL": "http://tickets.lan/hook"}).settings.targets
    assert target.allow_private_hosts
    (target,) = loaded(tmp_path / "b", {"tracker.toml": TARGET}, {"URL": "http://127.0.0.1:9/hook"}).settings.targets
    assert not target.allow_private_hosts
    desk = '[[target]]\nid = "desk"\nkind = "apprise"\nurl = "env:URL"\nallow_private_hosts = true\n'
    (line,) = told(tmp_path / "c", {"tracker.toml": desk}, {"URL": "json://x"})
    assert 'known to kind "webhook" alone' in line
