"""Filling a text: dates and money of the language, empty blanks named, nasty values made harmless."""

from __future__ import annotations

import unicodedata
from datetime import date
from decimal import Decimal
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.messages.build import loaded
from tracker.messages import RenderError, Value, counts_days, draft, plural_forms, render, required, undeclared
from tracker.messages.clean import clean, shorten


def body(text: str, values: dict[str, Value], language: str = "en") -> str:
    return render(f"subject: x\n\n{text}", values, language, words=loaded().texts.words_of(language)).body.strip()


@pytest.mark.parametrize(
    ("language", "amount", "currency", "shown"),
    [
        ("en", "1234.5", "USD", "1,234.50 USD"),
        ("pt-BR", "1234.5", "USD", "1.234,50 USD"),
        ("pt-BR", "9.9", "BRL", "9,90 BRL"),
        ("es-MX", "19.9", "USD", "19.90 USD"),
        ("ru", "1234.5", "RUB", "1\xa0234,50 RUB"),
        ("es-CL", "12345", "CLP", "12.345 CLP"),
        ("ja", "1200", "JPY", "1,200 JPY"),
        ("xx", "5", "EUR", "5.00 EUR"),
    ],
)
def test_money_in_the_readers_numbers(language: str, amount: str, currency: str, shown: str) -> None:
    """R67: the number as the buyer writes it, with the digits of its currency, and the ISO code beside it."""
    assert body("{{ amount }} {{ currency }}", {"amount": Decimal(amount), "currency": currency}, language) == shown


def test_an_amount_without_a_currency_is_a_number() -> None:
    """R67: the digits of no currency are invented."""
    assert body("{{ amount }}", {"amount": Decimal("1234.5")}, "pt-BR") == "1.234,5"


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("en", "March 4, 2026"),
        ("pt-BR", "4 de março de 2026"),
        ("es", "4 de marzo de 2026"),
        ("ru", "4 марта 2026 года"),
        ("zh-CN", "2026年3月4日"),
    ],
)
def test_dates_are_written_out(language: str, shown: str) -> None:
    """R59: no 03/04; the months are Babel's, a language may name its own pattern."""
    assert body("{{ last_date }}", {"last_date": date(2026, 3, 4)}, language) == shown


@pytest.mark.parametrize(
    ("language", "days", "shown"),
    [
        ("en", 1, "1 day"),
        ("en", 45, "45 days"),
        ("pt-BR", 45, "45 dias"),
        ("es", 1, "1 día"),
        ("ru", 1, "1 день"),
        ("ru", 3, "3 дня"),
        ("ru", 15, "15 дней"),
        ("ru", 21, "21 день"),
        ("zh-CN", 15, "15 天"),
    ],
)
def test_days_are_counted_in_the_language(language: str, days: int, shown: str) -> None:
    """R59: by its plural forms; 45 days never become "2 months"."""
    assert body("{{ extra_days | days }}", {"extra_days": days}, language) == shown


def test_a_language_that_lacks_a_plural_writes_no_number_of_days() -> None:
    """R59: which forms a language needs is Babel's; a missing one blocks the text, it is not borrowed from another language."""
    assert (plural_forms("ru"), plural_forms("zh-CN")) == (("few", "many", "one"), ("other",))
    text = "subject: x\n\n{{ extra_days | days }}"
    assert (counts_days(text), counts_days("subject: x\n\n{{ extra_days }}")) == (True, False)
    with pytest.raises(RenderError, match='lack the plural form "few" under'):
        render(text, {"extra_days": 3}, "ru", words={"days.one": "{count} день"})


def test_a_draft_shows_its_gaps() -> None:
    """R59: what a person gets of a text with an empty blank; what is known stands in it."""
    found = draft("subject: {{ order }}\n\nUntil {{ due_date }}, {{ name }}", {"order": "7", "name": "Ana"}, "en", ("due_date",))
    assert (found.subject, found.body) == ("7", "Until [… due_date …], Ana\n")


def test_an_empty_blank_blocks_the_text_and_is_named() -> None:
    """R59: it never prints as nothing."""
    with pytest.raises(RenderError, match="nothing to fill in for name, tracking") as blocked:
        body("{{ name }} {{ tracking }} {{ order }}", {"name": " \u202e\n ", "order": "1"})
    assert blocked.value.missing == ("name", "tracking")


