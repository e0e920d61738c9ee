"""Every text, tried before a buyer could get a broken one: blanks, words, lengths, languages, and whether anybody would get it.

A text that cannot be sent is an error; one that would only become a task, or reach nobody, is a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import msgspec
from babel import Locale, UnknownLocaleError

from tracker.config.layers import read_layer
from tracker.config.problem import Level, Problem, meant
from tracker.config.texts import TextFile, TextFiles, WordFile
from tracker.messages import (
    DAYS,
    MESSAGE_TYPES,
    Rendered,
    RenderError,
    Value,
    base_key,
    counts_days,
    lint,
    needed,
    offered,
    plural_forms,
    render,
    required,
    undeclared,
)
from tracker.messages.catalogue import BRIEF_BELOW, ENGLISH, NODATE, NOSCAN, SHORT
from tracker.model import Channel
from tracker.rules import LintList, Marketplace, Rules

_LINE = re.compile(r"line (\d+): ")

SAMPLE: Mapping[str, Value] = {
    "name": "Ana Exemplo",
    "order": "1001",
    "store": "Example Store",
    "signature": "Example Store",
    "tracking": "LX000000005CN",
    "carrier": "China Post",
    "url": "https://track.example/LX000000005CN",
    "last_event": "Departed from the sorting centre",
    "last_date": date(2026, 9, 1),
    "eta_from": date(2026, 10, 1),
    "eta_to": date(2026, 10, 15),
    "new_deadline": date(2026, 11, 1),
    "amount": Decimal("1234.50"),
    "currency": "USD",
    "cause": "a storm",
    "extra_days": 15,
    "buyer_action": "enter your tax number",
    "due_date": date(2026, 10, 10),
    "pickup_place": "the post office",
    "sent_date": date(2026, 9, 2),
    "correction": "the parcel is on its way",
    "payment_hint": "our shop",
}
"""What every blank looks like when a text is tried."""

_FROM_WORDS = ("pickup_place", "cause", "payment_hint")
"""Blanks that the words of a language fill where the facts name nothing better: so are they tried."""


class _Place(msgspec.Struct, frozen=True):
    """Of a marketplace, what the trial of a text asks about."""

    id: str
    off: frozenset[str]
    limit: int | None

    @property
    def brief(self) -> bool:
        return self.limit is not None and self.limit < BRIEF_BELOW


class _Bench(msgspec.Struct, frozen=True):
    """What a text is tried against; hashable, so that the shipped ones are tried once a process."""

    lists: tuple[LintList, ...]
    places: tuple[_Place, ...]
    brief: frozenset[tuple[str, str]]
    """(language, key) of the texts that have a short form."""


def check_texts(found: TextFiles, rules: Rules, operators: str, *, proven: bool = False) -> Iterator[Problem]:
    """Every text, tried with sample facts on every marketplace that permits its type; what a language lacks; what nobody gets.

    `operators` is the language of the twins. `proven`: lint, marketplaces and words are the shipped ones, with which the shipped
    texts were tried before they shipped; then only the operator's own are tried, because a trial of all takes a second.
    """
    keys = {(text.language, text.key) for text in found.files}
    bench = _Bench(
        lists=rules.lint,
        places=tuple(_Place(each.id, _off(each), each.max_characters) for each in rules.marketplaces.values()),
        brief=frozenset((language, key.removesuffix(SHORT)) for language, key in keys if key.endswith(SHORT)),
    )
    texts, tried = found.texts(), [each for each in found.files if not proven or each.file in found.own]
    for text in tried:
        yield from _check(text, tuple(sorted(texts.words_of(text.language).items())), bench)
    yield from _plurals(found, tried)
    yield from _missing(found, rules)
    yield from _unused(found, rules, operators)


def _off(market: Marketplace) -> frozenset[str]:
    """The types that nobody gets there: forbidden, or not worth a person's time where one pastes them."""
    return frozenset(key for key in MESSAGE_TYPES if not carried(key, market))


def unreviewed(rules: Rules) -> str | None:
    """What to say about languages that no native speaker has reviewed; None where all are (R59)."""
    waiting = {country: language for country, language in rules.languages.items() if language not in rules.reviewed}
    if not waiting:
        return None
    spoken = ", ".join(sorted(set(waiting.values())))
    return f"not reviewed by a native speaker: {spoken}; texts to {', '.join(sorted(waiting))} become tasks, never mails (R59)"


