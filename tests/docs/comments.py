"""What the shipped configuration files say about their own keys: behind a value, or in the list at the top."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

_TABLE = re.compile(r"(?:# )?\[{1,2}([\w.-]+)\]{1,2}\s*(?:# (.*))?")
_VALUE = re.compile(r"(?:# )?([\w-]+) = .*?(?:\s+# (.*))?")
_DEFINITION = re.compile(r"# ([a-z_0-9]+(?:, [a-z_0-9]+)*)\s{2,}(\S.*)")
_GOES_ON = re.compile(r"#\s{6,}(\S.*)")
_SOURCE = re.compile(r" ?\((?:(?:[DR]\d+\w?(?:-[DR]\d+)?|facts/[^(); ]*[^();]*)(?:[,;] )?)+\)|(?:[DR]\d+\w?(?:, )?)+: ")
"""Where a rule comes from: for engineers, not for the page."""


class Comments(msgspec.Struct, frozen=True):
    """`behind` a value, by (table, key), the table "" at the top; `listed` in the head of the file, by key."""

    behind: Mapping[tuple[str, str], str]
    listed: Mapping[str, str]

    def meaning(self, table: str, key: str) -> str:
        """What is said of a key. KeyError for one that nobody explains."""
        said = self.listed.get(key) or self.behind.get((table, key))
        if not said:
            raise KeyError(f"nothing says what {table}.{key} means: a comment behind it, or in the head of its file")
        return without_sources(said)


def without_sources(text: str) -> str:
    """The text without the ids of requirements and the names of fact sheets."""
    return _SOURCE.sub("", text)


def read(text: str) -> Comments:
    """The comments of one file. A key that is shown switched off (`# key = value   # meaning`) counts too."""
    return Comments(_behind(text), _listed(text))


def _behind(text: str) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    table = ""
    for line in text.splitlines():
        if head := _TABLE.fullmatch(line):
            table = head[1]
            if head[2]:
                outer, _, inner = table.rpartition(".")
                found.setdefault((outer, inner), head[2])
        elif (value := _VALUE.fullmatch(line)) and value[2]:
            found.setdefault((table, value[1]), value[2].strip())
    return found


def _listed(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    keys: list[str] = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        if said := _DEFINITION.fullmatch(line):
            keys = said[1].split(", ")
            found.update(dict.fromkeys(keys, said[2]))
        elif keys and (more := _GOES_ON.fullmatch(line)):
            found.update({key: f"{found[key]} {more[1]}" for key in keys})
        else:
            keys = []
    return found
