"""Bodies that nobody recorded: random JSON and XML with the words of a source, other encodings, bombs."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

from tests.fuzz.corpus import Corpus
from tests.fuzz.mutate import weird

DEEP = 100_000
"""Levels of nesting."""

LONG = 20_000
"""Items of a list, elements, digits."""

_ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "latin-1", "utf-8-sig", "cp1252", "gb18030", "utf-7")


def random_json(rng: Random, corpus: Corpus) -> bytes:
    """A random tree of the source's own keys and words, and of values that fit nowhere."""
    keys = corpus.keys or ("a", "b")

    def value(depth: int) -> Any:
        how = rng.random()
        if depth and how < 0.45:
            return {rng.choice(keys): value(depth - 1) for _ in range(rng.randint(0, 6))}
        if depth and how < 0.6:
            return [value(depth - 1) for _ in range(rng.randint(0, 4))]
        return rng.choice(corpus.words) if corpus.words and how < 0.85 else weird(rng)

    return json.dumps(value(rng.randint(1, 7))).encode()


def random_xml(rng: Random, corpus: Corpus) -> bytes:
    """A random tree of elements."""
    tags = [key for key in corpus.keys if key.isidentifier() and key.isascii()] or ["a", "b", "Error", "Status", "Events"]

    def element(depth: int) -> str:
        tag = rng.choice(tags)
        inner = (
            "".join(element(depth - 1) for _ in range(rng.randint(0, 4))) if depth else rng.choice(("", "delivered", "&lt;", "0"))
        )
        return f"<{tag} {rng.choice(tags)}='{rng.randrange(99)}'>{inner}</{tag}>"

    return f"<?xml version='1.0'?>{element(rng.randint(1, 5))}".encode()


def reencoded(body: bytes, rng: Random) -> bytes:
    """The same text in another encoding, whatever the body says it is in."""
    return body.decode("utf-8", "replace").encode(rng.choice(_ENCODINGS), "replace")


def _deep_json(rng: Random, body: bytes) -> bytes:
    start = rng.choice((b"[", b'{"a":', b'[{"":'))
    return body[: rng.randrange(len(body) + 1)] + start * DEEP


def _deep_closed(rng: Random, body: bytes) -> bytes:
    colon = body.rfind(b":")
    return body[: colon + 1] + b"[" * DEEP + b"]" * DEEP + body[colon + 1 :]


def _deep_xml(rng: Random, body: bytes) -> bytes:
    return b"<a>" * DEEP + b"</a>" * (DEEP if rng.random() < 0.5 else 0)


def long_string(rng: Random, body: bytes) -> bytes:
    """A text of a hundred and sixty thousand characters."""
    at = body.find(b'"', rng.randrange(len(body))) + 1
    return body[:at] + rng.choice((b"A", b"1", b" ", b"\\u0000", "é".encode(), b"+")) * (8 * LONG) + body[at:]


def long_list(rng: Random, body: bytes) -> bytes:
    """A list of twenty thousand empty items."""
    at = body.rfind(b"[") + 1
    return body[:at] + rng.choice((b"{}", b"[]", b"null", b"0", b'""')) + b",{}" * LONG + b"," + body[at:]


def long_xml(rng: Random, body: bytes) -> bytes:
    """As many empty elements."""
    at = body.rfind(b"</")
    return body[:at] + b"<a/>" * LONG + body[at:]


def _entities(rng: Random, body: bytes) -> bytes:
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return f'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY l0 "lol">{lines}]><a>&l9;</a>'.encode()


def _external(rng: Random, body: bytes) -> bytes:
    return b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>'


def _quadratic(rng: Random, body: bytes) -> bytes:
    return b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "%b">]><a>%b</a>' % (b"x" * 50_000, b"&b;" * 5000)


def _digits(rng: Random, body: bytes) -> bytes:
    colon = body.rfind(b":")
    return body[: colon + 1] + b"9" * LONG + body[colon + 1 :]


Bomb = Callable[[Random, bytes], bytes]

JSON_BOMBS: tuple[Bomb, ...] = (_deep_json, _deep_closed, long_string, long_list, _digits)
XML_BOMBS: tuple[Bomb, ...] = (_deep_xml, long_xml, _entities, _external, _quadratic)
BOMBS = JSON_BOMBS + XML_BOMBS
