"""The shipped texts: every one, in every language, on every marketplace, fills its blanks and passes the lint."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.messages.build import day, dossier, loaded, parcel, rules, scan, values, window
from tracker.messages import (
    MESSAGE_TYPES,
    Kind,
    Texts,
    base_key,
    choose,
    lint,
    message_id,
    needed,
    offered,
    render,
    required,
    variant,
)
from tracker.messages.catalogue import BRIEF_BELOW, SCAN, SHORT
from tracker.model import Intent

TEXTS = loaded().texts
SHIPPED = sorted({key for keys in TEXTS.sources.values() for key in keys})
VARIANTS = {"stage1_noscan", "stage2_noscan", "stage2_nodate"}
NO_SHORT = {"placed", "boleto_pending", "tax_number", "extended", "review", "vip"}
LANGUAGES = ("en", "pt-BR", "es", "ru", "zh-CN")


def test_what_ships() -> None:
    """R23, R59: all 24 types with their variants, in two reviewed languages and three that only become tasks; short forms too."""
    assert set(rules().reviewed) == {"en", "pt-BR"}
    assert set(TEXTS.sources) == set(LANGUAGES)
    assert {key for key in SHIPPED if not key.endswith(SHORT)} == {*MESSAGE_TYPES} | VARIANTS
    assert {key.removesuffix(SHORT) for key in SHIPPED if key.endswith(SHORT)} == ({*MESSAGE_TYPES} | VARIANTS) - NO_SHORT
    for language in LANGUAGES:
        assert TEXTS.sources[language].keys() == TEXTS.sources["en"].keys(), language
        assert {name.partition(".")[0] for name in TEXTS.words[language]} >= {
            "signature",
            "pickup_place",
            "buyer_action",
            "causes",
            "days",
        }


@pytest.mark.parametrize(
    ("country", "language"),
    [
        ("BR", "pt-BR"),
        ("MX", "es"),
        ("ES", "es"),
        ("RU", "ru"),
        ("KZ", "ru"),
        ("CN", "zh-CN"),
        ("PT", "en"),
        ("DE", "en"),
        (None, "en"),
    ],
)
def test_the_language_of_a_destination(country: str | None, language: str) -> None:
    """R59: the language of the destination, else English."""
    assert rules().language(country) == language


def test_all_24_types_are_known() -> None:
    """D12: their kinds and slots; outreach stops, stages and answers count as rounds (R45)."""
    assert len(MESSAGE_TYPES) == 24
    assert {key for key, each in MESSAGE_TYPES.items() if each.kind.outreach} == {"stage1", "stage2", "review", "vip"}
    assert {key for key, each in MESSAGE_TYPES.items() if each.kind.counts} == {"stage1", "stage2", "delivered_not_found"}
    assert MESSAGE_TYPES["stage3"].kind is Kind.NOTICE, "D13: it goes out after the refund"
    slots = [each.slot for each in MESSAGE_TYPES.values()]
    assert len(set(slots)) == len(slots), "each type has its own"
    assert not {*slots} & {Intent.EXTENSION, Intent.REFUND, Intent.REFUND_TASK, Intent.COMPENSATION}, (
        "a message shares no key with an action"
    )
    assert MESSAGE_TYPES["customs_hold"].slot is Intent.CUSTOMS
    assert [MESSAGE_TYPES[key].occasion for key in ("stage1", "extended", "dispute_opened", "vip")] == [
        "round",
        "old window end",
        "case",
        "month",
    ]


SENT = [
    (key, platform)
    for platform, market in sorted(rules().marketplaces.items())
    for key in sorted(MESSAGE_TYPES)
    if key not in market.messages_off and (key, platform) != ("review", "amazon")  # asked for by its own button, without a text
]
SAID = {
    "due_date": "2026-06-20",
    "sent_date": "2026-05-02",
    "correction": "LX000000005CN",
    "extra_days": "12",
    "cause": "weather",
}


@pytest.mark.parametrize(("key", "platform"), SENT)
@pytest.mark.parametrize("scanned", [True, False], ids=["scanned", "unscanned"])
def test_every_text_on_every_marketplace(key: str, platform: str, scanned: bool) -> None:
    """R1-R4, R7, R14-R16, R18, R20-R22, R35-R38, R67, R73, R91, R101, R105: rendered, within the limit, no lint hit."""
    if not scanned and MESSAGE_TYPES[key].must & SCAN and key != "stage1":
        return  # a text about a scan
    market = rules().marketplaces[platform]
    case = dossier(
        parcel(last_scan=scan() if scanned else None, delivered_scan=scan()), platform=platform, window=window(day(80)),
        refunded_amount=Decimal("1234.5"),
    )  # fmt: skip
    for language in LANGUAGES:
        facts = values(key, case, day(30 if key in {"stage1", "placed"} else 45), language=language, evidence=SAID)
        brief = market.max_characters is not None and market.max_characters < BRIEF_BELOW
        chosen = choose(TEXTS, variant(key, facts), language, rules().reviewed, short=brief)
        assert chosen is not None
        if not scanned and "last_date" in required(chosen.source):
            continue
        found = render(chosen.source, facts, language, words=TEXTS.words_of(language), limit=market.max_characters)
        assert lint(found.text, platform, rules().lint, found.known) == []
        assert len(found.body) <= (market.max_characters or 5000)


@pytest.mark.parametrize("language", ["en", "pt-BR"])
@pytest.mark.parametrize("scanned", [True, False], ids=["scanned", "unscanned"])
@pytest.mark.parametrize("short", [True, False], ids=["short", "long"])
def test_a_stage1_that_comes_late_promises_no_range(language: str, scanned: bool, short: bool) -> None:
    """R1: on a fast ladder a few days of downtime reach p90; the buyer still gets number, record and page, and no past dates."""
    late = dossier(parcel(last_scan=scan() if scanned else None, carrier=None))
    facts = values("stage1", late, day(50), language=language)
    assert "eta_to" not in facts
    chosen = choose(TEXTS, variant("stage1", facts), language, rules().reviewed, short=short)
    assert chosen is not None
    body = render(chosen.source, facts, language).body
    assert "LX000000005CN" in body
    assert ("https://" in body) is not short
    assert not any(word in body for word in ("between", "entre ", "  ", " ,"))


def test_a_stage1_reads_like_a_letter() -> None:
    """R1, R36, R57: the guide's form, word by word."""
    facts = values("stage1", dossier(), day(30), language="en")
    found = render(TEXTS.sources["en"]["stage1"], facts, "en")
    assert found.subject == "Your order 8170000000000099 is on its way"
    assert found.body == (
        "Hello Maria Teste,\n\n"
        "thank you for your order 8170000000000099. Your parcel LX000000005CN is on its way;"
        " the last record is: Arrived in Curitiba (April 21, 2026).\n\n"
        "Parcels to your country usually arrive between May 1, 2026 and May 16, 2026. You can follow it here:"
        " https://t.17track.net/en#nums=LX000000005CN\n\n"
        "If anything is unclear, just reply.\n\n"
        "Best regards,\nCustomer Experience Manager of Casa Lume\n"
    )


