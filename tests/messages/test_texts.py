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
from tracker.messages.catalogue import SHORT

TEXTS = loaded().texts
SHIPPED = sorted({key for keys in TEXTS.sources.values() for key in keys})
LADDER = {"stage1", "stage1_noscan", "stage2", "stage2_noscan", "stage2_nodate", "stage3"}


def test_what_ships() -> None:
    """R59: the ladder, extension, refund, late arrival, delay and loss, in two reviewed languages; short forms too."""
    wanted = LADDER | {"extended", "refund_issued", "late_arrival", "delay", "lost"}
    assert set(rules().reviewed) == {"en", "pt-BR"}
    assert set(TEXTS.sources) == {"en", "pt-BR", "zh-CN"}, "the last one is the operators' twin, never sent by itself"
    assert {key for key in SHIPPED if not key.endswith(SHORT)} == wanted
    assert {key.removesuffix(SHORT) for key in SHIPPED if key.endswith(SHORT)} == wanted - {"extended"}
    assert TEXTS.sources["en"].keys() == TEXTS.sources["pt-BR"].keys() == TEXTS.sources["zh-CN"].keys()


def test_all_24_types_are_known() -> None:
    """D12: their kinds and slots; outreach stops, stages and answers count as rounds (R45)."""
    assert len(MESSAGE_TYPES) == 24
    assert {key for key, each in MESSAGE_TYPES.items() if each.kind.outreach} == {"stage1", "stage2", "review", "vip"}
    assert {key for key, each in MESSAGE_TYPES.items() if each.kind.counts} == {"stage1", "stage2", "delivered_not_found"}
    assert MESSAGE_TYPES["stage3"].kind is Kind.NOTICE, "D13: it goes out after the refund"
    assert MESSAGE_TYPES["customs_hold"].slot == "customs"


SENT = [
    (key, platform)
    for platform, market in sorted(rules().marketplaces.items())
    for key in ("stage1", "stage2", "stage3", "extended", "refund_issued", "late_arrival", "delay", "lost")
    if key not in market.messages_off
]


@pytest.mark.parametrize(("key", "platform"), SENT)
@pytest.mark.parametrize("language", ["en", "pt-BR"])
@pytest.mark.parametrize("scanned", [True, False], ids=["scanned", "unscanned"])
def test_every_text_on_every_marketplace(key: str, language: str, platform: str, scanned: bool) -> None:
    """R1, R2, R3, R4, R7, R35, R37, R67, R73: rendered from real facts, within the limit, without a lint hit."""
    market = rules().marketplaces[platform]
    case = dossier(
        parcel(last_scan=scan() if scanned else None, delivered_scan=scan()), platform=platform, window=window(day(80)),
        refunded_amount=Decimal("1234.5"),
    )  # fmt: skip
    facts = values(key, case, day(30 if key == "stage1" else 45), language=language)
    short = market.max_characters is not None and market.max_characters < 500
    chosen = choose(TEXTS, variant(key, facts), language, rules().reviewed, short=short)
    assert chosen is not None
    found = render(chosen.source, facts, language, limit=market.max_characters)
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
    texts = {language: TEXTS.sources[language][key] for language in ("en", "zh-CN")}
    assert required(texts["zh-CN"]) == required(texts["en"])


@pytest.mark.parametrize("language", ["en", "pt-BR"])
@pytest.mark.parametrize("key", SHIPPED)
def test_what_the_texts_must_not_say(key: str, language: str) -> None:
    """D7: no percentage. R1: a first notice never speaks of refunds. R36: short forms carry no link."""
    source = TEXTS.sources[language][key].partition("#}")[2]
    assert "%" not in source.replace("{%", "").replace("%}", "")
    if base_key(key) == "stage1":
        assert "refund" not in source.lower()
        assert "reembols" not in source.lower()
    if key.endswith(SHORT):
        assert "url" not in source


def test_what_a_text_must_name() -> None:
    """R1, R2, R7, R67: and a variant cannot name what it exists without."""
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
