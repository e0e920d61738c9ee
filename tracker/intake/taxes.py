"""Tax numbers: check digits by python-stdnum. An invalid one is kept with a warning; from a remark only a valid one is taken."""

from __future__ import annotations

import re
from collections.abc import Mapping

from stdnum import get_cc_module

# CPF and CNPJ, written with or without their marks, not inside a longer row of digits (facts/file-formats.md 2.1).
_IN_A_REMARK = re.compile(r"(?<![\d.])(?:\d{3}\.?\d{3}\.?\d{3}-?\d{2}|\d{2}\.?\d{3}\.?\d{3}/?\d{4}-?\d{2})(?!\d)")


def valid(number: str, country: str | None, kinds: Mapping[str, tuple[str, ...]]) -> bool | None:
    """Whether the number is a tax number of the country; None where the country's numbers are not known here."""
    if country is None or country not in kinds:
        return None
    return any(bool(module.is_valid(number)) for kind in kinds[country] if (module := get_cc_module(country, kind)))


def in_remark(remark: str, country: str | None, kinds: Mapping[str, tuple[str, ...]]) -> str | None:
    """The first valid tax number of a free text, as digits; nothing else of the text is kept."""
    for found in _IN_A_REMARK.findall(remark):
        if valid(found, country, kinds):
            return re.sub(r"\D", "", found)
    return None
