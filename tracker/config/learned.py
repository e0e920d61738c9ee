"""What own deliveries taught becomes part of the rules: a change of it is a change of rules, compared and guarded as one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from tracker.config.load import Loaded
from tracker.rules import Learned, Rules


def with_learned(loaded: Loaded, learned: Mapping[str, Learned]) -> Loaded:
    """The configuration with these quantiles, by "COUNTRY/service"; the rules have a version of their own where there are any."""
    if not learned or not loaded.rules.manners.learn_from:
        return replace(loaded, rules=with_quantiles(loaded.rules, {}, loaded.read_version)) if loaded.rules.learned else loaded
    told = msgspec.json.encode(dict(sorted(learned.items())))
    version = hashlib.blake2b(loaded.read_version.encode() + told, digest_size=8).hexdigest()
    return replace(loaded, rules=with_quantiles(loaded.rules, learned, version))


def with_quantiles(rules: Rules, learned: Mapping[str, Learned], version: str) -> Rules:
    """The rules with these quantiles, under another version."""
    return replace(rules, learned=dict(sorted(learned.items())), version=version)
