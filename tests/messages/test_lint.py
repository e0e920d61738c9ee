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
        ("review_change", "请修改评价"),
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
    ("rule", "sentences"),
    [
        (
            "review_change",
            {
                "en": "Would you take down the feedback you left?",
                "pt-BR": "Você poderia excluir a sua avaliação?",
                "es": "¿Podría borrar su valoración?",
                "ru": "Не могли бы Вы исправить свою оценку?",
                "zh-CN": "能不能麻烦您把评价改成中性的？",
            },
        ),
        (
            "review_wish",
            {
                "en": "A five-star rating would help us.",
                "pt-BR": "Uma ótima avaliação nos ajuda.",
                "es": "Nos encantaría una buena calificación.",
                "ru": "Поставьте, пожалуйста, 5 звёзд.",
                "zh-CN": "请给五星",
            },
        ),
        (
            "review_bribe",
            {
                "en": "Leave a rating and we send you a voucher.",
                "pt-BR": "Deixe sua avaliação e ganhe um brinde.",
                "es": "Escriba una reseña y le damos un descuento.",
                "ru": "За отзыв мы дарим скидку.",
                "zh-CN": "写评论可领红包",
            },
        ),
        (
            "review_gating",
            {
                "en": "If you are satisfied, please write a review.",
                "pt-BR": "Se gostou, deixe uma avaliação.",
                "es": "Si le gustó, escriba una reseña.",
                "ru": "Если Вам понравилось, оставьте отзыв.",
                "zh-CN": "如果您满意，请写评价",
            },
        ),
        (
            "deter_claim",
            {
                "en": "There is no need to open a dispute, and please withdraw the claim.",
                "pt-BR": "Por favor, evite abrir uma disputa.",
                "es": "Por favor, cierre la disputa y le devolveremos el dinero.",
                "ru": "Отмените, пожалуйста, спор.",
                "zh-CN": "请您先取消纠纷",
            },
        ),
        (
            "threat",
            {
                "en": "Otherwise we will take legal action.",
                "pt-BR": "Caso contrário, seu nome irá para a lista negra.",
                "es": "De lo contrario tomaremos acciones legales.",
                "ru": "Иначе мы подадим в суд.",
                "zh-CN": "否则我们将起诉您",
            },
        ),
        (
            "percentage",
            {
                "en": "We offer you 30 percent of the price.",
                "pt-BR": "Oferecemos 30% do valor.",
                "es": "Le ofrecemos el 30 por ciento.",
                "ru": "Мы вернём 30 процентов.",
                "zh-CN": "我们退您百分之三十",
            },
        ),
        (
            "customs",
            {
                "en": "We can mark it as a gift.",
                "pt-BR": "Podemos declarar um valor menor.",
                "es": "Podemos declarar un valor más bajo.",
                "ru": "Мы можем занизить сумму.",
                "zh-CN": "我们可以低报金额",
            },
        ),
    ],
)
def test_forbidden_in_every_language(rule: str, sentences: dict[str, str]) -> None:
    """R73, D5b, D7, D11, R105, R81: a table of sentences that no buyer gets, on any platform, whatever the language."""
    for language, text in sentences.items():
        for platform in ("own_shop", "aliexpress", "amazon", "ebay"):
            assert rule in hits(text, platform), (language, platform)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("deter_claim", "Please consider closing your dispute."),
        ("deter_claim", "Would you mind cancelling the dispute?"),
        ("deter_claim", "We ask you to refrain from opening a case."),
        ("deter_claim", "Kindly hold off on opening a dispute."),
        ("deter_claim", "Your dispute: please close it."),
        ("deter_claim", "Please end the dispute."),
        ("deter_claim", "Não há necessidade de abrir uma disputa."),
        ("deter_claim", "Não é preciso abrir reclamação."),
        ("deter_claim", "No hace falta abrir una disputa."),
        ("deter_claim", "Нет необходимости открывать спор."),
        ("deter_claim", "没有必要提起纠纷"),
        ("review_change", "Please take your review down."),
        ("review_wish", "A 5★ would help us."),
        ("review_wish", "Please rate us 5."),
        ("percentage", "We give you half of the price back."),
        ("percentage", "Devolvemos metade do valor."),
        ("early_receipt", "Confirming receipt helps us."),
        ("early_receipt", "Please mark the order as received."),
        ("early_receipt", "Marque o pedido como recebido."),
        ("contact", "t.me/lume"),
        ("contact", "Find us: wa.me/5511955550100"),
        ("contact", "Add LINE id lume"),
        ("contact", "You can e-mail us."),
    ],
)
def test_the_same_in_other_words(rule: str, text: str) -> None:
    """R73, D5a, D7, R7: what a hurried clerk writes into a store's own text, said a little differently."""
    assert rule in hits(text, "aliexpress")