def test_a_refund_in_portuguese() -> None:
    """R3, R67, D4: the amount in Brazilian numbers, three to five business days."""
    facts = values("stage3", dossier(), day(61), amount=Decimal("1234.5"), currency="BRL")
    body = render(TEXTS.sources["pt-BR"]["stage3"], facts, "pt-BR").body
    assert "Reembolsamos 1.234,50 BRL; o valor costuma aparecer em 3 a 5 dias úteis." in body


@pytest.mark.parametrize("key", SHIPPED)
def test_a_twin_says_what_the_text_says(key: str) -> None:
    """The same blanks in every language: who reads the twin knows every fact that the buyer is told."""
    for language in LANGUAGES:
        assert required(TEXTS.sources[language][key]) == required(TEXTS.sources["en"][key]), language


REFUND = ("refund", "reembols", "возврат", "退款", "退还")
MARKETING = ("discount", "coupon", "desconto", "cupom", "descuento", "cupón", "скидк", "优惠", "折扣")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", SHIPPED)
def test_what_the_texts_must_not_say(key: str, language: str) -> None:
    """D7: no percentage. R1: a first notice never speaks of refunds. R36: no link in a short form. R101, D5b: nor in a review."""
    source = TEXTS.sources[language][key].partition("#}")[2].lower()
    assert "%" not in source.replace("{%", "").replace("%}", "")
    if base_key(key) in {"stage1", "review", "delivered"}:
        assert not any(word in source for word in REFUND)
    assert not any(word in source for word in MARKETING)
    if key.endswith(SHORT):
        assert "url" not in source


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_has_its_form(language: str) -> None:
    """R57, R59: seller-initiated texts greet by name and close with the store's signature; who is unhappy gets an apology."""
    sorry = ("sorry", "apolog", "sentimos", "lament", "desculpa", "disculpa", "жаль", "извин", "прощен", "抱歉", "致歉", "歉")
    for key in (key for key in SHIPPED if not key.endswith(SHORT)):
        source = TEXTS.sources[language][key].partition("#}")[2]
        assert "{{ name }}" in source, key
        assert source.rstrip().endswith("{{ signature }}"), key
        if base_key(key) in {
            "stage2",
            "stage3",
            "extended",
            "delay",
            "lost",
            "dispute_opened",
            "delivered_not_found",
            "reopened",
            "correction",
            "refund_issued",
        }:
            assert any(word in source.lower() for word in sorry), key


