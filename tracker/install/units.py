"""Unit files: as shipped, with this installation's paths, and with a first line that shows whether somebody edited them since."""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum
from pathlib import Path

from tracker.install.steps import PREFIX

NAMES = ("tracker.service", "tracker@.service", "tracker.target")

_STAMP = re.compile(r"# tracker init --system wrote this \(sum ([0-9a-f]{16})\)[^\n]*\n")
_LINE = (
    "# tracker init --system wrote this (sum {sum}) and renews it until it is edited. Lines of your own: systemctl edit {unit}\n"
)


class Verdict(StrEnum):
    """How a unit file on the machine stands to this version's."""

    SAME = "same"
    OLDER = "older"
    EDITED = "edited"


_PACKAGED = Path(__file__).resolve().parent.parent / "_systemd"


def is_installed() -> bool:
    """Whether this code is an installed copy. A source tree is not: a service must not run what somebody is working on."""
    return _PACKAGED.is_dir()


def units_dir() -> Path:
    """Where the shipped units lie: inside the package, in a checkout beside it."""
    return _PACKAGED if is_installed() else _PACKAGED.parent.parent / "systemd"


def rendered(name: str, prefix: str) -> str:
    """A shipped unit with the paths of an installation in `prefix`, and its stamp."""
    text = (units_dir() / name).read_text(encoding="utf-8").replace(PREFIX, prefix)
    return _LINE.format(sum=_sum(text), unit=name.removesuffix(".service")) + text


def judge(there: str, wanted: str) -> Verdict:
    """Whether the file `there` may be replaced by `wanted`: only as long as it is what some version wrote."""
    if there == wanted:
        return Verdict.SAME
    stamp = _STAMP.match(there)
    return Verdict.OLDER if stamp and _sum(there[stamp.end() :]) == stamp[1] else Verdict.EDITED


def _sum(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="surrogateescape"), digest_size=8).hexdigest()
