"""`tracker import` as a seller types it: previews, layouts unasked, layouts of his own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Shop
from tests.cli.shell import Shell

SAMPLES = Path(__file__).parents[1] / "samples" / "imports"
HEADER = "order,store,country,amount,currency,paid,shipped,tracking,service\n"
SOURCE = """
[[source]]
id = "tracks"
adapter = "seventeen_track"
secrets = { api_key = "env:TRACKS_KEY" }
daily_quota = 2
quota = 100
"""


def file_of(folder: Path, *rows: str, name: str = "orders.csv") -> Path:
    path = folder / name
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def test_a_preview_tells_rows_and_registrations_and_writes_nothing(
    shell: Shell, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKS_KEY", "invented")
    config = shop.folder / "tracker.toml"
    config.write_text(config.read_text(encoding="utf-8") + SOURCE, encoding="utf-8")
    rows = [f"30{at},lume,BR,20.00,USD,2026-09-01,2026-09-02,LV20456789{at}CN,Yanwen" for at in range(3)]
    path = file_of(shop.folder, *rows)
    told = shell.json("import", path, "--dry-run")
    (quota,) = told["quota"]
    assert (quota["source"], quota["registrations"], quota["waiting"], quota["left"]) == ("tracks", 3, 1, 100)
    assert [change["outcome"] for change in told["files"][0]["changes"]] == ["new"] * 6
    said = shell("import", path, "--dry-run", "--limit", 1).out
    assert "row 2: new order 300 (lume)\n    … and 5 more; --limit 0 shows them all" in said
    assert "tracks: 3 new registrations (100 left, 2 left today); 1 of them wait for another day" in said
    assert shell("status", "--json").document["orders"] == 2


def test_a_fresh_configuration_is_told_what_it_still_lacks(shell: Shell, tmp_path: Path) -> None:
    """After `tracker init` nothing is wrong, and nothing would happen either."""
    assert shell("init", tmp_path / "new").code == 0
    shell.config = tmp_path / "new" / "tracker.toml"
    check = shell("config", "check", "--json")
    assert (check.code, check.document["errors"]) == (0, 0)
    assert [problem["key"] for problem in check.document["problems"]] == ["stores", "source"]
    assert "copy stores/example.toml.sample to stores/<id>.toml" in shell("config", "check").out
    (tmp_path / "new" / "stores" / "lume.toml").write_text(
        'platform = "ebay"\nname = "L"\nzone = "UTC"\nmode = "live"\ndefault_country = "*"\n', encoding="utf-8"
    )
    told = shell("config", "check").out
    assert "no shop is described" not in told
    assert "lume.toml:5: default_country: has to be one country" in told


SHOPS = {
    "lights": ("aliexpress", ["AE-01"]),
    "lights-ebay": ("ebay", ["EB-01", "seller-test"]),
    "lights-amazon": ("amazon", ["AM-01"]),
    "lampshop": ("shopify", ["SH-01"]),
    "lamps": ("woocommerce", ["WO-01"]),
    "luzes": ("mercadolibre", ["ML-01"]),
    "crafts": ("etsy", ["ET-01"]),
    "clips": ("tiktok", ["TT-01"]),
    "luzes-shopee": ("shopee", ["SP-01"]),
}


@pytest.fixture
def seller(shell: Shell, tmp_path: Path) -> Path:
    """A seller of nine platforms, with every file that he has, in a rehearsal."""
    folder = tmp_path / "seller"
    assert shell("init", folder, "--rehearsal", "--at", "2026-11-22").code == 0
    for file in (folder / "stores").glob("*.toml"):
        file.unlink()
    for store, (platform, names) in SHOPS.items():
        text = f'platform = "{platform}"\nname = "{store}"\nzone = "UTC"\ncurrency = "USD"\nmode = "live"\nnames = {names}\n'
        mailed = 'channel = "maildir"\n' if platform in {"shopify", "woocommerce"} else ""
        (folder / "stores" / f"{store}.toml").write_text(text + mailed, encoding="utf-8")
    shell.config = folder / "tracker.toml"
    for sample in SAMPLES.iterdir():
        if sample.suffix != ".md":
            shutil.copy(sample, folder)
    return folder


def test_every_file_that_a_seller_has_is_imported_unasked(shell: Shell, seller: Path) -> None:
    """One command, no --format: more than twenty layouts; importing all of them again changes nothing."""
    files = sorted(path for path in seller.iterdir() if path.suffix in {".xls", ".xlsx", ".csv", ".txt"})
    first = shell("import", *files, "--at", "2026-11-22", "--json")
    told = {Path(file["file"]).name: file for file in first.document["files"]}
    refused = told.pop("claims_register_proposed.xlsx")
    assert (first.code, "no order file" in refused["error"]) == (3, True), "the product's own register, and nothing else"
    assert {name: (file["rejected"], file.get("error")) for name, file in told.items()} == dict.fromkeys(told, ([], None))
    assert len({file["format"] for file in told.values()}) == 24
    again = shell("import", *files, "--at", "2026-11-22", "--json").document["files"]
    assert sum(file["new"] for file in again) == 0
    assert shell("status", "--json").document["orders"] >= 25


def test_a_strange_layout_is_proposed_used_once_and_known(shell: Shell, seller: Path) -> None:
    """facts/file-formats.md section 5: an unknown layout leads to a mapping that a person has agreed to."""
    strange = seller / "strange.csv"
    strange.write_text("Auftrag;Sendung;Zielland;Versandt\nT-1;LZ000001200CN;FR;21.09.2026\n", encoding="utf-8")
    refused = shell("import", strange, "--store", "lamps", "--at", "2026-11-22")
    assert (refused.code, refused.out.count(" -> ")) == (1, 4)
    assert refused.out.endswith(f"tracker import {strange} --format strange\n")
    assert shell("config", "check").code == 0
    assert shell("import", strange, "--format", "strange", "--at", "2026-11-22").code == 0
    (seller / "inbox" / "strange_2026-10.csv").write_bytes(strange.read_bytes())
    assert shell("run", "--once", "--at", "2026-11-22T12:00").code == 0
    assert [path.name for path in (seller / "inbox" / "done").iterdir()] == ["strange_2026-10.csv"]


def test_a_broken_profile_is_told_by_config_check_with_its_line(shell: Shell, seller: Path) -> None:
    (seller / "profiles").mkdir()
    (seller / "profiles" / "mine.toml").write_text('[[format]]\nid = "mine"\ntitle = "x"\nzone = "Mars"\n', encoding="utf-8")
    check = shell("config", "check")
    assert check.code == 1
    assert "profiles/mine.toml:1: format[mine]: " in check.out
