"""D17 as it ships: what of each type of message happens on each marketplace (facts/messages.md sections 2.2 and 3)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tracker import config
from tracker.messages import MESSAGE_TYPES
from tracker.policy.slots import by_hand, sent_there
from tracker.rules import Rules

SHIPPED = config.load(None, environ={}).rules
ON: Rules = replace(SHIPPED, messages_off=frozenset())
"""With every type switched on: a core rule works when it is switched on."""

OWN = ("own_shop", "shopify", "woocommerce")
TASKS = frozenset({"stage2", "stage3", "customs_hold", "duties_unpaid", "pickup_waiting", "storage_expiring"}) | {
    *("dispute_opened", "lost", "refund_issued", "tax_number"),
}
"""Where people paste: a task each; the refund's text, the extension's and the tax number's stand in work that is there anyway."""
GROUPED = frozenset({"stage1", "correction"})
NEVER = {
    "amazon": {"placed", "boleto_pending", "customs_duty", "shipped", "stage1", "extended", "delivered", "reopened"} | {"vip"},
    "ebay": {"extended"},
    "mercadolibre": {"extended", "review", "vip"},
    "shopee": {"extended"},
}
"""What the platform's own rules forbid, whoever switches it on (section 3); `late_arrival` on all of them (D23)."""


def happens(rules: Rules, platform: str, template: str) -> str:
    market = rules.marketplaces[platform]
    if not sent_there(rules, market, platform, template):
        return "off"
    if not by_hand(rules, market, platform, template):
        return "auto"
    return "grouped" if template in market.grouped else "task"


def expected(platform: str, template: str) -> str:
    if platform in OWN:
        return "task" if template == "late_arrival" else "auto"
    if template in NEVER.get(platform, set()):
        return "off"
    if template in GROUPED:
        return "grouped"
    if template == "extended":
        return "task" if SHIPPED.marketplaces[platform].extension.mode != "none" else "off"
    return "task" if template in TASKS else "off"


@pytest.mark.parametrize("platform", sorted(SHIPPED.marketplaces))
def test_d17_every_type_on_every_platform(platform: str) -> None:
    """D17, D23: auto, a task each, a grouped worksheet, or nothing."""
    found = {key: happens(ON, platform, key) for key in MESSAGE_TYPES}
    assert found == {key: expected(platform, key) for key in MESSAGE_TYPES}


def test_d17_what_is_off_until_somebody_switches_it_on() -> None:
    """D17: the platforms tell it; risk without gain."""
    for platform in SHIPPED.marketplaces:
        for key in ("placed", "shipped", "delivered", "review", "vip"):
            assert happens(SHIPPED, platform, key) == "off"


@pytest.mark.parametrize(("platform", "key"), [(platform, key) for platform, keys in NEVER.items() for key in sorted(keys)])
def test_d23_what_a_platform_forbids_stands_in_its_own_list(platform: str, key: str) -> None:
    """Section 3: one line in [messages] must not switch it on there."""
    assert key in SHIPPED.marketplaces[platform].messages_off


def test_r20_only_where_a_request_brings_the_money_earlier() -> None:
    """R20, D17: AliExpress keeps it until the buyer confirms; Taobao confirms by itself ten days after shipping."""
    assert {each.id for each in SHIPPED.marketplaces.values() if each.release_funds_days is not None} == {"aliexpress"}
