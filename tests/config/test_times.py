"""time-rules.toml: what contradicts itself is told with its line, and what is merged stands (D3)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.build import loaded, told

RULE = """[[rule]]
id = "mine"
marketplace = "ebay"
item = "mine"
kind = "{kind}"
tz = "{tz}"
{more}
profiles.current = {{ anchor = "{anchor}", offset = 3, unit = "{unit}", confidence = "high"{rest} }}
"""


def mine(**change: str) -> str:
    values = {"kind": "deadline", "tz": "UTC", "anchor": "paid", "unit": "days", "rest": "", "more": ""}
    return RULE.format(**values | change)


CASES = {
    "unknown anchor": (
        mine(anchor="payed"),
        'time-rules.toml:8: rule[mine].profiles.current.anchor: no such anchor (got "payed", ',
    ),
    "bad zone": (
        mine(tz="America/Los_Angelos"),
        'time-rules.toml:6: rule[mine].tz: no such time zone (got "America/Los_Angelos", did you mean "America/Los_Angeles")',
    ),
    "an unknown rule": (
        mine(anchor="rule:amazon.confrm"),
        (
            "time-rules.toml:8: rule[mine].profiles.current.anchor: no such rule "
            '(got "amazon.confrm", did you mean "amazon.confirm")'
        ),
    ),
    "a circle": (
        mine(anchor="rule:amazon.confirm") + '\n[[rule]]\nid = "amazon.confirm"\nprofiles.current = { anchor = "rule:mine" }\n',
        "time-rules.toml:8: rule[mine].profiles.current.anchor: goes in a circle: mine -> amazon.confirm -> mine",
    ),
    "a rule that counts from itself": (
        mine(anchor="rule:mine"),
        "time-rules.toml:8: rule[mine].profiles.current.anchor: goes in a circle: mine -> mine",
    ),
    "a window that ends before it begins": (
        mine(kind="window", rest=", offset_max = 2"),
        "time-rules.toml:8: rule[mine].profiles.current.offset_max: the window ends (2 days after) before it begins (3)",
    ),
    "a window backwards in time": (
        mine(kind="window", rest=', offset_max = 4, direction = "before"'),
        "time-rules.toml:8: rule[mine].profiles.current.offset_max: the window ends (4 days before) before it begins (3)",
    ),
    "a window without an end": (
        mine(kind="window"),
        "time-rules.toml:8: rule[mine].profiles.current.offset_max: a window needs its end: offset_max",
    ),
    "an end anchor without an offset": (
        mine(rest=', end_anchor = "paid"'),
        "time-rules.toml:8: rule[mine].profiles.current.end_anchor: needs offset_max: how long after it the window ends",
    ),
    "business days without a calendar": (
        mine(unit="business_days"),
        (
            "time-rules.toml:8: rule[mine].profiles.current.unit: business days follow a calendar: "
            'add calendar = "marketplace" to the rule (D8)'
        ),
    ),
    "a marketplace nobody has": (
        mine().replace('"ebay"', '"ebey"'),
        'time-rules.toml:3: rule[mine].marketplace: no such marketplace, so it can never match (got "ebey", did you mean "ebay")',
    ),
    "a deadline that opens a case": (
        mine(more='opens = ["dispute"]'),
        "time-rules.toml:7: rule[mine].opens: warning: a deadline opens no case: a window, window_open or window_close does",
    ),
    "a first day that is the last to ship": (
        mine(kind="window_open", more="ships = true"),
        "time-rules.toml:7: rule[mine].ships: warning: a window_open is no last day to ship: a deadline or a target is",
    ),
    "a first day that limits a promise": (
        mine(kind="window_open", more="limits_promise = true"),
        "time-rules.toml:7: rule[mine].limits_promise: warning: a window_open is no last day to complain: a window or",
    ),
    "an answer that is dated by a window": (
        mine(kind="window_open", more='case = ["inquiry"]'),
        (
            "time-rules.toml:7: rule[mine].case: warning: a window_open dates no answer, "
            "so this never matches: a deadline or a target does"
        ),
    ),
    "a kind of case that there is not": (
        mine(more='case = ["inquirry"]'),
        'time-rules.toml:7: rule[mine].case[0]: is not one of its values (got "inquirry", did you mean "inquiry")',
    ),
    "a zone of a country": (
        '[zones]\nDE = "Europe/Berlyn"\n',
        'time-rules.toml:2: zones.DE: no such time zone (got "Europe/Berlyn", did you mean "Europe/Berlin")',
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_contradiction_is_told_with_its_line(tmp_path: Path, name: str) -> None:
    """D3, D9: file, line, key, what is wrong; once."""
    text, message = CASES[name]
    found = [each for each in told(tmp_path, {"time-rules.toml": text}) if each.startswith("time-rules.toml")]
    assert any(each.startswith(message) or message in each for each in found), found


def test_an_operators_file_merges_by_id(tmp_path: Path) -> None:
    """D3: one figure is changed, one rule is switched off, one is new; all the others stand."""
    text = (
        '[[rule]]\nid = "ebay.inr.respond"\nprofiles.current = { offset = 2 }\n'
        '[[rule]]\nid = "ebay.message"\nenabled = false\n' + mine()
    )
    times = {each.id: each for each in loaded(tmp_path, {"time-rules.toml": text}).rules.times["ebay"]}
    assert (times["ebay.inr.respond"].offset, times["ebay.inr.respond"].unit) == (2, "business_days")
    assert "ebay.message" not in times
    assert times["mine"].offset == 3
    assert times["ebay.inr.open.last"].offset == 30


def test_the_profile_is_chosen_for_all_and_by_store(tmp_path: Path) -> None:
    """D3: `[time] profile`, and a shop's own."""
    shop = 'platform = "ebay"\nname = "Lume"\nzone = "UTC"\nmode = "observe"\n'
    files = {"stores/lume.toml": shop + 'time_profile = "current"\nsite = "DE"\n', "stores/jade.toml": shop}
    found = loaded(tmp_path, {"tracker.toml": '[time]\nprofile = "seed"\n', **files}).rules

    def answer(store: str) -> int:
        return next(each.offset for each in found.times_of(store)["ebay"] if each.id == "ebay.inr.respond")

    assert (answer("lume"), answer("jade")) == (3, 6)
    assert found.stores["lume"].site == "DE"
