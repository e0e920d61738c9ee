"""What `tracker init` writes: a small commented tracker.toml, one shop to copy, and the folders they speak of."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tracker.config.load import defaults_dir

FOLDERS = ("stores", "inbox", "mailbox")

_HEAD = """\
#:schema ./tracker.schema.json
# Tracker's settings. Only what differs from the shipped defaults stands here: `tracker config show` prints all of them with their
# origin, `tracker config check` every mistake with its line. Siblings of the same names as the shipped files (destinations.toml,
# services.toml, marketplaces.toml, compensation.toml ...) override those; your shops lie in stores/.

"""

_STATE = """\
[state]
dir = {dir} # database, inbox, backups: the service writes here and nowhere else

"""

_LIVE = """\
[inbox]
path = "inbox"                       # drop order files here; they move to inbox/done or inbox/failed

# [[source]]                         # whom we ask; without one no parcel is followed
# id = "17track"
# adapter = "seventeen_track"
# secrets = { api_key = "credential:17track-key" }   # or "file:/path", "env:NAME"; never the key itself

# [smtp]                             # only for the buyers of your own shop
# host = "smtp.example.com"
# user = "care@shop.example"
# password = "credential:smtp-password"
# from = "Customer care <care@shop.example>"
"""

_REHEARSAL = """\
# A rehearsal: its database takes `--at TIME`, and no daemon will ever run on it.
[inbox]
path = "inbox"                       # drop order files here; they move to inbox/done or inbox/failed

[[source]]                           # a forwarder's scan sheets from the folder scans/: no network, no account
id = "scans"
adapter = "sheet"
base_url = "drop:scans"
options = { zone = "Asia/Shanghai" } # of times without a zone in the sheets
"""


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """Folders to make and files to write (relative path -> text). Whoever writes them never overwrites what is there."""

    folders: tuple[str, ...]
    files: dict[str, str]


def example(*, rehearsal: bool, state_dir: str | None = None) -> Example:
    """The first configuration. It loads without a problem, also with the shop's file activated.

    `state_dir`: where database and inbox lie when that is not the folder of tracker.toml, as on a server.
    """
    shop = (defaults_dir() / "stores" / "example.toml.sample").read_text(encoding="utf-8")
    state = _STATE.format(dir=f'"{state_dir}"'.ljust(30)) if state_dir else ""
    files = {"tracker.toml": _HEAD + state + (_REHEARSAL if rehearsal else _LIVE), "stores/example.toml.sample": shop}
    if rehearsal:
        files |= {
            "stores/marketplace.toml": _shop("aliexpress", "Rehearsal on AliExpress"),
            "stores/ebay.toml": _shop("ebay", "Rehearsal on eBay"),
            "stores/own_shop.toml": _shop("own_shop", "Rehearsal shop"),
        }
    return Example(folders=(*FOLDERS, *(("scans",) if rehearsal else ())), files=files)


def write_example(folder: Path, *, rehearsal: bool) -> tuple[Path, ...]:
    """Write the first configuration into `folder`. Returns the files. Raises FileExistsError, naming the first one there."""
    wanted = example(rehearsal=rehearsal)
    taken = next((folder / name for name in wanted.files if (folder / name).exists()), None)
    if taken is not None:
        raise FileExistsError(f"{taken} is there already, and nothing was written: name another folder, or edit that file")
    for name in wanted.folders:
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, text in wanted.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return tuple(folder / name for name in wanted.files)


def _shop(platform: str, name: str) -> str:
    mail = (
        'channel = "maildir"                  # a rehearsal mails into mailbox/\nsender = "care@shop.example"\n'
        if platform == "own_shop"
        else ""
    )
    return f"""\
platform = "{platform}"
name = "{name}"
zone = "Asia/Shanghai"
currency = "USD"
mode = "live"                        # a rehearsal reaches nobody
{mail}"""
