"""Find, merge, override, resolve: what an operator's files make of the defaults."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.config.build import loaded, told, write
from tracker import config
from tracker.config.layers import Layer
from tracker.config.linemap import line_map
from tracker.config.merge import Section
from tracker.model import Channel, Intent, Mode

SHOP = 'platform = "shopify"\nname = "Lume"\nzone = "Asia/Shanghai"\ncurrency = "USD"\nmode = "approve"\n'
SMTP = '[smtp]\nhost = "mail.example"\nuser = "care"\npassword = "file:secret.txt"\nfrom = "Care <care@lume.example>"\n'


def test_the_search_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN, Config: --config, $TRACKER_CONFIG, ./tracker.toml, then the shipped defaults."""
    monkeypatch.chdir(tmp_path)
    named, by_variable = Path("named.toml"), {"TRACKER_CONFIG": "by-variable.toml"}
    assert config.find(named, by_variable) == named
    assert config.find(None, by_variable) == Path("by-variable.toml")
    assert config.find(None, {}) is None
    Path("tracker.toml").touch()
    assert config.find(None, {}) == Path("tracker.toml")
    assert config.find(tmp_path, {}) == tmp_path / "tracker.toml"


def test_tables_merge_deep_and_arrays_of_tables_by_id(tmp_path: Path) -> None:
    """DESIGN, Config: an override names only what differs; `enabled = false` removes one."""
    rules = loaded(
        tmp_path,
        {
            "destinations.toml": '[[profile]]\nid = "br-standard"\nstage_days = { stage2 = 40 }\n'
            '[[profile]]\nid = "ar-standard"\nenabled = false\n'
            '[[profile]]\nid = "pt"\ncountry = "PT"\nservice = "standard"\np50 = 10\np90 = 20\np99 = 30\npromise_days = 20\n'
            "guarantee_days = 60\nstage_days = { stage1 = 15, stage2 = 25, stage3 = 40 }\n"
            "stale_days = { watch = 5, investigate = 10, probable_loss = 30 }\n"
        },
    ).rules
    assert list(rules.profile("BR", "standard").stages.values()) == [30, 40, 60]
    assert rules.profile("BR", "standard").p50 == 22
    assert rules.profile("AR", "standard").id == "fallback"
    assert rules.profile("PT", "standard").id == "pt"


def test_an_operators_service_beats_a_shipped_one(tmp_path: Path) -> None:
    """D14: the same text, another contract; entries of one's own come first."""
    mine = '[[service]]\nid = "mine"\nmatch = ["燕文"]\ncarrier = "yanwen"\nservice = "tracked"\ncontract = "2026-7"\n'
    found = loaded(tmp_path, {"services.toml": mine}).rules.service("燕文航空经济小包-普货")
    assert found is not None
    assert (found.id, found.contract) == ("mine", "2026-7")


KEYS = st.sampled_from(["a", "b", "c"])
LEAVES = st.integers() | st.lists(st.integers(), max_size=2)
TABLES = st.dictionaries(KEYS, LEAVES | st.dictionaries(KEYS, LEAVES, max_size=3), max_size=3)
ENTRIES = st.dictionaries(st.sampled_from(["x", "y", "z"]), TABLES, min_size=1, max_size=3)


def section(*layers: dict[str, object]) -> dict[str, object]:
    return Section("any", [Layer("any", each, "") for each in layers]).data


@given(base=TABLES, over=TABLES)
def test_merging_tables(base: dict[str, object], over: dict[str, object]) -> None:
    """DESIGN, Config: what an override says holds, what it does not say stays, and twice is as once."""
    merged = section(base, over)
    assert merged == section(base, over, over)
    assert merged.keys() == base.keys() | over.keys()
    for key, value in over.items():
        below = base.get(key)
        both = isinstance(value, dict) and isinstance(below, dict)
        assert merged[key] == ({**below, **value} if both else value)  # type: ignore[dict-item]
    assert section({}, base) == base == section(base, {})


