"""formats.toml: layouts as data, the operator's own over the shipped ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.intake.conftest import ROOT
from tracker.config import ConfigError, load
from tracker.intake.errors import FormatsError
from tracker.intake.importing import knowledge_of
from tracker.intake.loading import load_all, load_formats
from tracker.intake.profiles import Field, Formats
from tracker.model import OrderState

SHIPPED = ROOT / "config" / "formats.toml"
MINIMAL = 'id = "x"\ntitle = "x"\nrank_orders = 1\nrank_tracking = 1\nzone = "UTC"\nrequires = []\ncolumns = {}\n'


def test_whose_word_counts(formats: Formats) -> None:
    """facts/file-formats.md section 4: marketplace > ERP > forwarder for orders, the reverse for tracking."""
    ranks = {one.id: (one.rank_orders, one.rank_tracking) for one in formats.format}
    assert ranks == {
        "aliexpress_seller_zh": (3, 1),
        "dianxiaomi_orders": (2, 2),
        "cn_forwarder_shipments": (1, 3),
        **dict.fromkeys((f"ebay_orders_{site}" for site in ("us", "au", "uk", "de", "fr")), (3, 1)),
        **dict.fromkeys(("amazon_unshipped_orders", "amazon_all_orders", "amazon_orders_report"), (3, 1)),
        **dict.fromkeys(("shopify_orders", "woocommerce_advanced_export", "etsy_sold_orders"), (3, 1)),
        **dict.fromkeys(("tiktok_shop_orders", "mercadolivre_vendas_br", "shopee_orders_br"), (3, 1)),
        **dict.fromkeys(("amazon_ship_confirm", "woocommerce_ast_tracking", "cn_erp_orders", "cn_wms_pick_list"), (2, 2)),
        "aftership_csv_import": (1, 1),
        "cn_logistics_export": (1, 2),
        "claims_register_proposal": (1, 1),
        "order_sheet": (2, 2),
    }


def test_no_header_means_two_things_in_one_format(formats: Formats) -> None:
    for one in formats.format:
        names = [name for listed in one.columns.values() for name in listed]
        assert len(names) == len(set(names)), one.id


def test_an_operators_own_file_is_laid_over_the_shipped_one(tmp_path: Path) -> None:
    own = tmp_path / "formats.toml"
    mine = MINIMAL.replace("{}", '{ order = ["Auftrag"] }')
    own.write_text(
        f"""
[[format]]
id = "dianxiaomi_orders"
zone = "America/Sao_Paulo"
states = {{ paid = ["ERP special"] }}

[[format]]
id = "order_sheet"
enabled = false

