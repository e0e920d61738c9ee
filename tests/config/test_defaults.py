"""The shipped defaults: they load without a word, and say what the reference says."""

from __future__ import annotations

import os
import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from carriers import registry
from tests.config.build import loaded
from tracker import config
from tracker.model import Capability, Channel, Intent
from tracker.rules import Manners, Service
from tracker.team import Leave

SHIPPED = config.load(None, environ={})
RULES = SHIPPED.rules
REFERENCE = os.environ.get("TRACKER_REFERENCE")


def test_they_load_without_a_word_and_without_a_config() -> None:
    """DESIGN, Config: `config check` needs neither a database nor a config."""
    assert SHIPPED.problems == ()
    assert SHIPPED.settings.sources == ()
    assert RULES.stores == {}
    assert {file.name for file in SHIPPED.files} > {"tracker.toml", "destinations.toml", "lint.toml", "stage1.txt"}


def test_brazil_is_30_45_60() -> None:
    """R1, R2, R3, R5: and the default ladder is the seed's too."""
    for country in ("BR", "ZZ", None):
        assert list(RULES.profile(country, "standard").stages.values()) == [30, 45, 60]
    assert {id_: RULES.profile(id_, "standard").stages[Intent.STAGE1] for id_ in ("US", "DE", "CL", "MX")} == {
        "US": 20, "DE": 17, "CL": 30, "MX": 30,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("country", "service", "profile"),
    [
        ("BR", "standard", "br-standard"),
        ("BR", "registered", "br-registered"),
        ("BR", "aliexpress_standard", "br-standard"),
        ("BR", "ems", "any-express"),
        ("CL", "ordinary", "any-economy"),
        ("RU", "registered", "ru-standard"),
        ("ZZ", "economy", "any-economy"),
        ("ZZ", "tracked", "fallback"),
        (None, "standard", "fallback"),
    ],
)
def test_a_product_follows_its_ladder(country: str | None, service: str, profile: str) -> None:
    """R5: (country, service), ("*", service), (country, ladder), ("*", ladder), (country, standard), fallback."""
    assert RULES.profile(country, service).id == profile


def shown(found: Service | None) -> tuple[str | None, str, str | None, str | None] | None:
    if found is None:
        return None
    return found.carrier, found.service, found.capability.value if found.capability else None, found.settled_by


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("AliExpress Standard Shipping", ("cainiao", "aliexpress_standard", "end_to_end", "platform")),
        ("菜鸟标准-线上发货", ("cainiao", "aliexpress_standard", "end_to_end", "platform")),
        ("AliExpress 无忧物流-优先", ("cainiao", "aliexpress_premium", "end_to_end", "platform")),
        ("AliExpress Saver Shipping", ("cainiao", "aliexpress_saver", "arrival_and_delivery", "platform")),
        ("Cainiao Super Economy Global", ("cainiao", "economy", "export_only", "platform")),
        ("菜鸟超级经济", ("cainiao", "economy", "export_only", "platform")),
        ("China Post Registered Air Mail", ("china_post", "registered", None, None)),
        ("中国邮政挂号小包", ("china_post", "registered", None, None)),
        ("线上发货-中国邮政挂号小包", ("china_post", "aliexpress_online_registered", None, None)),
        ("中国邮政平常小包+", ("china_post", "ordinary", "export_only", None)),
        ("e邮宝", ("china_post", "epacket", "end_to_end", None)),
        ("ePacket", ("china_post", "epacket", "end_to_end", None)),
        ("EMS", ("china_post", "ems", "end_to_end", None)),
        ("Yanwen Economic Air Mail", ("yanwen", "economy", "export_only", None)),
        ("燕文航空经济小包-普货", ("yanwen", "economy", "export_only", None)),
        ("燕文航空挂号", ("yanwen", "tracked", "end_to_end", None)),
        ("燕文专线追踪小包", ("yanwen", "special_line", "end_to_end", None)),
        ("递四方联邮通", ("fourpx", "special_line", "end_to_end", None)),
        ("4PX C-EMS", ("fourpx", "C-EMS", "end_to_end", None)),
        ("４ＰＸ  Ｓ－ＥＭＳ", ("fourpx", "S-EMS", "end_to_end", None)),
        ("云途全球专线挂号(标快普货)", ("yunexpress", "special_line", "end_to_end", None)),
        ("china-post", ("china_post", "standard", None, None)),
        ("cainiao", ("cainiao", "standard", "end_to_end", None)),
        ("Yanwen", ("yanwen", "standard", "end_to_end", None)),
        ("DHL Express Worldwide", ("dhl_express", "express", "end_to_end", None)),
        ("DHL eCommerce", ("dhl_ecommerce", "standard", "end_to_end", None)),
        ("FedEx IP", ("fedex", "express", "end_to_end", None)),
        ("UPS Saver", ("ups", "express", "end_to_end", None)),
        ("USPS Priority Mail", ("usps", "priority", "end_to_end", None)),
        ("顺丰国际小包", ("sf", "eparcel", "end_to_end", None)),
        ("Standard Shipping from outside US", None),  # what the buyer chose names no carrier
        ("Mercado Envios Global", None),
        ("Groupsystems", None),
    ],
)
def test_the_texts_of_channels(text: str, means: tuple[str | None, str, str | None, str | None] | None) -> None:
    """D14 and facts/file-formats.md section 5: full-width letters and double spaces are no other text."""
    assert shown(RULES.service(text)) == means


