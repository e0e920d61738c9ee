"""The demo's folder: a real configuration with three shops, their order files in the inbox, a database that is a rehearsal."""

from __future__ import annotations

import shutil
from pathlib import Path

from tracker.demo.cast import Cast
from tracker.demo.files import ERP, write_erp_export, write_own_sheet
from tracker.store import create

MARK = ".tracker-demo"
"""Lies in a folder that a demo made: only such a folder is cleared for the next one."""

KEY = "the-demo's-key"
"""What the stand-in takes for a key; it opens nothing."""

_CONFIG = """\
# The demo's settings: what differs from the shipped defaults. The carrier is a stand-in on this machine, gone when the demo ends.
[inbox]
path = "inbox"

[log]
format = "json"

[[source]]
id = "17track"
adapter = "seventeen_track"
base_url = "{base_url}"
secrets = {{ api_key = "file:17track-key" }}
options = {{ reregister = true }}
"""

_STORES = {
    "jade-shop": ("own_shop", "Jade Shop", 'channel = "maildir"\nsender = "Jade Shop <care@jade-shop.example>"\n'),
    "panda-ali": ("aliexpress", "Panda Store", ""),
    "lotus-ebay": ("ebay", "Lotus Trading", ""),
}


class Occupied(Exception):  # noqa: N818 - said to a person
    """The folder holds something that no demo made."""


def set_up(folder: Path, cast: Cast, base_url: str) -> Path:
    """Make the folder (an earlier demo's is cleared) and return its tracker.toml. Raises Occupied, OSError."""
    _clear(folder)
    for name in ("stores", "inbox", "reports"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text("Made by `tracker demo`, which clears this folder when it is told again.\n", encoding="utf-8")
    key = folder / "17track-key"
    key.write_text(KEY, encoding="utf-8")
    key.chmod(0o600)
    config = folder / "tracker.toml"
    config.write_text(_CONFIG.format(base_url=base_url), encoding="utf-8")
    for store, (platform, name, more) in _STORES.items():
        text = f'platform = "{platform}"\nname = "{name}"\nzone = "Asia/Shanghai"\ncurrency = "USD"\nmode = "live"\n{more}'
        (folder / "stores" / f"{store}.toml").write_text(text, encoding="utf-8")
    deliver_files(folder / "inbox", cast, "1")
    create(f"sqlite:///{(folder / 'tracker.db').absolute()}", rehearsal=True, now=cast.start)
    return config


def deliver_files(inbox: Path, cast: Cast, issue: str) -> None:
    """Drop the shops' files. They overlap in time, as real exports do: a later issue tells nothing new."""
    write_erp_export(cast, inbox / f"erp-orders-{issue}.xlsx")
    write_own_sheet(cast, inbox / f"own-shop-{issue}.csv", stores=frozenset({"jade-shop"}))
    write_own_sheet(cast, inbox / f"windows-seen-{issue}.csv", stores=frozenset(ERP))


def _clear(folder: Path) -> None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / MARK).is_file():
        raise Occupied(
            f"{folder} holds something that no demo made, and nothing was touched. Name another one: tracker demo --dir DIR"
        )
    shutil.rmtree(folder)