# ----------------------------------------------------------------------------------------------------------------- one text


@lru_cache(maxsize=2048)
def _check(text: TextFile, words: tuple[tuple[str, str], ...], bench: _Bench) -> tuple[Problem, ...]:
    return tuple(_findings(text, dict(words), bench))


def _findings(text: TextFile, words: Mapping[str, str], bench: _Bench) -> Iterator[Problem]:
    if base_key(text.key) not in MESSAGE_TYPES:
        stems = {key + variant for key in MESSAGE_TYPES for variant in ("", NOSCAN, NODATE, SHORT)}
        yield _problem(text, "no message has this name, so nobody would ever get it" + meant(text.key, stems))
        return
    try:
        Locale.parse(text.language, sep="-")
    except (UnknownLocaleError, ValueError):
        yield _problem(text, f'"{text.language}" is no language (allowed: en, pt-BR, es, ru ...)')
        return
    try:
        blanks = sorted(_blank_problems(text))
        yield from (_problem(text, message, line=line) for line, message in blanks)
        if blanks or _lacks(text, words):
            return
        rendered = render(text.source, _sample(text.key, words), text.language, words=words)
    except RenderError as error:
        found = _LINE.match(str(error))
        yield _problem(text, _LINE.sub("", str(error)), line=int(found[1]) if found else None)
        return
    yield from _tried(text, rendered, bench)


def _sample(key: str, words: Mapping[str, str]) -> dict[str, Value]:
    said = {name: words[name] for name in _FROM_WORDS if name in words}
    action = words.get(f"buyer_action.{base_key(key)}")
    return {**SAMPLE, **said, **({"buyer_action": action} if action else {})}


def _tried(text: TextFile, rendered: Rendered, bench: _Bench) -> Iterator[Problem]:
    """The lint of each marketplace that permits the type and takes a text of this length; and whether any is too short for it."""
    size = len(rendered.body)
    short = text.key.endswith(SHORT)
    has_short = (text.language, text.key) in bench.brief
    takes = [
        each
        for each in bench.places
        if base_key(text.key) not in each.off and (each.brief if short else not (each.brief and has_short))
    ]
    goes = [each for each in takes if each.limit is None or size <= each.limit]
    for rules in bench.lists:
        where = "*" if "*" in rules.platforms else next((each.id for each in goes if each.id in rules.platforms), None)
        for hit in lint(rendered.text, where, (rules,), rendered.known) if where else ():
            there = "" if where == "*" else f" on {where}"
            message = f'becomes a task{there}, never a message: "{hit.found}" {hit.why} (lint list {hit.rule})'
            yield _problem(text, message, "warning")
    for each in takes:
        if each.limit is not None and size > each.limit and not has_short:
            message = f"has {size} characters with sample facts, {each.id} takes {each.limit}: there it becomes a task"
            yield _problem(text, message + ("" if short else f" (write a {text.key}{SHORT}.txt)"), "warning")


def _blank_problems(text: TextFile) -> Iterator[tuple[int, str]]:
    """Blanks that nothing fills, that this message cannot fill, and those without which it misses its point."""
    used, unknown, can = required(text.source), undeclared(text.source), offered(text.key)
    for name in unknown:
        yield _line(text.source, name), f"{{{{ {name} }}}} is no blank of any message" + meant(name, can)
    for name in used - unknown - can:
        yield _line(text.source, name), f"{{{{ {name} }}}} cannot be filled in {text.key}" + meant(name, can)
    for name in needed(text.key) - used:
        yield 1, f"{text.key} has to name {{{{ {name} }}}}"


def _line(source: str, name: str) -> int:
    found = re.search(rf"\b{re.escape(name)}\b", source)
    return source.count("\n", 0, found.start()) + 1 if found else 1


# --------------------------------------------------------------------------------------------------------------- a language


def _lacks(text: TextFile, words: Mapping[str, str]) -> tuple[str, ...]:
    """The plural forms of days that the text needs and its language lacks."""
    if not counts_days(text.source):
        return ()
    return tuple(form for form in plural_forms(text.language) if DAYS + form not in words)


