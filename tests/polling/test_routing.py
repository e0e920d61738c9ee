"""Whom to ask about a parcel: the named carrier, guesses from the number, sources that are down (facts/carriers.md 3 and 26)."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from carriers.base import Account
from carriers.model import TrackingStatus
from tests import house
from tests.config.build import loaded
from tracker.polling.conversation import Source
from tracker.polling.legs import carrier_of
from tracker.polling.routing import Router, candidates, choices, query
from tracker.rules import NumberHint, Rules
from tracker.store.rows import DueShipment

RULES = replace(
    house.rules(),
    sources={"correios": ("post", "many"), "yanwen": ("yanwen", "many"), "cainiao": ("cainiao",), "*": ("many", "spare")},
)
YANWEN, BRAZIL, NOBODY = "UH183870298YP", "NX123456785BR", "X00012345678"


def due(number: str, carrier: str | None = None) -> DueShipment:
    return DueShipment(
        id=1,
        number=number,
        next_poll_at=0,
        carrier=carrier,
        service="standard",
        country="BR",
        shipped_at=None,
        status=TrackingStatus.UNKNOWN,
        moved_at=None,
        last_answer_at=None,
        failures=0,
    )


def named(*names: str) -> dict[str, Source]:
    made = house.source(None, house.simulated(), "http://127.0.0.1:1")  # type: ignore[arg-type]  # never asked
    return {name: replace(made, account=Account(id=name, base_url="")) for name in names}


@pytest.mark.parametrize(
    ("number", "carrier", "expected"),
    [
        (BRAZIL, "yanwen", ("yanwen", "many")),  # the carrier column of the order always wins
        (BRAZIL, None, ("post", "many", "spare")),
        (YANWEN, None, ("yanwen", "many", "spare")),
        (NOBODY, None, ("many", "spare")),
        (NOBODY, "somebody", ("many", "spare")),
    ],
)
def test_r6_the_named_carrier_wins_then_the_form_of_the_number(
    number: str, carrier: str | None, expected: tuple[str, ...]
) -> None:
    """R6; facts 26: detection is a hint, never a verdict: the sources of any carrier come after the guessed one's."""
    assert choices(number, carrier, RULES) == expected


def test_configured_patterns_go_before_the_shipped_ones() -> None:
    """Facts 26: known wrong guesses of public lists exist, so the configuration has the first word."""
    own = NumberHint(id="ours", pattern=r"^NX\d{9}BR$", carrier="yanwen")
    rules = replace(RULES, number_hints=(own, NumberHint(id="weak", pattern="^X", carrier="cainiao", likely=False)))
    assert candidates(BRAZIL, rules) == ("yanwen", "correios")
    assert candidates(NOBODY, rules) == ()
    assert (carrier_of(NOBODY, None, rules), carrier_of(NOBODY, None, house.rules())) == ("cainiao", None), "a last resort"
    assert choices(f" {BRAZIL.lower()}", None, rules)[0] == "yanwen"


def test_a_source_that_is_down_is_passed_over_unless_it_is_the_only_one() -> None:
    """Issue, choosing the source: primary and fallback per carrier."""
    there = named("post", "many", "cainiao")
    parcel = due(BRAZIL, "correios")
    routers = [Router(rules=RULES, sources=there, down=down) for down in ({"x"}, {"post"}, {"post", "many"}, {"cainiao"})]
    assert [router.first(parcel) for router in routers[:3]] == [there["post"], there["many"], there["post"]]
    assert routers[3].first(due("LP00123456789012", "cainiao")) is there["cainiao"]
    assert Router(rules=replace(RULES, sources={}), sources=there).first(due(NOBODY, "nobody")) is None


def test_no_number_goes_out_with_another_shops_credentials() -> None:
    """Facts rule 16: two accounts at one carrier, one a shop; a parcel of nobody's goes to neither."""
    there = {name: replace(source, stores=frozenset({name})) for name, source in named("lume", "norte").items()}
    rules = replace(RULES, sources={"yanwen": ("lume", "norte")})
    parcel = due(YANWEN, "yanwen")
    owners: list[dict[int, frozenset[str]]] = [
        {1: frozenset({"lume"})},
        {1: frozenset({"norte"})},
        {1: frozenset({"other"})},
        {1: frozenset()},
    ]
    routers = [Router(rules=rules, sources=there, owners=each) for each in owners]
    assert [router.first(parcel) for router in routers] == [there["lume"], there["norte"], None, None]
    assert [router.second(parcel, "lume") for router in routers] == [None, None, None, None]
    assert routers[2].by_source([parcel]) == ({}, [parcel])
    assert routers[1].by_source([parcel]) == ({"norte": [parcel]}, [])


def test_parcels_are_grouped_by_account_and_nobody_is_forgotten() -> None:
    """Facts rule 16: groups are accounts of sources, never carrier names."""
    there = named("post", "many")
    parcels = [due(BRAZIL), due(YANWEN), due(BRAZIL, "correios"), due(NOBODY, "cainiao"), due(NOBODY)]
    routed, stranded = Router(rules=RULES, sources=there).by_source(parcels)
    assert {name: len(each) for name, each in routed.items()} == {"post": 2, "many": 2}
    assert stranded == [parcels[3]], "its only source is not configured: it waits, and the log says so"


def test_a_guess_is_not_told_to_a_source_as_the_carrier() -> None:
    """Facts, what users complain about: a carrier wrongly detected, and no way to correct it."""
    assert query(due(NOBODY, "china_post"), house.rules(), "seventeen_track").carrier_code == "3011"
    assert query(due("RB000000115CN"), house.rules(), "seventeen_track").carrier_code is None


SOURCES = """
[[source]]
id = "main"
adapter = "seventeen_track"
secrets = { api_key = "env:KEY" }

[[source]]
id = "post"
adapter = "correios"
secrets = { user = "env:KEY", access_code = "env:KEY" }
"""


def rules_of(folder: Path, text: str) -> Rules:
    return loaded(folder, {"tracker.toml": text}, environ={"KEY": "x"}).rules


def test_a_carrier_is_asked_itself_first_and_a_post_never_about_strangers(tmp_path: Path) -> None:
    """Promise 2: a post that was never to carry a parcel says "not found" for ever; nobody may take that for a loss."""
    both = rules_of(tmp_path, SOURCES)
    assert both.sources["correios"] == ("post", "main")
    assert choices("RB000000115CN", "china_post", both) == ("main",)
    alone = rules_of(tmp_path, SOURCES[SOURCES.index("[[source]]", 5) :])
    assert alone.sources["correios"] == ("post",)
    assert alone.sources["*"] == ()
    assert Router(rules=alone, sources=named("post")).first(due("RB000000115CN", "china_post")) is None


@pytest.mark.parametrize(
    ("number", "country", "expected"),
    [
        (BRAZIL, "MX", "correios"),
        ("36YPH337263201000935107", "FR", "la_poste"),
        ("36YPH337263201000935107", None, None),
        ("36YPH337263201000935107", "ZZ", None),
        ("RA000000009XX", "BR", None),
    ],
)
def test_whose_a_last_mile_number_is(number: str, country: str | None, expected: str | None) -> None:
    """Facts rule 11 and 26: by its form, else the post of the destination; nobody is guessed beyond that."""
    assert carrier_of(number, country, house.rules()) == expected