@pytest.mark.parametrize(
    ("number", "country", "capability"),
    [
        ("UX000000005CN", "BR", Capability.EXPORT_ONLY),
        ("RX000000005CN", "BR", Capability.ARRIVAL_AND_DELIVERY),
        ("RX000000005CN", "RU", Capability.END_TO_END),
        ("LX000000005CN", "BR", Capability.END_TO_END),
        ("U2000000000012345", "BR", Capability.END_TO_END),
    ],
)
def test_tracking_capability_by_the_number(number: str, country: str, capability: Capability) -> None:
    """R8: an untracked number is never lost by silence, a registered one to Brazil is silent for eight weeks."""
    assert RULES.capability(number, country) is capability


def test_what_marketplaces_allow() -> None:
    """R7, D5, D17: contact stays on the platform; who can extend; what is off."""
    markets = RULES.marketplaces
    assert {id_ for id_, each in markets.items() if each.channel is not Channel.TASK} == {"shopify", "woocommerce", "own_shop"}
    assert {id_ for id_, each in markets.items() if each.extension.mode != "none"} == {"aliexpress", "taobao"}
    aliexpress = markets["aliexpress"]
    assert (aliexpress.extension.trigger_days, aliexpress.extension.days[0], aliexpress.extension.max_extensions) == (10, 15, 2)
    assert (aliexpress.zone, aliexpress.freeze_days) == ("America/Los_Angeles", 7)
    assert {id_ for id_, each in markets.items() if "stage1" in each.messages_off} == {"amazon"}
    assert all("late_arrival" in each.messages_off for each in markets.values() if not each.own_shop), "D23"
    assert all({"stage2", "stage3", "refund_issued", "lost"} <= each.tasks_for for each in markets.values() if not each.own_shop)
    assert RULES.messages_off == {"placed", "shipped", "delivered", "review", "vip"}


def test_seasons_are_laid_out_around_the_feasts() -> None:
    """D19: ten days before the eve to fifteen after the festival; peak goes over the new year."""
    of_2026 = {each.id: (each.start, each.end, each.add_days) for each in RULES.seasons if each.start.year == 2026}
    assert of_2026 == {
        "cny": (date(2026, 2, 6), date(2026, 3, 4), 10),
        "peak": (date(2026, 11, 11), date(2027, 1, 10), 7),
        "br-carnival-strike": (date(2026, 2, 14), date(2026, 3, 9), 7),
    }


def test_manners_are_those_of_the_decisions() -> None:
    """D2, D20, D21, D25: the shipped file and the defaults of the type say the same."""
    tables: dict[str, Any] = {"second_person_above": {}, "bulk_up_to": {}, "early_below": {}, "partial_share": None}
    assert replace(RULES.manners, **tables) == Manners()
    assert (RULES.manners.second_person_above["USD"], RULES.manners.bulk_up_to["USD"]) == (Decimal(50), Decimal(8))
    assert RULES.manners.second_person_above.keys() == RULES.manners.bulk_up_to.keys()
    assert RULES.manners.ramp_share == Decimal("0.1")


