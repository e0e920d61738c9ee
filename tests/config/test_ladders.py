"""Config lint with meaning: rules that do nothing, figures that nobody verified; warnings with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.build import told

SHOP = 'platform = "aliexpress"\nname = "Lume"\nzone = "Asia/Shanghai"\nmode = "observe"\n'

CASES = {
    "a profile for a service that nobody sells": (
        {"destinations.toml": '[[profile]]\nid = "br-standard"\nservice = "pigeon"\n'},
        "destinations.toml:3: profile[br-standard].service: warning: can never match: no service in services.toml is called",
    ),
    "a service behind one that takes the same words": (
        {
            "services.toml": '[[service]]\nid = "first"\nmatch = ["rocket"]\ncarrier = "yanwen"\nservice = "special_line"\n'
            'ladder = "standard"\n[[service]]\nid = "second"\nmatch = ["rocket line"]\ncarrier = "yanwen"\n'
            'service = "special_line"\nladder = "standard"\n'
        },
        "services.toml:9: service[second].match: warning: can never match: first comes first and takes the same texts",
    ),
    "a carrier that owes nothing": (
        {
            "carriers.toml": '[[carrier]]\nid = "pigeons"\nname = "Pigeon Post"\n',
            "services.toml": '[[service]]\nid = "own"\nmatch = ["pigeon"]\ncarrier = "pigeons"\nservice = "standard"\n',
        },
        "services.toml:4: service[own].carrier: warning: pigeons has no claim terms in compensation.toml",
    ),
    "a shop that sells where the figures are unverified": (
        {"stores/lume.toml": f'{SHOP}default_country = "AR"\n'},
        "stores/lume.toml:5: default_country: warning: the figures of ar-standard are unverified",
    ),
    "a shop that sells where there is no ladder": (
        {"stores/lume.toml": f'{SHOP}default_country = "NG"\n'},
        "stores/lume.toml:5: default_country: warning: no profile in destinations.toml is for NG",
    ),
}


@pytest.mark.parametrize("what", CASES)
def test_a_rule_without_effect_is_a_warning_with_its_place(tmp_path: Path, what: str) -> None:
    files, says = CASES[what]
    said = told(tmp_path, files)
    assert any(says in each for each in said), said
    assert all("warning" in each for each in said), said


def test_the_shipped_rules_are_silent(tmp_path: Path) -> None:
    """A warning that everybody gets is read by nobody."""
    assert told(tmp_path, {"stores/lume.toml": f'{SHOP}default_country = "BR"\n'}) == []