def test_what_a_text_must_name() -> None:
    """R1, R2, R7, R67: and a variant cannot name what it exists without."""
    assert needed("stage1") == {"tracking", "url", "last_event", "last_date"}
    assert needed("stage1.short") == {"tracking", "last_event", "last_date"}
    assert needed("storage_expiring") == {"tracking", "due_date"}
    assert needed("stage2") == {"tracking", "new_deadline"}
    assert needed("stage2_nodate.short") == {"tracking"}
    assert needed("refund_issued") == {"amount", "currency"}
    assert "last_event" not in offered("stage1_noscan")
    assert "new_deadline" not in offered("stage2_nodate")


def test_an_unreviewed_language_is_a_persons() -> None:
    """R59: chosen, but marked, with the English twin beside it; a missing one falls back to English."""
    texts = Texts(
        sources={"en": {"lost": "english", "lost.short": "brief"}, "ru": {"lost": "русский"}}, words={"en": {"cause": "x"}}
    )
    russian = choose(texts, "lost", "ru", {"en"})
    english = choose(texts, "lost", "es", {"en"})
    brief = choose(texts, "lost", "en", {"en"}, short=True)
    assert russian is not None
    assert (russian.language, russian.reviewed, russian.twin) == ("ru", False, "english")
    assert english is not None
    assert (english.language, english.reviewed, english.twin) == ("en", True, None)
    assert brief is not None
    assert brief.key == "lost.short"
    assert choose(texts, "stage1", "ru", {"en"}) is None
    assert texts.words_of("ru") == {"cause": "x"}


@pytest.mark.parametrize(
    ("buyer", "operators", "twin"),
    [
        ("pt-BR", "zh-CN", ("zh-CN", "中文")),
        ("en", "zh-CN", ("zh-CN", "中文")),
        ("zh-CN", "zh-CN", None),
        ("pt-BR", "pt-BR", None),
        ("pt-BR", "en", ("en", "english")),
        ("pt-BR", "de", ("en", "english")),
        ("en", "de", None),
        ("ru", "de", None),
    ],
)
def test_the_twin_is_in_the_operators_language(buyer: str, operators: str, twin: tuple[str, str] | None) -> None:
    """Each text for a buyer stands beside its twin; one in the reader's own language, or that he reads anyway, needs none."""
    texts = Texts(sources={"en": {"lost": "english"}, "pt-BR": {"lost": "português"}, "zh-CN": {"lost": "中文"}}, words={})
    if buyer == "ru":  # a text that only this language has
        texts = Texts(sources={"ru": {"lost": "русский"}}, words={})
    chosen = choose(texts, "lost", buyer, {"en"}, operators=operators)
    assert chosen is not None
    assert (None if chosen.twin is None else (chosen.twin_language, chosen.twin)) == twin


def test_a_message_id_comes_from_the_key_alone() -> None:
    """D12: the same row has the same id for ever; two keys never share one; it stays on one line of every header."""
    one = message_id("order/lume/1001:stage1:0", "shop.example")
    assert one == message_id("order/lume/1001:stage1:0", "shop.example")
    assert one.startswith("<outreach-order-lume-1001-stage1-")
    assert one.endswith("@shop.example>")
    assert message_id("order/a/b:stage1:0", "x.example") != message_id("order/a-b:stage1:0", "x.example")
    odd = message_id("order/店铺/№ 1 <x@y>\r\n:stage1:0", "shop.example")
    assert odd.isascii()
    assert not set(odd) & set(" \r\n")
    assert len(message_id("order/" + "x" * 300, "a-longer.shop.example")) <= 65
    assert message_id("k", "d" * 80).startswith("<outreach-")