@pytest.mark.parametrize("shop", ["Shop1102345678 Store", "5 Star Deals", "Top Review Gifts"])
@pytest.mark.parametrize("platform", ["aliexpress", "ebay", "amazon", "own_shop"])
def test_the_name_of_a_shop_is_no_offence(shop: str, platform: str) -> None:
    """D17: platforms name shops by numbers; a text must not become a task for its own signature."""
    text = f"We are sorry for the delay.\n\nBest regards,\nCustomer Experience Manager of {shop}"
    assert lint(text, platform, LISTS, {"store": shop}) == []
    assert lint("Our new phone: 1102345678", "ebay", LISTS, {"store": shop}) != []


def test_a_short_name_hides_no_word() -> None:
    """R73: masked as a whole word alone."""
    assert lint("Please don't open a dispute.", "own_shop", LISTS, {"store": "o"}) != []


@pytest.mark.parametrize(
    ("platform", "rule", "text"),
    [
        ("amazon", "amazon", f"Follow it here: {URL}"),
        ("amazon", "contact", "Write to care@shop.example"),
        ("amazon", "amazon", "Special offers await you"),
        ("amazon", "amazon", "Please leave us your feedback."),
        ("ebay", "contact", "Call +55 11 96123-0000"),
        ("ebay", "contact", "Find us on WhatsApp"),
        ("ebay", "ebay", "See https://shop.example/sale"),
        ("ebay", "pay_outside", "You can pay us directly"),
        ("mercadolibre", "mercadolibre", f"Acompanhe: {URL}"),
        ("mercadolibre", "mercadolibre", "bit.ly/abc"),
        ("mercadolibre", "contact", "Me chama no zap"),
        ("mercadolibre", "pay_outside", "Pague diretamente pela chave pix"),
        ("aliexpress", "early_receipt", "Please confirm receipt of the order."),
        ("aliexpress", "early_receipt", "Por favor, confirme o recebimento."),
        ("aliexpress", "early_receipt", "Por favor, confirme la entrega."),
        ("aliexpress", "early_receipt", "Подтвердите получение, пожалуйста."),
        ("aliexpress", "early_receipt", "请确认收货"),
        ("aliexpress", "aliexpress", "Pay by PayPal instead"),
        ("aliexpress", "contact", "WeChat: lume"),
        ("taobao", "contact", "加微信联系"),
        ("shopee", "contact", "Напишите нам в телеграм"),
        ("tiktok", "marketplace_links", "https://shop.example"),
        ("temu", "contact", "Find us on WhatsApp"),
        ("temu", "marketplace_links", "https://shop.example"),
        ("etsy", "pay_outside", "We take a bank transfer, too."),
    ],
)
def test_blocked_where_the_platform_forbids_it(platform: str, rule: str, text: str) -> None:
    """D5a: contact outside the platform, links, early receipts; the own shop may."""
    assert rule in hits(text, platform)
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
        "The carrier has changed the planned date of arrival, and we would welcome your feedback.",
        "We declare the real value of the goods.",
        "The carrier has confirmed the receipt of the parcel.",
        "We are reviewing the evidence and will tell you tomorrow.",
        "You may open a dispute at any time; you stay protected.",
        "A transportadora confirmou a entrega; se houver problema, fale conosco.",
        "Se o pacote não chegar, você pode abrir uma disputa na plataforma.",
        "Declaramos el valor real de la mercancía y le ayudaremos con la aduana.",
        "Lamentamos el retraso; puede elegir el reembolso total.",
        "Мы вернули деньги, они придут в течение 3–5 рабочих дней.",
        "Посылка находится на таможне, мы поможем.",
        "物流商确认包裹已到达贵国，请留意派送。",
        "如仍未收到，您可以选择全额退款。",
        "We will answer before the end of the case.",
        "There is no charge: half of our parcels arrive earlier.",
        "Não conseguimos encontrar o pacote; você pode abrir uma disputa quando quiser.",
        "No hemos encontrado el paquete; puede abrir una disputa cuando quiera.",
        "The record reads: delivery accepted by the post office.",
        "Marcamos o endereço como correto.",
    ],
)
def test_honest_words_may_go(text: str) -> None:
    """R101, R2: a neutral request, the offer of a refund, plain English."""
    assert {rule for platform in ("own_shop", "aliexpress", "ebay", "mercadolibre") for rule in hits(text, platform)} == set()


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
