"""A how-to page as a program: its blocks that name a file are written, its `$` lines are run, what they print is compared.

A block ```` ```toml stores/lume.toml ```` is that file. In a block ```` ```console ```` every line behind `$ ` is a command; the
lines below it must be printed by it, in this order (spaces count as one, `…` stands for whatever is left out of a line, or for
lines). A command ends with exit code 0, or with the one that its comment `# exit code 3` names.

`<!-- now: 2026-11-27T08:40 -->` sets the rehearsal's clock: from there on commands that take `--at` get it, so that a page for
real days shows what people type on them.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import takewhile
from pathlib import Path

import msgspec
import pytest

from tests.docs.commands import arguments, commands

_FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_NOW = re.compile(r"^<!-- now: (?P<at>\S+) -->$", re.MULTILINE)
_VARIABLE = re.compile(r"[A-Z_]+=")
_EXIT = re.compile(r"# exit code (\d+)")
LEFT_OUT = "…"

_TAKE_AT = {name for name, app in commands() if any(each.name == "--at" for each in arguments(app))} - {"db restore", "db retire"}
"""A restore and a retirement happen now."""

Tracker = Callable[[list[str]], tuple[int, str]]
"""Runs the words behind `tracker`; exit code and everything that was printed."""


class Block(msgspec.Struct, frozen=True):
    """A fenced block: the words behind its fence, and its text."""

    info: tuple[str, ...]
    body: str

    @property
    def file(self) -> str | None:
        """The file that it is."""
        return self.info[1] if len(self.info) == 2 else None


class Step(msgspec.Struct, frozen=True):
    """One command of a console block."""

    line: str
    says: tuple[str, ...]

    @property
    def code(self) -> int:
        """The exit code it ends with."""
        found = _EXIT.search(self.line)
        return int(found[1]) if found else 0


def blocks(page: str) -> list[Block]:
    """All fenced blocks of a page."""
    return [Block(tuple(found["info"].split()), found["body"]) for found in _FENCE.finditer(page)]


def steps(body: str) -> Iterator[Step]:
    """The commands of a console block."""
    line = ""
    says: list[str] = []
    for text in body.replace("\\\n", " ").splitlines():
        if text.startswith("$ "):
            if line:
                yield Step(line, tuple(says))
            line, says = text[2:], []
        elif text.strip():
            says.append(text)
    yield Step(line, tuple(says))


def clocks(page: str) -> list[tuple[str | None, str]]:
    """The page in parts, each with the time at which its commands are run; None where they tell it themselves, or live today."""
    first, *rest = _NOW.split(page)
    return [(None, first), *zip(rest[::2], rest[1::2], strict=True)]


def follow(page: str, tracker: Tracker) -> None:
    """Do what the page says, in the present folder. AssertionError with command and output where it does not hold."""
    for at, part in clocks(page):
        _follow(part, tracker if at is None else partial(_at, at, tracker))


def _at(at: str, tracker: Tracker, words: list[str]) -> tuple[int, str]:
    """Run a command at a time of the rehearsal, where it takes one and tells none."""
    name = next((name for name in (" ".join(words[:2]), words[0]) if name in _TAKE_AT), None)
    return tracker(words if name is None or "--at" in words else [*words, "--at", at])


def _follow(page: str, tracker: Tracker) -> None:
    for block in blocks(page):
        if block.file:
            Path(block.file).parent.mkdir(parents=True, exist_ok=True)
            Path(block.file).write_text(block.body, encoding="utf-8")
        elif block.info == ("console",):
            for step in steps(block.body):
                code, said = _run(step.line, tracker)
                assert code == step.code, f"$ {step.line}\nexit code {code}\n{said}"
                missing = _missing(step.says, said)
                assert missing is None, f"$ {step.line}\ndoes not say {missing!r} there, but:\n{said}"


def _run(line: str, tracker: Tracker) -> tuple[int, str]:
    words = shlex.split(line, comments=True)
    variables = dict(word.partition("=")[::2] for word in takewhile(_VARIABLE.match, words))
    words = words[len(variables) :]
    if words[0] == "tracker":
        with pytest.MonkeyPatch.context() as patched:
            for name, value in variables.items():
                patched.setenv(name, value)
            return tracker(words[1:])
    if words[0] == "cd":
        os.chdir(words[1])
        return 0, ""
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False, env=_plain(os.environ))
    return done.returncode, done.stdout + done.stderr


def _plain(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if not name.startswith("TRACKER")} | {"LC_ALL": "C.UTF-8"}


def _missing(says: tuple[str, ...], said: str) -> str | None:
    """The first promised line that is not printed behind the one before it."""
    lines = iter([" ".join(line.split()) for line in said.splitlines()])
    for promised in says:
        wanted = re.compile(".*".join(map(re.escape, " ".join(promised.split()).split(LEFT_OUT))))
        if promised.strip() != LEFT_OUT and not any(wanted.fullmatch(line) for line in lines):
            return promised
    return None
