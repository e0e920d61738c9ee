"""The machine: room on its disk, and the zones in which the marketplaces keep their days."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tracker.config import Loaded
from tracker.doctor.finding import Finding, fail, ok, warn

NEEDED_BYTES = 200 * 1024 * 1024
"""Below this a busy day may fill the disk: the database's WAL alone may take it."""

COMFORTABLE_BYTES = 1024 * 1024 * 1024


def machine(loaded: Loaded) -> list[Finding]:
    """Disk and zones."""
    return [_disk(loaded.settings.state_dir), _zones(loaded)]


def _disk(folder: Path) -> Finding:
    about = f"room in {folder}"
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return fail(about, f"cannot be looked at: {error.strerror}", "[state] dir in tracker.toml, or: tracker init")
    says = f"{free // 1024**2:,} MB free"
    if free < NEEDED_BYTES:
        return fail(about, says, "make room: on a full disk nothing is sent, because nothing could be written down")
    if free < COMFORTABLE_BYTES:
        return warn(about, says, "make room soon; a backup needs as much as the database itself")
    return ok(about, says)


def _zones(loaded: Loaded) -> Finding:
    """A zone that this machine does not know would put every date of its shop on the wrong day (D9)."""
    rules = loaded.rules
    wanted = {store.zone for store in rules.stores.values()} | {market.zone for market in rules.marketplaces.values()}
    unknown = sorted(zone for zone in wanted if not _known(zone))
    if unknown:
        return fail("time zones", f"not known here: {', '.join(unknown)}", "install the package tzdata anew")
    return ok("time zones", f"all {len(wanted)} are known (tzdata {version('tzdata')})")


def _known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True
