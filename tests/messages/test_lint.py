"""R73, D5: words that no buyer gets to read, and words that look like them and may go out."""

from __future__ import annotations

import pytest

from tests.messages.build import loaded
from tracker.messages import lint
from tracker.messages.lint import fold

LISTS = loaded().rules.lint
URL = "https://t.17track.net/en#nums=LX000000005CN"
KNOWN = {"tracking": "99721007682101004582503", "order": "8170000000000099", "last_date": "March 4, 2026", "url": URL}


def hits(text: str, platform: str = "own_shop") -> set[str]:
    return {hit.rule for hit in lint(text, platform, LISTS, KNOWN)}


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("review_change", "Could you please DELETE your negative review?"),
        ("review_change", "We hope you will change that feedback."),
        ("review_change", "The feedback you left, please revise it."),
        ("review_change", "Poderia alterar a avaliação?"),
        ("review_change", "Por favor, eliminar la reseña."),
        ("review_change", "Пожалуйста, удалите отзыв."),
        ("review_wish", "Please leave us a positive review."),
        ("review_wish", "We would love 5 stars!"),
        ("review_wish", "Deixe 5 estrelas."),
        ("review_wish", "Uma avaliação positiva ajuda."),
        ("review_wish", "亲，给个好评"),
        ("review_wish", "请修改评价"),
        ("review_bribe", "Leave a review and get a coupon."),
        ("review_bribe", "We will refund you. By the way, would you write a review on the platform?"),
        ("review_bribe", "Ganhe um desconto por sua avaliação."),
        ("review_bribe", "评价后返现"),
        ("review_gating", "If you are happy with it, please leave a review."),
        ("deter_claim", "Please don't open a dispute."),
        ("deter_claim", "Please do not file a claim, we will help."),
        ("deter_claim", "Close the dispute first, then we refund."),
        ("deter_claim", "Não abra disputa, por favor."),
        ("deter_claim", "Пожалуйста, не открывайте спор."),
        ("deter_claim", "请不要开纠纷"),
        ("customs", "We can declare a lower value for you."),
        ("customs", "We marked it as a gift."),
        ("unfilled", "Hello {{ name }}, thank you."),
        ("unfilled", "Hello {name}, thank you."),
        ("unfilled", "Hello None, thank you."),
        ("unfilled", "We refunded nan USD."),
        ("unfilled", "Hello ,\n\nthank you."),
        ("unfilled", "Olá , obrigado."),
    ],
)
def test_blocked_everywhere(rule: str, text: str) -> None:
    """R73, D5b: on every platform, the own shop included."""
    assert rule in hits(text)


@pytest.mark.parametrize(
    ("platform", "text"),
    [
        ("amazon", f"Follow it here: {URL}"),
        ("amazon", "Write to care@shop.example"),
        ("amazon", "Special offers await you"),
        ("ebay", "Call +55 11 96123-0000"),
        ("ebay", "Find us on WhatsApp"),
        ("ebay", "See https://shop.example/sale"),
        ("ebay", "You can pay us directly"),
        ("mercadolibre", f"Acompanhe: {URL}"),
        ("mercadolibre", "bit.ly/abc"),
        ("aliexpress", "Please confirm receipt of the order."),
        ("aliexpress", "Por favor, confirme o recebimento."),
        ("aliexpress", "请确认收货"),
        ("aliexpress", "Pay by PayPal instead"),
        ("aliexpress", "WeChat: lume"),
    ],
)
def test_blocked_where_the_platform_forbids_it(platform: str, text: str) -> None:
    """D5a: contact outside the platform; the own shop may."""
    assert hits(text, platform) == {platform}
    assert hits(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "If you have a minute, we would be grateful if you shared your experience in a review on the platform.",
        "Your honest opinion helps other buyers.",
        "If it has not arrived by then you may choose a full refund, or a partial refund if you prefer to keep waiting.",
        "We have put the evidence and our proposal into the case; please look at it there.",
        "None of the scans is newer.",
        "The carrier updated its record.",
        "We declare the real value of the goods.",
    ],
)
def test_honest_words_may_go(text: str) -> None:
    """R101, R2: a neutral request, the offer of a refund, plain English."""
    assert {rule for platform in ("own_shop", "aliexpress", "ebay", "amazon") for rule in hits(text, platform)} == set()


@pytest.mark.parametrize("platform", ["aliexpress", "ebay", "own_shop"])
def test_numbers_and_the_tracking_page_are_no_contact_data(platform: str) -> None:
    """D5a: the parcel's own numbers, dates and page are masked before the phone pattern looks."""
    text = f"Order 8170000000000099, parcel 99721007682101004582503 ({URL}), March 4, 2026."
    assert hits(text, platform) == set()
    assert lint(text, "ebay", LISTS) != [], "without knowing them they do look like phone numbers"


def test_a_hit_says_what_it_found_and_why() -> None:
    """R73: the task names the list."""
    [hit] = lint("Please don't open a dispute.", "own_shop", LISTS)
    assert (hit.rule, hit.found, hit.why) == (
        "deter_claim",
        "don't open a dispute",
        "talks the buyer out of a dispute, claim or case",
    )


@pytest.mark.parametrize(
    ("one", "other"), [("Avaliação", "avaliacao"), ("RESEÑA", "resena"), ("ＦＩＶＥ", "five"), ("Открывайте", "открывайте")]
)
def test_case_and_accents_do_not_hide_a_word(one: str, other: str) -> None:
    """R73: the lint reads what a person reads."""
    assert fold(one) == fold(other)