@given(base=ENTRIES, over=ENTRIES, gone=st.sampled_from(["x", "y", "z"]))
def test_merging_entries(base: dict[str, dict[str, object]], over: dict[str, dict[str, object]], gone: str) -> None:
    """DESIGN, Config: entries meet by id, wherever they stand; one that is switched off is not there."""

    def table(entries: dict[str, dict[str, object]]) -> dict[str, object]:
        return {"t": [{"id": id_, **{key: value for key, value in entry.items()}} for id_, entry in entries.items()]}  # noqa: C416

    merged = section(table(base), table(over))["t"]
    assert isinstance(merged, list)
    assert {each["id"] for each in merged} == base.keys() | over.keys()
    assert [each["id"] for each in merged] == [id_ for id_ in over if id_ not in base] + list(base)
    for each in merged:
        alone = section(base.get(each["id"], {}), over.get(each["id"], {}))
        assert {key: value for key, value in each.items() if key != "id"} == alone
    without = section(table(base), {"t": [{"id": gone, "enabled": False}]})["t"]
    assert isinstance(without, list)
    assert {each["id"] for each in without} == base.keys() - {gone}


def test_the_environment_overrides_tracker_toml(tmp_path: Path) -> None:
    """DESIGN, Config: the last word, typed as in TOML."""
    environ = {
        "TRACKER__LOG__FORMAT": "json",
        "TRACKER__OUTREACH__ROUNDS": "2",
        "TRACKER__MESSAGES__OFF": '["review"]',
        "HOME": "/x",
    }
    found = loaded(tmp_path, {"tracker.toml": '[log]\nformat = "console"\n'}, environ)
    assert (found.settings.log_format, found.rules.manners.rounds, found.rules.messages_off) == ("json", 2, frozenset({"review"}))


def test_paths(tmp_path: Path) -> None:
    """Relative paths lie below the state folder: beside tracker.toml, where systemd says, or where the operator says."""
    found = loaded(tmp_path, {"tracker.toml": '[inbox]\npath = "inbox"\n'}).settings
    assert (found.folder, found.state_dir) == (tmp_path, tmp_path)
    assert found.database_url == f"sqlite:///{tmp_path}/tracker.db"
    assert (found.inbox, found.maildir, found.journal) == (
        tmp_path / "inbox",
        tmp_path / "mailbox",
        tmp_path / "send-journal.jsonl",
    )
    systemd = loaded(tmp_path, {}, {"STATE_DIRECTORY": "/var/lib/tracker"}).settings
    assert (systemd.database_url, systemd.inbox) == ("sqlite:////var/lib/tracker/tracker.db", None)
    given_dir = loaded(tmp_path, {"tracker.toml": '[state]\ndir = "state"\n[database]\nurl = "sqlite:////srv/t.db"\n'}).settings
    assert (given_dir.state_dir, given_dir.database_url) == (tmp_path / "state", "sqlite:////srv/t.db")
    fleet = loaded(tmp_path, {"tracker.toml": '[database]\nurl = "postgresql://db/tracker"\n'}).settings
    assert fleet.database_url == "postgresql://db/tracker"


def test_a_store(tmp_path: Path) -> None:
    """D11, D22: the file's name is the shop's id; a mode per message type; a new shop observes what it is told."""
    (tmp_path / "secret.txt").write_text("geheim\n")
    (tmp_path / "secret.txt").chmod(0o600)
    store = SHOP + 'modes = { stage1 = "live" }\nnames = ["LUME"]\nsender = "Lume <care@lume.example>"\n'
    found = loaded(tmp_path, {"tracker.toml": SMTP, "stores/lume.toml": store})
    shop = found.rules.stores["lume"]
    assert (shop.platform, shop.mode, shop.mode_for("stage1"), shop.channel) == ("shopify", Mode.APPROVE, Mode.LIVE, None)
    assert found.rules.marketplace("shopify").channel is Channel.SMTP
    smtp = found.settings.smtp
    assert smtp is not None
    assert (smtp.host, smtp.port, smtp.tls, smtp.from_) == ("mail.example", 587, "starttls", "Care <care@lume.example>")


@pytest.mark.parametrize("reference", ["file:secret.txt", "env:SECRET", "credential:secret.txt"])
def test_secrets_come_by_reference_and_never_show_themselves(tmp_path: Path, reference: str) -> None:
    """DESIGN, Config; faults row 26: a file, the environment, a credential of systemd."""
    (tmp_path / "secret.txt").write_text("hunter2\n")
    (tmp_path / "secret.txt").chmod(0o640)
    environ = {"SECRET": "hunter2", "CREDENTIALS_DIRECTORY": str(tmp_path)}
    found = loaded(tmp_path, {"tracker.toml": SMTP.replace("file:secret.txt", reference)}, environ)
    smtp = found.settings.smtp
    assert smtp is not None
    assert smtp.password == config.Secret("hunter2") != config.Secret("other")
    assert smtp.password is not None
    assert smtp.password.reveal() == "hunter2"
    assert len({smtp.password, config.Secret("hunter2")}) == 1
    assert "hunter2" not in f"{found.settings!r} {smtp} {config.show(found)}"
    assert found.settings.secret_values == ("hunter2",)