[[format]]
{mine}
[countries]
AQ = ["南极"]
""",
        encoding="utf-8",
    )
    formats = load_formats(SHIPPED, own)
    dianxiaomi, added = formats.by_id("dianxiaomi_orders"), formats.by_id("x")
    assert dianxiaomi is not None
    assert added is not None
    assert (dianxiaomi.zone, dianxiaomi.state("ERP Special"), dianxiaomi.state("已发货")) == (
        "America/Sao_Paulo",
        OrderState.PAID,
        OrderState.SHIPPED,
    )
    assert formats.by_id("order_sheet") is None
    assert added.columns[Field.ORDER] == ("auftrag",)
    assert formats.countries["AQ"] == ("南极",)
    assert "RU" in formats.countries


def test_without_an_own_file_the_shipped_one_counts(tmp_path: Path, formats: Formats) -> None:
    assert load_formats(SHIPPED, tmp_path / "formats.toml") == formats


@pytest.mark.parametrize(
    ("toml", "why"),
    [
        ("[[format]", "formats.toml:1: not valid TOML"),
        ("[[format]]\ntitle = 1\n", "every entry needs a text"),
        ("", "missing required field `format`"),
        (f"[[format]]\n{MINIMAL}colour = 1\n", "unknown field `colour`"),
        ("[[format]]\n" + MINIMAL.replace("{}", '{ colour = ["x"] }'), "colour"),
        ("[[format]]\n" + MINIMAL.replace('"UTC"', '"Mars/Base"'), r":\d: format\[x\].zone: 'Mars/Base' is no time zone"),
        (f'[[format]]\n{MINIMAL}footers = ["("]\n', r"format\[x\].footers: '\("),
        (f'[[format]]\n{MINIMAL}seller = "Seller"\n', r"format\[x\].seller: 'Seller': one group"),
        (f'[[format]]\n{MINIMAL}locale = "xx_YY"\n', r":\d: format\[x\].locale: 'xx_YY' is not known"),
        ("[[format]]\n" + MINIMAL.replace("rank_orders = 1", "rank_orders = 4"), "<= 3"),
    ],
)
def test_a_table_that_contradicts_itself(toml: str, why: str, tmp_path: Path) -> None:
    file = tmp_path / "formats.toml"
    file.write_text(toml, encoding="utf-8")
    with pytest.raises(FormatsError, match=why):
        load_formats(file)


def test_the_operators_formats_are_in_force_wherever_files_are_read(tmp_path: Path) -> None:
    """DESIGN, Config: a sibling of tracker.toml counts; a mistake in it is a problem of the configuration, never a traceback."""
    file = tmp_path / "tracker.toml"
    file.write_text("", encoding="utf-8")
    (tmp_path / "formats.toml").write_text('[countries]\nFR = ["gallia"]\n', encoding="utf-8")
    loaded = load(file, environ={})
    assert "gallia" in knowledge_of(loaded).formats.countries["FR"]
    (tmp_path / "formats.toml").write_text('[[format]]\nid = "own"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"formats\.toml:1: format\[own\]: .*missing required field"):
        knowledge_of(loaded)


def profile(folder: Path, name: str, text: str) -> Path:
    (folder / "profiles").mkdir(exist_ok=True)
    file = folder / "profiles" / f"{name}.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_profile_is_a_layout_of_ones_own_and_comes_first(tmp_path: Path) -> None:
    file = profile(tmp_path, "x", f"[[format]]\n{MINIMAL}")
    found = load_all(SHIPPED, tmp_path)
    assert (found.formats.format[0].id, found.formats.proposed, found.problems) == ("x", (), ())
    assert (found.profiles["x"].file, found.profiles["x"].enabled) == (file, True)


def test_a_profile_nobody_agreed_to_is_found_by_its_name_only(tmp_path: Path) -> None:
    profile(tmp_path, "x", f"[[format]]\n{MINIMAL}enabled = false\n")
    formats = load_all(SHIPPED, tmp_path).formats
    assert "x" not in [one.id for one in formats.format]
    assert formats.by_id("x") is formats.proposed[0]


@pytest.mark.parametrize(
    ("toml", "why"),
    [
        ("[[format]\n", r"x.toml:1: not valid TOML"),
        ("", "x.toml: a profile is one [[format]] and nothing else"),
        (f"[[format]]\n{MINIMAL}\n[[format]]\n{MINIMAL}", "x.toml: a profile is one [[format]] and nothing else"),
        ("[[format]]\ntitle = 1\n", "every entry needs a text"),
        (f"[[format]]\n{MINIMAL}enabled = 1\n", "format.enabled: has to be true or false"),
        ("[[format]]\n" + MINIMAL.replace('"UTC"', '"Mars/Base"'), "x.toml:6: format[x].zone: 'Mars/Base' is no time zone"),
        (
            "[[format]]\n" + MINIMAL.replace("{}", "{ order = 7 }"),
            "x.toml:8: format[x].columns: expected `array`, got `int`",
        ),
        ("[[format]]\n" + MINIMAL.replace('"x"', '"order_sheet"', 1), "format[order_sheet].id: another format has this id"),
    ],
)
def test_a_broken_profile_is_told_with_its_line(toml: str, why: str, tmp_path: Path) -> None:
    profile(tmp_path, "x", toml)
    with pytest.raises(FormatsError, match=re.escape(why)):
        load_all(SHIPPED, tmp_path)


def test_a_broken_proposal_keeps_nobody_from_work(tmp_path: Path) -> None:
    profile(tmp_path, "x", f"[[format]]\n{MINIMAL}enabled = false\ncolour = 1\n")
    found = load_all(SHIPPED, tmp_path)
    assert found.profiles == {}
    (problem,) = found.problems
    assert (problem.level, problem.line, problem.key) == ("warning", 1, "format[x]")


def test_profiles_that_cannot_be_listed_are_told(tmp_path: Path) -> None:
    (tmp_path / "profiles").write_text("", encoding="utf-8")
    with pytest.raises(FormatsError, match="profiles: cannot be read: Not a directory"):
        load_all(SHIPPED, tmp_path)