def test_every_carrier_that_has_an_adapter_is_known() -> None:
    """facts/carriers.md section 1: one name everywhere; a claim rule's country is where its working days are counted."""
    many = {name for name in registry.names() if registry.describe(name).many}
    assert set(registry.names()) - set(RULES.carriers) == many | {"dhl_unified", "mydhl"}
    assert RULES.carriers["china_post"].codes == {"seventeen_track": "3011"}
    assert {each.id: each.country for each in RULES.compensation if each.day_kind == "biz"} == {
        "cn-epacket-pre-scan": "CN", "dhl-express": "DE", "royal-mail-intl": "GB",
    }  # fmt: skip
    assert {code: RULES.language(code) for code in ("BR", "MX", "ES", "RU", "KZ", "CN", "US", "PT")} == {
        "BR": "pt-BR", "MX": "es", "ES": "es", "RU": "ru", "KZ": "ru", "CN": "zh-CN", "US": "en", "PT": "en",
    }  # fmt: skip


def test_switching_a_message_on_is_one_line(tmp_path: Path) -> None:
    """R22: off by default, on by one line."""
    on = loaded(tmp_path, {"tracker.toml": '[messages]\noff = ["review", "vip"]\n'})
    assert "shipped" not in on.rules.messages_off


@pytest.mark.skipif(REFERENCE is None, reason="TRACKER_REFERENCE names no reference folder")
def test_the_shipped_figures_are_the_references() -> None:
    """R5, R86: profiles and claim rules as the fact sheets have them."""
    facts = Path(str(REFERENCE)) / "facts"
    profiles = tomllib.loads((facts / "transit-profiles.toml").read_text("utf-8"))["profile"]
    assert {each["id"]: each["stage_days"] for each in profiles} == {
        each.id: {stage.value: days for stage, days in each.stages.items()} for each in RULES.profiles
    }
    claims = tomllib.loads((facts / "compensation-rules.toml").read_text("utf-8"))["rule"]
    shipped = {each.id: (each.earliest_days, each.latest_days, each.latest_months, each.basis) for each in RULES.compensation}
    assert {
        each["id"]: (each["earliest_days"], each.get("latest_days"), each.get("latest_months"), each["basis"]) for each in claims
    } == shipped


def test_a_team_and_monthly_rates_as_they_are_written(tmp_path: Path) -> None:
    """Daily operations, "People"; as shipped nobody stands there, and then any name is taken."""
    assert (RULES.team.people, RULES.rates.months) == ((), ())
    files = {
        name: "\n".join(line.removeprefix("# ") for line in text.splitlines()[text.splitlines().index(f"# [[{table}]]") :])
        for name, table in (("team.toml", "person"), ("fx.toml", "month"))
        for text in [(config.defaults_dir() / name).read_text(encoding="utf-8").replace("#\n", "# \n")]
    }
    shop = 'platform = "aliexpress"\nname = "Lume"\nzone = "Asia/Shanghai"\nmode = "observe"\n'
    smtp = '[smtp]\nhost = "smtp.shop.example"\nfrom = "care@shop.example"\n'
    rules = loaded(tmp_path, {**files, "stores/lume.toml": shop, "tracker.toml": smtp}).rules
    mei, lin = rules.team.people
    assert (mei.id, mei.stores, mei.begins, mei.ends, mei.deputy) == ("mei", ("lume",), 540, 1080, "lin")
    assert (sorted(mei.days), mei.leave) == ([0, 1, 2, 3, 4, 5], (Leave(date(2026, 10, 1), date(2026, 10, 8)),))
    assert (mei.approve_up_to, mei.address) == ({"USD": Decimal(50), "CNY": Decimal(350)}, "mail:mei@shop.example")
    assert (lin.stores, sorted(lin.days), lin.approve_up_to) == ((), [0, 1, 2, 3, 4], {})
    assert rules.rates.convert(Decimal(71), "CNY", "USD", date(2026, 12, 1)) == Decimal(10)