def test_a_secret_that_others_can_read_is_told(tmp_path: Path) -> None:
    """facts/operator-experience.md: a mode wider than 0640."""
    secret = tmp_path / "secret.txt"
    secret.write_text("hunter2")
    secret.chmod(stat.S_IRUSR | stat.S_IROTH)
    assert told(tmp_path, {"tracker.toml": SMTP}) == [
        "tracker.toml:4: smtp.password: warning: secret.txt is open to others (mode 0404): chmod 0640, or less"
    ]
    secret.write_text("")
    assert told(tmp_path, {"tracker.toml": SMTP}) == ["tracker.toml:4: smtp.password: secret.txt is empty"]
    secret.unlink()
    assert told(tmp_path, {"tracker.toml": SMTP}) == [
        "tracker.toml:4: smtp.password: secret.txt cannot be read: No such file or directory"
    ]


def test_sources(tmp_path: Path) -> None:
    """Who is asked about whom: a carrier's own choice, else the default, else what is configured; drop folders are absolute."""
    tracker = (
        '[[source]]\nid = "tracks"\nadapter = "seventeen_track"\nsecrets = { api_key = "env:KEY" }\nrps = 2\ndaily_quota = 90\n'
        '[[source]]\nid = "scans"\nadapter = "sheet"\nbase_url = "drop:scans"\noptions = { zone = "Asia/Shanghai" }\n'
    )
    carriers = '[[carrier]]\nid = "yanwen"\nsources = ["scans", "seventeen_track"]\n'
    found = loaded(tmp_path, {"tracker.toml": tracker, "carriers.toml": carriers}, {"KEY": "k"})
    scans, tracks = sorted(found.settings.sources, key=lambda each: each.id)
    assert (tracks.base_url, tracks.rps, tracks.daily_quota, tracks.batch) == ("https://api.17track.net/track/v2.2", 2, 90, None)
    assert tracks.secrets["api_key"].reveal() == "k"
    assert (scans.base_url, scans.options) == (f"drop:{tmp_path}/scans", {"zone": "Asia/Shanghai"})
    assert found.rules.sources == {"yanwen": ("scans", "tracks"), "*": ("tracks",)}
    alone = loaded(
        tmp_path, {"tracker.toml": tracker.partition('[[source]]\nid = "scans"')[2].join(['[[source]]\nid = "scans"', ""])}
    )
    assert alone.rules.sources == {"*": ("scans",)}


def test_texts_of_ones_own(tmp_path: Path) -> None:
    """R59: a text or a word beside tracker.toml replaces the shipped one of the same name."""
    mine = "subject: Hi\n\n{{ name }}: {{ tracking }} by {{ new_deadline }}\n"
    found = loaded(tmp_path, {"messages/en/stage2.txt": mine, "messages/en/words.toml": 'cause = "rain"\n'})
    assert found.texts.sources["en"]["stage2"] == mine
    assert "stage1" in found.texts.sources["en"]
    assert found.texts.words_of("en")["cause"] == "rain"
    assert found.texts.words_of("pt-BR")["cause"] == "lentidão no transporte internacional"


def test_the_version_is_the_content(tmp_path: Path) -> None:
    """D12: a column of every effect. Comments change nothing; a value, a text, a shop does."""
    versions = [
        loaded(tmp_path, files).rules.version
        for files in (
            {},
            {"tracker.toml": "# a comment\n"},
            {"tracker.toml": "[outreach]\nrounds = 2\n"},
            {"tracker.toml": "", "messages/en/lost.txt": "subject: x\n\n{{ tracking }}\n"},
            {"stores/lume.toml": SHOP.replace("shopify", "ebay")},
        )
    ]
    assert versions[0] == versions[1]
    assert len(set(versions)) == 4


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TRACKER__DATABASE__URL", "postgresql://db.example/lumora"),
        ("TRACKER__RECEIVER__LISTEN", "127.0.0.1:8808"),
        ("TRACKER__LOG__FORMAT", "json"),
        ("TRACKER__ENGINE__POLL_INTERVAL_S", "7"),
    ],
)
def test_what_one_host_alone_is_told_makes_no_new_rules(tmp_path: Path, variable: str, value: str) -> None:
    """Many machines: two workers that differ in it would put each other's rules out of force, held effects included."""
    plain = loaded(tmp_path, {})
    other = config.load(tmp_path / "tracker.toml", environ={variable: value})
    assert other.rules.version == plain.rules.version
    assert config.differences(plain, other)


