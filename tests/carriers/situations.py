"""Which situations an adapter must have a sample of, and what some sources cannot tell."""

from __future__ import annotations

from carriers import registry

FIRST_CLASS = frozenset(
    {
        "auth",
        "customs_hold",
        "delivered",
        "empty_events",
        "error_in_200",
        "in_transit",
        "label_only",
        "not_found",
        "rate_limited",
        "returned",
        "several_numbers",
        "truncated",
        "unmapped_code",
    }
)
"""What first class means: of each a sample, as far as the source has it."""

EXPERIMENTAL = frozenset({"answer", "unmapped_code", "rate_limited"})
"""Of an adapter that was written from documents: an answer with scans, a code that nobody knows, a refusal."""

_ONE = "it is asked about one number a call"

LACKS: dict[str, dict[str, str]] = {
    "aftership": {
        "error_in_200": "its meta.code repeats the HTTP status",
        "not_found": "it never says that a courier does not know a number: Pending means a courier out of reach as well",
    },
    "sheet": {
        "auth": "a folder wants no login",
        "empty_events": "a row is a scan",
        "error_in_200": "a file is an answer or none",
        "not_found": "a number that no sheet lists is missing, not unknown",
        "rate_limited": "nobody else reads the folder",
        "truncated": "a table of lines has no end mark: what arrived of it is whole rows",
    },
    "dhl_unified": {
        "error_in_200": "its errors come with their HTTP status",
        "several_numbers": _ONE,
    },
    "usps": {
        "error_in_200": "its errors come with their HTTP status",
        "several_numbers": _ONE,
    },
    "cainiao": {
        "auth": "a public page wants no login",
        "returned": "no code of it is known to tell a return",
    },
    "yunexpress": {
        "customs_hold": "no code of it tells customs for sure",
        "several_numbers": _ONE,
    },
    "fourpx": {"returned": "no code of it is known to tell a return"},
    "correios": {"label_only": "its first event is the posting: no code of it tells an announcement"},
    "royal_mail": {
        "customs_hold": "no public code of it tells customs",
        "label_only": "no public code of it tells an announcement",
        "returned": "no public code of it tells a return",
    },
    "fake": {"auth": "a script wants no login", "truncated": "scripts are written by tests"},
}
"""Adapter -> situation -> why its source cannot be in it."""

OPTIONS: dict[str, dict[str, object]] = {"cainiao": {"public_page": True}, "shopee_xpress": {"public_page": True}}
"""Adapter -> the options without which it asks nobody."""


def wanted(name: str) -> set[str]:
    """The situations that `name` needs samples of."""
    every = FIRST_CLASS if registry.describe(name).tier == registry.FIRST else EXPERIMENTAL
    return set(every) - set(LACKS.get(name, {}))
