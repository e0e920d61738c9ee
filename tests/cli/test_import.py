"""`tracker import` as a seller types it: previews, layouts unasked, layouts of his own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Shop
from tests.cli.shell import Shell

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
