"""What is kept of a configuration: enough to build its rules again, no secret, no place; and what differs between two."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from carriers import registry
from tests.config.build import loaded, write
from tracker import config
from tracker.config import RebuildError

SHOP = 'platform = "aliexpress"\nname = "Lume"\nzone = "Asia/Shanghai"\ncurrency = "USD"\nmode = "live"\n'

EVERYTHING = {
    "tracker.toml": (
        "[outreach]\nhourly_cap = 7\nrounds = 2\n[refunds]\nmoved_within_days = 9\n"
        '[messages]\noff = ["stage1"]\nlanguages = { BR = "pt-BR", JP = "en" }\n'
        '[[source]]\nid = "tracks"\nadapter = "seventeen_track"\nbase_url = "http://127.0.0.1:1"\n'
        'secrets = { api_key = "env:TRACKS_KEY" }\n'
        '[[marketplace_account]]\nid = "ae"\nplatform = "aliexpress"\nstore = "lume"\napp_key = "kanarie-app"\n'
        'secrets = { app_secret = "env:TRACKS_KEY", access_token = "env:TRACKS_KEY" }\napi = ["window", "extend"]\n'
        '[preparing]\nnews_days = 9\n[time]\nprofile = "seed"\n'
    ),
    "carriers.toml": 'default_sources = ["tracks"]\n',
    "destinations.toml": '[[profile]]\nid = "br-standard"\nstage_days = { stage1 = 21, stage2 = 41, stage3 = 61 }\n',
    "calendar.toml": (
        '[[season]]\nid = "strike"\nleg = "destination"\ncountry = "BR"\nstart = "02-01"\nend = "02-20"\nadd_days = 4\n'
    ),
    "services.toml": '[[service]]\nid = "ours"\nmatch = ["our line"]\nservice = "economy"\nladder = "economy"\n',
    "lint.toml": '[[list]]\nid = "own"\nplatforms = ["*"]\nwhy = "house rule"\nwords = ["guarantee"]\n',
    "stores/lume.toml": SHOP,
}
KEY = {"TRACKS_KEY": "kanarie-source-k3y"}


def test_rules_are_built_again_as_they_were(tmp_path: Path) -> None:
    """Faults row 20: after a restart with other files the rules in force can still be compared with."""
    before = loaded(tmp_path, EVERYTHING, KEY)
    again = config.rebuild(config.snapshot(before), before.rules.version)
    assert again == before.rules
    assert again.manners.hourly_cap == 7
    assert again.preparing.news_days == 9
    assert again.stores["lume"].api == {"window", "extend"}
    assert again.sources["*"] == ("tracks",)
    assert again != config.load(None, environ={}).rules


def test_it_holds_no_secret_and_no_place(tmp_path: Path) -> None:
    text = zlib.decompress(config.snapshot(loaded(tmp_path, EVERYTHING, KEY))).decode()
    for hidden in (KEY["TRACKS_KEY"], "TRACKS_KEY", "kanarie-app", "127.0.0.1", str(tmp_path)):
        assert hidden not in text
    assert "br-standard" in text


def test_it_is_small(tmp_path: Path) -> None:
    assert len(config.snapshot(loaded(tmp_path, EVERYTHING, KEY))) < 40_000


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"no zip at all",
        zlib.compress(b"[]"),
        zlib.compress(b'{"sections": {"lint": {"lists": []}}, "texts": {}}'),
        zlib.compress(b'{"sections": {"fx": []}, "texts": {}}'),
    ],
    ids=["empty", "not_packed", "not_ours", "a_key_of_another_version", "no_table"],
)
def test_what_cannot_be_built_any_more_says_so(packed: bytes) -> None:
    """Faults row 20: whatever else it raised would stop every sweep for good."""
    with pytest.raises(RebuildError, match=r"snapshot|lists: unknown key"):
        config.rebuild(packed, "old")


def test_a_reload_tells_every_value_that_differs(tmp_path: Path) -> None:
    """SIGHUP shows the difference: values changed, added, gone; the entries of a list by their id; texts by name."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    before = loaded(tmp_path / "a", {"stores/lume.toml": SHOP, "tracker.toml": "[outreach]\nhourly_cap = 7\n"})
    after = loaded(
        tmp_path / "b",
        {
            "tracker.toml": "[outreach]\nhourly_cap = 8\n[engine]\nsweep_interval_s = 11\n",
            "destinations.toml": '[[profile]]\nid = "br-standard"\nstage_days = { stage1 = 21, stage2 = 45, stage3 = 60 }\n',
            "messages/en/stage1.txt": (config.defaults_dir() / "messages" / "en" / "stage1.txt").read_text() + "\nBye.\n",
        },
    )
    told = [str(each) for each in config.differences(before, after)]
    assert "tracker.outreach.hourly_cap: 7 -> 8" in told
    assert any(each.startswith("tracker.engine.sweep_interval_s: ") and each.endswith("-> 11") for each in told)
    assert "destinations.profile[br-standard].stage_days.stage1: 30 -> 21" in told
    assert 'stores/lume.mode: "live" -> nothing' in told
    assert any(each.startswith("messages/en/stage1: ") for each in told)
    assert config.differences(after, after) == ()


def test_the_same_is_told_from_what_was_kept(tmp_path: Path) -> None:
    """At a start only the snapshot tells what was in force; it knows rules and texts, nothing of the machine."""
    before = loaded(tmp_path, {"stores/lume.toml": SHOP})
    kept = config.snapshot(before)
    assert config.differences_since(kept, before) == ()
    after = config.load(
        write(tmp_path, {"tracker.toml": "[outreach]\nhourly_cap = 8\n[engine]\nsweep_interval_s = 11\n"}), environ={}
    )
    assert [each.key for each in config.differences_since(kept, after)] == ["tracker.outreach.hourly_cap"]
    with pytest.raises(RebuildError):
        config.differences_since(b"", after)


def test_a_secret_is_never_told(tmp_path: Path) -> None:
    """A reference is not one; a value under such a name that is none is masked."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    source = '[[source]]\nid = "t"\nadapter = "own"\nsecrets = {{ api_key = "env:TRACKS_KEY" }}\noptions = {{ token = "{}" }}\n'
    known = (*registry.names(), "own")
    before, after = (
        config.load(write(tmp_path / name, {"tracker.toml": source.format(value)}), environ=KEY, adapters=known)
        for name, value in (("a", "hush-1"), ("b", "hush-2"))
    )
    told = " ".join(str(each) for each in config.differences(before, after))
    assert "hush" not in told
