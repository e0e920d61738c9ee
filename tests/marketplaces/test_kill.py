"""SIGKILL at every point of an extension's way: at most one for each old end, counted at the stand-in (R7, I1, faults row 1)."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests import house
from tests.daemon.conftest import NOW, Home
from tests.marketplaces.conftest import ORDER
from tests.marketplaces.standins import APP_KEY, FORM, SECRET, AliExpressStandIn
from tracker.clock import FixedClock
from tracker.model import OutboxState
from tracker.store import create, open_store

SHIPPED = NOW - timedelta(days=20)
ENDS = (NOW + timedelta(days=9)).astimezone(ZoneInfo("America/Los_Angeles")).strftime(FORM)

TRACKER = """\
[[marketplace_account]]
id = "ae"
platform = "aliexpress"
store = "lamps"
app_key = "{key}"
base_url = "{url}"
secrets = {{ app_secret = "env:AE_SECRET", access_token = "env:AE_TOKEN" }}
api = ["window", "disputes", "extend"]
rps = 20
"""

STORE = """\
platform = "aliexpress"
name = "Lamps and More"
zone = "Asia/Shanghai"
currency = "USD"
mode = "live"
"""

POINTS = {
    "extend_before_claim": (1, OutboxState.SENT),
    "claim_before_commit": (1, OutboxState.SENT),
    "claim_after_commit": (0, OutboxState.UNKNOWN),
    "extend_after_claim": (0, OutboxState.UNKNOWN),
    "extend_after_journal_begin": (0, OutboxState.UNKNOWN),
    "extend_after_call": (1, OutboxState.SENT),
    "extend_after_journal_end": (1, OutboxState.SENT),
}
"""Point -> what the stand-in has done in the end, and what the row says. A call that may still be worked on there stays `unknown`
for a quarter of an hour; then the end that has not moved proves that it was not made."""


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[tuple[Home, AliExpressStandIn]]:
    """A configured house whose one window ends in nine days."""
    home = Home(tmp_path)
    url = f"sqlite:///{home.database}"
    create(url, rehearsal=False, now=SHIPPED)
    store = await open_store(url, clock=FixedClock(SHIPPED))
    order = house.order(ORDER, platform="aliexpress", shipped_at=SHIPPED)
    await house.bring(store, [order], [house.parcel("LZ000000001CN", ORDER, shipped_at=SHIPPED)], SHIPPED)
    await store.close()
    with AliExpressStandIn() as stand_in:
        stand_in.order(ORDER, ENDS)
        home.config.write_text(TRACKER.format(key=APP_KEY, url=stand_in.url))
        (tmp_path / "stores").mkdir()
        (tmp_path / "stores" / "lamps.toml").write_text(STORE)
        yield home, stand_in
        for child in home.children:
            child.kill()


@pytest.mark.parametrize("point", POINTS)
async def test_r7_a_kill_extends_nothing_twice(point: str, shop: tuple[Home, AliExpressStandIn]) -> None:
    home, stand_in = shop
    secrets = {"AE_SECRET": SECRET, "AE_TOKEN": "kanarie-token-1"}
    assert await home.start("one_pass", crash_at=point, **secrets).ended() == -signal.SIGKILL, f"{point} was never reached"
    for _ in range(2):
        assert await home.start("one_pass", **secrets).ended() == 0
    counted, state = POINTS[point]
    async with home.store() as store:
        found = await store.outbox(states=tuple(OutboxState))
        (dossier,) = await store.load_dossiers([1])
    (row,) = [view.row for view in found if view.row.intent.value == "extension"]
    assert (sum(stand_in.extended.values()), row.state) == (counted, state)
    window = dossier.order.window
    assert window is not None
    assert window.extensions == counted
    assert SECRET not in home.errors.read_text()
    assert "kanarie-token-1" not in home.errors.read_text()