def test_a_blank_that_is_asked_about_may_be_empty() -> None:
    """R36: `{% if url %}` is how a text copes without a tracking page."""
    text = "{{ order }}{% if url %} {{ url }}{% endif %}"
    assert (body(text, {"order": "7"}), body(text, {"order": "7", "url": "https://x"})) == ("7", "7 https://x")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("subject: x\n\nHello {{ name }", "line 3"),
        ("subject: x\n\n{% if name %}", "line 3"),
        ("Hello {{ name }}", "the first line has to be `subject: …`"),
        ("subject: x\n\n{{ name.upper.__globals__ }}", "cannot be filled in"),
        ("subject: x\n\n{{ 1 / 0 }}", "cannot be filled in"),
        ("subject: x\n\n{{ name + 1 }}", "cannot be filled in"),
        ("subject: x\n\n{{ nmae }}", "nothing to fill in for nmae"),
    ],
)
def test_a_broken_text_says_what_is_wrong(text: str, said: str) -> None:
    """R59, faults row 23: a person reads it in the task, not a traceback."""
    with pytest.raises(RenderError, match=said.replace("(", "\\(")):
        render(text, {"name": "Ana"}, "en")


def test_names_of_blanks() -> None:
    """R59: what a text needs, and what nothing can fill; jinja's own toys are not there."""
    text = "{{ name }} {{ nmae }} {% if url %}{{ url }}{% endif %} {{ range }}"
    assert required(text) == {"name", "nmae", "range"}
    assert undeclared(text) == {"nmae", "range"}
    with pytest.raises(RenderError, match="line 1"):
        undeclared("{{ name")


def test_a_value_is_never_a_template() -> None:
    """Faults row 23: what stands in a buyer's name is text."""
    assert body("{{ name }}", {"name": "{{ 7 * 7 }}"}) == "{{ 7 * 7 }}"


def test_comments_are_for_the_operator() -> None:
    """R23: a text carries its cautions with it."""
    found = render("{# why #}\nSubject: Hi {{ order }}\n\nBody", {"order": "1"}, "en")
    assert (found.subject, found.body, found.text) == ("Hi 1", "Body\n", "Hi 1\n\nBody\n")


def test_too_long_a_text_shortens_the_last_event_first() -> None:
    """R36: then it is a person's; a text is never cut."""
    text = "subject: x\n\nLast record: {{ last_event }}."
    values: dict[str, Value] = {"last_event": "Departed from the international sorting centre of Curitiba"}
    shorter = render(text, values, "en", limit=50).body
    assert len(shorter) <= 50
    assert shorter.startswith("Last record: Departed from the internat")
    assert shorter.endswith("….\n")
    with pytest.raises(RenderError, match="the text has 73 characters, 20 are allowed"):
        render(text, values, "en", limit=20)
    with pytest.raises(RenderError, match="20 are allowed"):
        render("subject: x\n\n" + "word " * 9, {}, "en", limit=20)


NASTY = [
    "Ana\r\nBcc: x@y.example",
    "a\x00b",
    "\ufeffAna",
    "\u202eanA",
    "\ud800x",
    "e\u0301" * 90,
    "👩‍👩‍👧‍👦" * 40,
    "علي حسن",
    "A\u2028B",
]


@pytest.mark.parametrize("name", NASTY)
def test_nasty_names(name: str) -> None:
    """Faults rows 24 and 25: one line, composed, capped, no direction tricks."""
    found = clean("name", name)
    assert "\n" not in found
    assert "\r" not in found
    assert len(found) <= 62
    assert not set(found) & set("\x00\ufeff\u202e\u2028\ud800")
    assert unicodedata.normalize("NFC", found) == found


def test_right_to_left_words_keep_to_themselves() -> None:
    """Faults row 24: an Arabic name does not turn the sentence around."""
    assert clean("name", "علي") == "\u2068علي\u2069"
    assert clean("name", "Ali") == "Ali"


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdefg", 6, "abcde…"),
        ("abcde\u0301\u0301z", 6, "abcd…"),
        ("ab👩‍👧", 4, "ab…"),
        ("ab👍🏽x", 4, "ab…"),
    ],
)
def test_a_cut_never_splits_a_character(text: str, limit: int, shown: str) -> None:
    """Faults row 24: accents, families and skin tones stay whole."""
    assert shorten(text, limit) == shown


@given(name=st.text(max_size=200), event=st.text(max_size=300))
def test_no_value_reaches_a_header(name: str, event: str) -> None:
    """Faults row 25: whatever stands in the facts, the subject is one line that a mail accepts."""
    values: dict[str, Value] = {"name": name, "last_event": event}
    try:
        found = render("subject: {{ name }} {{ last_event }}\n\n{{ name }}", values, "en")
    except RenderError as error:
        assert error.missing  # noqa: PT017 - an empty blank is the other good answer
        return
    assert len(found.subject.splitlines()) == 1
    mail = EmailMessage()
    mail["Subject"] = found.subject
    mail.set_content(found.body)
    assert "\n\n" in mail.as_string()
