"""The house's configuration, and the changes that a reload brings: another day of a stage, a renamed rule, another channel."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec.structs import replace

from tests import house
from tracker import config
from tracker.config import Loaded

_TRACKER = """\
[smtp]
host = "127.0.0.1"
port = 25
tls = "none"
from = "Lamps <care@lamps.example>"

[[source]]
id = "tracks"
adapter = "fake"
base_url = "drop:never-read"
"""

_STORE = """\
platform = "{platform}"
name = "Lamps and More"
zone = "Asia/Shanghai"
currency = "USD"
mode = "live"
{channel}
signature = "Lamps and More"
sender = "Lamps <care@lamps.example>"
"""

_RENAMED = """\
[[profile]]
id = "br-standard"
enabled = false

[[profile]]
id = "brazil-by-post"
country = "BR"
service = "standard"
p50 = 22
p90 = 45
p99 = 75
promise_days = 60
guarantee_days = 120
stage_days = { stage1 = 30, stage2 = 45, stage3 = 60 }
limit_days = 60
stale_days = { watch = 10, investigate = 25, probable_loss = 45 }
evidence_of_rule = "mixed"
"""

_OTHER_DAY = """\
[[profile]]
id = "br-standard"
stage_days = { stage1 = 27, stage2 = 46, stage3 = 58 }
"""

_CHANGES = {
    "as before": ("", "smtp"),
    "another day": (_OTHER_DAY, "smtp"),
    "a renamed rule": (_RENAMED, "smtp"),
    "another channel": ("", "maildir"),
}
NAMES = tuple(_CHANGES)


@cache
def _loaded(name: str) -> Loaded:
    profiles, channel = _CHANGES[name]
    with TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "tracker.toml").write_text(_TRACKER)
        (place / "carriers.toml").write_text('default_sources = ["tracks"]\n')
        (place / "destinations.toml").write_text(profiles)
        (place / "stores").mkdir()
        own = _STORE.format(platform="own_shop", channel=f'channel = "{channel}"')
        (place / "stores" / f"{house.SHOP}.toml").write_text(own)
        (place / "stores" / "bazaar.toml").write_text(_STORE.format(platform="aliexpress", channel=""))
        return config.load(place / "tracker.toml", environ={})


def loaded(name: str, folder: Path, url: str) -> Loaded:
    """The configuration of this name, its state in `folder`, its database at `url`."""
    known = _loaded(name)
    settings = replace(
        known.settings,
        folder=folder,
        state_dir=folder,
        database_url=url,
        journal=folder / "send.journal",
        maildir=folder / "mail",
        inbox=None,
        health_file=None,
        backup=replace(known.settings.backup, dir=folder / "backups"),
    )
    return replace(known, settings=settings)
