"""Files that somebody broke: the loader always answers, a reload keeps the old configuration (faults row 20).

Every shipped file is mutated: a value of another kind or size, a line lost, doubled or cut, bytes that are no text.
"""

from __future__ import annotations

import re
import shutil
import signal
import tempfile
from pathlib import Path

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.daemon.conftest import Home
from tests.waiting import until
from tracker import config
from tracker.config import Loaded, defaults_dir
from tracker.intake.importing import knowledge_of

SHIPPED = defaults_dir()
FILES = sorted(
    path.relative_to(SHIPPED).as_posix()
    for path in (*SHIPPED.glob("*.toml"), *SHIPPED.glob("operators/*.toml"), *SHIPPED.glob("messages/*/stage*.txt"))
)
VALUES = (
    *('""', "-1", "0", "1e400", "nan", "-inf", "[]", "{}", "true", "1.5", "99999999999999999999999999", "1979-05-27", "07:32:00"),
    *('"\\u0000"', '"env:NOBODY"', '"file:../../../etc/passwd"', '"credential:x"', '["a", "a"]', "[[]]", "[{}]", '"{% for %}"'),
    *(
        '"sqlite:///../../x"',
        '"ü\\u202e"',
        '"2026-02-30"',
        '"25:00-26:00"',
        '"Nowhere/Land"',
        '"9" * 9',
        '"""',
        "'",
        "= 1",
        "\ufeff",
    ),
    *('{ id = "x" }', '[{ id = "x" }, { id = "x" }]', '"' + "x" * 5000 + '"'),
)
UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)
"""A load takes a tenth of a second: a thousand of them to shorten what is short already is too many."""

BROKEN = (
    b"[engine\n",
    b"\xff\xfe\x00",
    b'[database]\nurl = "sqlite:///elsewhere.db"\n',
    b"[engine]\npoll_interval_s = -5\n",
    b'[[source]]\nid = "tracks"\nadapter = "nobody_knows_it"\n',
    b'[nonsense]\nx = 1\n[engine]\npoll_interval_s = "often"\n',
)
_ASSIGNED = re.compile(r"^(\s*[\w.\"-]+\s*=\s*)(.+)$")


@st.composite
def mutations(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file, and what has become of it."""
    name = draw(st.sampled_from(FILES))
    lines = (SHIPPED / name).read_text(encoding="utf-8").splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 3))):
        index = draw(st.integers(0, len(lines) - 1))
        lines[index] = _mutated(draw, lines[index], lines)
    text = "".join(lines).encode("utf-8", "surrogatepass")
    match draw(st.sampled_from(("", "", "", "cut", "bytes"))):
        case "cut":
            text = text[: draw(st.integers(0, len(text)))]
        case "bytes":
            place = draw(st.integers(0, len(text)))
            text = text[:place] + draw(st.binary(min_size=1, max_size=8)) + text[place:]
    return name, text


def _mutated(draw: st.DrawFn, line: str, lines: list[str]) -> str:
    found = _ASSIGNED.match(line)
    match draw(st.sampled_from(("value", "value", "value", "key", "lost", "doubled", "another", "joined"))):
        case "value" if found:
            return f"{found[1]}{draw(st.sampled_from(VALUES))}\n"
        case "key" if found:
            return f"x{line.lstrip()}"
        case "lost":
            return ""
        case "doubled":
            return line + line
        case "another":
            return line + lines[draw(st.integers(0, len(lines) - 1))]
        case _:
            return line.rstrip("\n")


def answer(name: str, content: bytes) -> Loaded | tuple[str, ...]:
    """What the daemon's loader says of a folder with this one file of its own."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        (Path(folder) / "tracker.toml").touch()
        try:
            found = config.load(Path(folder, "tracker.toml"), environ={}, serving=True)
            knowledge_of(found)
        except config.ConfigError as error:
            return tuple(str(problem) for problem in error.problems)
        return found


@given(mutations())
@settings(max_examples=25, deadline=None, phases=UNSHRUNK)
def test_a_mutated_file_is_a_configuration_or_a_list_of_problems(mutation: tuple[str, bytes]) -> None:
    """Fault 20: never a traceback, and each problem names a file that the operator can open."""
    told = answer(*mutation)
    if isinstance(told, tuple):
        assert told
        assert all(line.strip() for line in told)
        assert any(Path(mutation[0]).name in line for line in told)


@given(name=st.sampled_from([name for name in FILES if name.endswith(".toml")]), rest=st.binary(max_size=200))
@settings(max_examples=12, deadline=None, phases=UNSHRUNK)
def test_rubbish_instead_of_a_file_is_told(name: str, rest: bytes) -> None:
    """Fault 20."""
    told = answer(name, b"\xff\xfe[" + rest)
    assert isinstance(told, tuple)
    assert name in told[0]


async def test_a_reload_with_a_broken_file_keeps_the_old_one(home: Home) -> None:
    """Fault 20: the daemon says what is wrong, works on by the old rules, and takes the mended file."""
    good = home.config.read_bytes()
    daemon = home.start()
    await until(lambda: "daemon.started" in home.events())
    for number, broken in enumerate(BROKEN, start=1):
        home.config.write_bytes(broken)
        daemon.signal(signal.SIGHUP)
        await until(lambda wanted=number: home.events().count("config.reload_rejected") == wanted)  # type: ignore[misc]
    await until(lambda: len(home.mailbox.ids) == 1)
    home.config.write_bytes(good)
    daemon.signal(signal.SIGHUP)
    await until(lambda: "config.reloaded" in home.events())
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0
    assert "Traceback" not in home.errors.read_text()
    assert len(home.mailbox.ids) == 1


async def test_a_reload_whose_folder_is_gone_keeps_the_old_one(home: Home) -> None:
    """Fault 20: an editor that moved it away, a mount that is not there."""
    daemon = home.start()
    await until(lambda: "daemon.started" in home.events())
    shutil.move(home.folder / "stores", home.folder / "stores.away")
    home.config.rename(home.folder / "tracker.away")
    daemon.signal(signal.SIGHUP)
    await until(lambda: "config.reload_rejected" in home.events())
    await until(lambda: len(home.mailbox.ids) == 1)
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == 0
