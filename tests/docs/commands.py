"""docs/reference/commands.md: every command with its help, its options, its exit codes and an example."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping

from cyclopts import App
from cyclopts.argument import Argument

from tests.docs.markdown import code, codes, table
from tracker.cli.app import build

HEAD = """\
# Commands

Made from the command line itself by `python -m tests.docs`; do not edit.

Data goes to stdout, the log and everything else to stderr. Times are UTC unless they carry an offset.

Every command takes:

| option | meaning |
| --- | --- |
| `--config PATH` | the `tracker.toml` to use; its siblings are read with it ([where else it is looked for](config.md)) |
| `--json` | one JSON document on stdout with a `schema_version`; money as strings, times UTC with `Z`; an error is one too |

Where `--at TIME` is listed, the command runs as of that time (UTC). A command that writes takes it on a rehearsal database only.

Exit codes, the same for every command but the resident daemon:

| code | meaning |
| --- | --- |
| 0 | done |
| 1 | failed, or something was found that needs a person |
| 2 | usage or configuration |
| 3 | done in part |
"""

FINDINGS: Mapping[str, str] = {
    "run": (
        "with `--once`: 0 also when a source was down. The resident daemon speaks to systemd: 0 it was asked to stop, 64 usage, "
        "74 the database is damaged, 75 start me again (another daemon holds the database, too), 78 configuration or schema"
    ),
    "import": "3 when some rows were rejected; 1 when nothing of any file could be taken",
    "status": "1 when something needs a person",
    "config check": "1 when there is an error; warnings alone give 0",
    "db check": "1 when the schema is not this version's",
    **dict.fromkeys(
        ("review approve", "review reject", "tasks take", "tasks done", "tasks drop", "outbox resolve", "hold release"),
        "each id stands for itself: 0 all were taken, 3 some, 1 none",
    ),
}
"""What the codes mean where a command has more to say than the table above."""

_VALUES = {"datetime.datetime": "TIME", "datetime.date": "DATE", "Decimal": "AMOUNT", "Path": "PATH", "int": "N", "": "TEXT"}
_SAME_EVERYWHERE = {
    "ID": "the id, as the lists show it",
    "IDS": "ids, as the lists show them",
    "FILE": "the worksheet",
    "--store": "one store only",
    "--to": "what became of it",
    "--reason": "why; the next one who looks reads it",
}
"""What needs no words in each command's help."""

_COMMON = frozenset({"--config", "--json"})
_EXAMPLE = re.compile(r"Example: `([^`]*)`")


def commands(app: App | None = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, App]]:
    """Every command that does something, by its words, in the order of `tracker --help`'s module."""
    app = app or build()
    names = [name for name in app if not name.startswith("-")]
    if not names:
        yield " ".join(path), app
    for name in names:
        yield from commands(app[name], (*path, name))


def arguments(app: App) -> list[Argument]:
    """What a command takes, without `--config` and `--json`."""
    found = app.assemble_argument_collection(parse_docstring=True)
    return [each for each in found if each.show and each.name not in _COMMON]


def example(app: App) -> str:
    """The command line that its help shows."""
    found = _EXAMPLE.search(_docstring(app))
    return found[1] if found else ""


def page() -> str:
    """The whole page."""
    return HEAD + "".join(_section(name, app) for name, app in commands())


def _section(name: str, app: App) -> str:
    usage = " ".join(["tracker", name, *(_in_usage(each) for each in arguments(app))])
    said = _EXAMPLE.split(_docstring(app))[0].split()
    rows = [(_names(each), _meaning(each)) for each in arguments(app) if each.name != "--at"]
    parts = [f"\n## tracker {name}\n\n{' '.join(said)}\n\n```text\n{usage}\n```\n"]
    if rows:
        parts.append("\n" + table(("takes", "meaning"), rows))
    if name in FINDINGS:
        parts.append(f"\nExit code: {FINDINGS[name]}.\n")
    parts.append(f"\nExample: `{example(app)}`\n")
    return "".join(parts)


def _docstring(app: App) -> str:
    return inspect.getdoc(app.default_command) or ""


def _in_usage(argument: Argument) -> str:
    named = argument.name.startswith("--")
    word = f"{argument.name} {_value(argument)}".rstrip() if named else argument.name
    word += "…" if _several(argument) else ""
    return word if argument.required else f"[{word}]"


def _several(argument: Argument) -> bool:
    return argument.field_info.kind is inspect.Parameter.VAR_POSITIONAL


def _value(argument: Argument) -> str:
    if "bool" in str(argument.hint):
        return ""
    choices = argument.get_choices()
    return "|".join(choices) if choices else next(word for kind, word in _VALUES.items() if kind in str(argument.hint))


def _names(argument: Argument) -> str:
    return codes(name for name in argument.names if not name.startswith("--empty-"))


def _meaning(argument: Argument) -> str:
    said = " ".join((argument.parameter.help or _SAME_EVERYWHERE[argument.name]).split())
    default = argument.field_info.default
    if default in (None, False, "", inspect.Parameter.empty):
        return said
    return f"{said} Default: {code(str(default))}."