def test_show_names_the_origin_of_each_value(tmp_path: Path) -> None:
    """DESIGN, Config: default, file:line, or the variable."""
    files = {
        "tracker.toml": '[log]\n# which\nformat = "console"\n',
        "destinations.toml": '[[profile]]\nid = "br-standard"\nstage_days = { stage2 = 40 }\n',
    }
    found = loaded(tmp_path, files, {"TRACKER__OUTREACH__ROUNDS": "2"})
    origins = {(each.section, each.key): (each.value, each.origin.replace(f"{tmp_path}/", "")) for each in config.show(found)}
    assert origins["tracker", "log.format"] == ("console", "tracker.toml:3")
    assert origins["tracker", "outreach.rounds"] == (2, "TRACKER__OUTREACH__ROUNDS")
    assert origins["tracker", "outreach.hourly_cap"] == (60, "default")
    assert origins["destinations", "profile[br-standard].stage_days.stage2"] == (40, "destinations.toml:3")
    assert origins["destinations", "profile[br-standard].stage_days.stage1"] == (30, "default")


def test_the_schema_knows_every_key() -> None:
    """DESIGN, Config: for editors."""
    assert config.schema()["properties"].keys() >= {"database", "smtp", "source", "outreach"}
    assert "from" in config.schema()["$defs"]["Smtp"]["properties"]
    assert "mode" in config.schema("store")["properties"]
    assert config.schema("destinations")["properties"].keys() >= {"schema", "profile", "untrackable"}


@pytest.mark.parametrize("rehearsal", [False, True])
def test_the_first_configuration(tmp_path: Path, rehearsal: bool) -> None:
    """`tracker init`: it loads without a word, and never overwrites what is there."""
    files = config.write_example(tmp_path, rehearsal=rehearsal)
    found = config.load(tmp_path / "tracker.toml", environ={})
    assert found.problems == ()
    assert found.settings.inbox == tmp_path / "inbox"
    assert (tmp_path / "inbox").is_dir()
    assert {each.mode for each in found.rules.stores.values()} == ({Mode.LIVE} if rehearsal else set())
    assert tmp_path / "stores" / "example.toml.sample" in files
    (tmp_path / "stores" / "example.toml.sample").rename(tmp_path / "stores" / "example.toml")
    assert config.load(tmp_path / "tracker.toml", environ={}).rules.stores["example"].mode is Mode.OBSERVE
    with pytest.raises(FileExistsError, match=r"tracker\.toml is there already, and nothing was written"):
        config.write_example(tmp_path, rehearsal=rehearsal)
    assert not (tmp_path / "stores" / "example.toml.sample").exists()


TOML = """# head
a = 1
[state]
dir = "" # dir = x
[a2.b]
c = [1,
  2]
d.e = 1
[[profile]]
id = "x" # id
note = \"\"\"
id = 7
\"\"\"
stage = { s1 = 1, s2 = 2 }
[profile.sub]
k = 1
[[profile]]
id = "y"
[z]
"quoted key" = 3
[a2.f]
g = 1
"""


def test_lines_of_keys() -> None:
    """Every form of a key: dotted, quoted, inline, in arrays of tables, beside comments and texts that look like keys."""
    lines = line_map(TOML)
    for path, line in {
        ("a",): 2, ("state", "dir"): 4, ("a2", "b"): 5, ("a2", "b", "c"): 6, ("a2", "b", "d", "e"): 8, ("profile", 0): 9,
        ("profile", 0, "id"): 10, ("profile", 0, "note"): 11, ("profile", 0, "stage", "s2"): 14, ("profile", 0, "sub", "k"): 16,
        ("profile", 1, "id"): 18, ("z", "quoted key"): 20, ("a2", "f", "g"): 22,
    }.items():  # fmt: skip
        assert lines[path] == line, path


def test_stages_can_move_for_one_shop_only_through_its_destination(tmp_path: Path) -> None:
    """R5: moving day 45 to 40 is one line, and nothing else moves."""
    path = write(tmp_path, {"destinations.toml": '[[profile]]\nid = "br-standard"\nstage_days.stage2 = 40\n'})
    moved = config.load(path, environ={}).rules
    shipped = config.load(None, environ={}).rules
    changed = [(a.id, a.stages[Intent.STAGE2]) for a, b in zip(moved.profiles, shipped.profiles, strict=True) if a != b]
    assert changed == [("br-standard", 40)]