def _plurals(found: TextFiles, tried: Iterable[TextFile]) -> Iterator[Problem]:
    """Told once a language, at its words.toml: a text that writes a number of days needs every plural form of its language."""
    told = set[str]()
    for text in tried:
        spoken = found.spoken.get(text.language)
        try:
            forms = _lacks(text, spoken.words if spoken else {}) if text.language not in told else ()
        except RenderError:  # a broken text is told by itself
            continue
        if forms:
            told.add(text.language)
            file = str(Path(text.file).with_name("words.toml"))
            yield _lacking(text.language, file, spoken, forms, f", which {text.key} needs")
    for language, spoken in found.spoken.items():  # one's own [days], before a text needs it; shipped words fill in
        if spoken.file in found.own and language not in told and any(key.startswith(DAYS) for key in spoken.words):
            forms = tuple(form for form in plural_forms(language) if DAYS + form not in spoken.words)
            if forms:
                yield _lacking(language, spoken.file, spoken, forms)


def _lacking(language: str, file: str, spoken: WordFile | None, forms: tuple[str, ...], why: str = "") -> Problem:
    wanted = ", ".join(f'{form} = "{{count}} …"' for form in forms)
    message = f"{language} lacks a plural of days{why}: [days] {wanted}"
    if spoken is None:
        return Problem(file=file, line=None, key="days", message=message)
    return Problem(file=spoken.file, line=read_layer(Path(spoken.file)).line(("days",)), key="days", message=message)


def _missing(found: TextFiles, rules: Rules) -> Iterator[Problem]:
    """What a language that a destination speaks does not say."""
    keys = {(text.language, text.key) for text in found.files}
    english = {key for language, key in keys if language == ENGLISH and base_key(key) in MESSAGE_TYPES}
    for language in sorted({*rules.languages.values()} - {ENGLISH}):
        folder = Path(found.files[0].file).parent.parent.name + f"/{language}" if found.files else language
        for key in sorted(english - {key for spoken, key in keys if spoken == language}):
            message = f"{key} has no text in {language}, the language of a destination: its buyers get the English one"
            yield Problem(file=folder, line=None, key=f"messages.{language}.{key}", message=message, level="warning")


# -------------------------------------------------------------------------------------------------------------- who gets it


def _unused(found: TextFiles, rules: Rules, operators: str) -> Iterator[Problem]:
    """Texts that a person wrote and nobody would get: the language, the type or the marketplace does not ask for them."""
    spoken = {ENGLISH, operators, *rules.languages.values()}
    shops = {
        each.platform: rules.marketplaces[each.platform] for each in rules.stores.values() if each.platform in rules.marketplaces
    }
    for text in found.files:
        if text.file not in found.own or base_key(text.key) not in MESSAGE_TYPES:
            continue
        why = _nobody(text, rules, spoken, tuple(shops.values()))
        if why:
            yield _problem(text, f"nobody would get it: {why}", "warning")


def _nobody(text: TextFile, rules: Rules, spoken: set[str], shops: Iterable[Marketplace]) -> str | None:
    kind = base_key(text.key)
    if text.language not in spoken:
        return f"no destination speaks {text.language} ([messages.languages] in tracker.toml names them)"
    if kind in rules.messages_off:
        return f"{kind} is switched off ([messages] off in tracker.toml)"
    markets = tuple(shops)
    if markets and all(kind in each.messages_off for each in markets):
        return f"no marketplace of your stores permits {kind} (messages_off in marketplaces.toml)"
    if markets and not any(carried(kind, each) for each in markets):
        return f"no channel of your stores carries {kind}: by hand goes only what tasks_for or grouped names (D17)"
    return None


def carried(kind: str, market: Marketplace, channel: Channel | None = None) -> bool:
    """Whether a type of message has a way to a buyer there; `channel` is the store's own, where it names one."""
    if kind in market.messages_off:
        return False
    if (channel or market.channel) is not Channel.TASK:
        return True
    return kind in market.tasks_for or kind in market.grouped


def _problem(text: TextFile, message: str, level: Level = "error", *, line: int | None = None) -> Problem:
    return Problem(file=text.file, line=line, key=f"messages.{text.language}.{text.key}", message=message, level=level)
