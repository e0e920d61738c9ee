"""Canaries: secrets and personal data of these tests have values that nothing else has, and the whole suite's logs are searched.

Faults rows 26 and 27. What is searched, test by test: every line of the log; what commands say on stderr, in this process or as
children; and, in the test's folder, logs, send journals, metrics, health files and dumps. What a command prints on stdout, mails,
worksheets and the database are data for operators and buyers, and are not searched.

`Watch` is the pytest plugin. A find fails the test that caused it. A whole run in which one kind of output was never seen, or in
which no canary was ever planted, fails as well: then it would be the search that is broken.
"""

from __future__ import annotations

import re
import subprocess
from base64 import b64encode
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

MARK = "kanarie"
BUYER = "Ana Kanarie"
MAIL = "ana.kanarie@buyers.example"
PHONE = "+55 11 95555-0100"
TAX_NUMBER = "529.982.247-25"
ADDRESS = "Rua Kanarie 17"


def secret(what: str) -> str:
    """An invented password, key or token that is recognised wherever it turns up."""
    return f"kanarie-{what}-k3y"


KINDS = ("log", "stderr", "child", "journal", "metrics", "health", "logfile")
"""What a whole run has to have seen. Dumps are searched too, but there should be none."""

_FILES = (
    (re.compile(r".*journal.*\.jsonl"), "journal"),
    (re.compile(r".*\.prom"), "metrics"),
    (re.compile(r"health.*\.json"), "health"),
    (re.compile(r".*\.log|.*\.jsonl|stderr.*"), "logfile"),
    (re.compile(r"core(\.\d+)?|.*\.dump|.*\.traceback|hs_err.*"), "dump"),
)
_LARGEST = 16_000_000
_AROUND = 60
_SHORTEST_NAME = 6


def _shapes() -> Iterator[str]:
    """The marks in plain, and as base64 at each of its three offsets, as logins on the wire have them."""
    yield f"(?i:{MARK})"
    for word in (MARK, MARK.capitalize()):
        for offset in range(3):
            coded = b64encode(b"\0" * offset + word.encode()).decode().rstrip("=")
            yield re.escape(coded[(0, 2, 3)[offset] : -1])
    yield r"529\.?982\.?247-?25"
    yield r"95555-?0100"


PLANTED = re.compile("|".join(_shapes()))


class Watch:
    """Gathers what one test puts out, searches it at the test's end, and adds up what was searched."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._seen: list[tuple[str, str]] = []
        self._persons: set[str] = set()
        self.searched: Counter[str] = Counter()
        self.broken: list[str] = []

    # ------------------------------------------------------------------------------------------------ what is gathered

    def see(self, kind: str, text: str | bytes | None) -> None:
        """Something was put out."""
        if text:
            self._seen.append((kind, text.decode(errors="replace") if isinstance(text, bytes) else text))

    def person(self, *names: str | None) -> None:
        """Somebody whom no log may name from here to the end of the test. Short words are no names but accidents."""
        self._persons.update(name for name in names if name and len(re.findall(r"\w", name)) >= _SHORTEST_NAME)

    def pytest_configure(self) -> None:
        """Listen at the three doors through which words leave this process."""
        _listen_to_the_log(self)
        _listen_to_children(self)
        _listen_to_stderr(self)
        _listen_to_imports(self)

    # ------------------------------------------------------------------------------------------------------ each test

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Search when everything about the test is over; a find is an error of that test."""
        report = yield
        if report.when != "teardown":
            return report
        for name, text in report.sections:
            if "stderr" in name:
                self.see("stderr", text)
        folder = getattr(item, "funcargs", {}).get("tmp_path")
        if isinstance(folder, Path):
            self.files(folder)
        found = self.finds()
        if found and report.outcome == "passed":
            report.outcome = "failed"
            report.longrepr = "\n".join(
                [f"{item.nodeid} put secrets or personal data where none may be (faults 26, 27):", *found]
            )
        return report

    def files(self, folder: Path) -> None:
        """Everything in a folder that is neither data nor configuration."""
        for parent, _, names in folder.walk() if hasattr(folder, "walk") else _walk(folder):
            for name in names:
                kind = next((kind for pattern, kind in _FILES if pattern.fullmatch(name)), None)
                file = parent / name
                if kind and file.is_file() and not file.is_symlink() and file.stat().st_size <= _LARGEST:
                    self.see(kind, file.read_bytes())

    def finds(self) -> list[str]:
        """One line a find, with what stands around it; forgets what was gathered."""
        seen, self._seen = self._seen, []
        persons, self._persons = self._persons, set()
        self.searched.update(kind for kind, _ in seen)
        self.searched["planted"] += sum(bool(PLANTED.search(name)) for name in persons)
        everything = "\n".join(text for _, text in seen)
        # Thousands of names as one expression would be tried at each letter; most texts hold none of them.
        named = [re.escape(name) for name in sorted(persons) if name in everything]
        pattern = re.compile("|".join([PLANTED.pattern, *named])) if named else PLANTED
        return [
            f"  {kind}: …{text[max(found.start() - _AROUND, 0) : found.end() + _AROUND]!r}…"
            for kind, text in seen
            for found in [pattern.search(text)]
            if found
        ]

    # --------------------------------------------------------------------------------------------------- the whole run

    def pytest_testnodedown(self, node: Any) -> None:
        """xdist: what a worker has searched."""
        self.searched.update(getattr(node, "workeroutput", {}).get("canaries", {}))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """A whole run that saw nothing of a kind has not searched it."""
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput["canaries"] = dict(self.searched)
        elif exitstatus == pytest.ExitCode.OK and self.whole():
            self.broken = [kind for kind in (*KINDS, "planted") if not self.searched[kind]]
            if self.broken:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def whole(self) -> bool:
        """Whether this run was asked for every test: no path, no word, no marker but the one of `make test`."""
        option = self._config.option
        return (
            self._config.args_source is pytest.Config.ArgsSource.TESTPATHS
            and not option.keyword
            and not getattr(option, "lf", False)
            and not option.collectonly
            and option.markexpr in {"", "not packaging"}
        )

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """How much was searched; loud where that was nothing."""
        told = ", ".join(f"{count:,} {kind}" for kind, count in sorted(self.searched.items()))
        terminalreporter.write_line(f"canaries: searched {told or 'nothing'}")
        if self.broken:
            terminalreporter.write_line(f"canaries: saw no {', no '.join(self.broken)}: the search is broken", red=True)


def _walk(folder: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    import os

    for parent, folders, names in os.walk(folder):
        yield Path(parent), folders, names


def _listen_to_the_log(watch: Watch) -> None:
    class Logger(structlog.WriteLogger):
        def msg(self, message: str) -> None:
            watch.see("log", message)
            super().msg(message)

        log = debug = info = warn = warning = fatal = failure = err = error = critical = exception = msg

    class Factory(structlog.WriteLoggerFactory):
        def __call__(self, *args: Any) -> structlog.WriteLogger:
            return Logger(self._file)

    structlog.WriteLoggerFactory = Factory  # type: ignore[misc]


def _listen_to_children(watch: Watch) -> None:
    real = subprocess.Popen.communicate

    def communicate(self: subprocess.Popen[Any], *args: Any, **more: Any) -> tuple[Any, Any]:
        out, err = real(self, *args, **more)
        watch.see("child", err)
        return out, err

    subprocess.Popen.communicate = communicate  # type: ignore[method-assign]


def _listen_to_stderr(watch: Watch) -> None:
    real = pytest.CaptureFixture.readouterr

    def readouterr(self: pytest.CaptureFixture[Any]) -> Any:
        said = real(self)
        watch.see("stderr", said.err)
        return said

    pytest.CaptureFixture.readouterr = readouterr  # type: ignore[method-assign]


def _listen_to_imports(watch: Watch) -> None:
    """Whoever is imported in this process becomes a canary too: the samples' buyers have names of their own."""
    from tracker.store import Store

    real = Store.save_import

    async def save_import(self: Store, batch: Any, *args: Any, **more: Any) -> Any:
        for order in batch.orders:
            watch.person(order.buyer_name, order.buyer_email, order.buyer_phone, order.tax_number)
        return await real(self, batch, *args, **more)

    Store.save_import = save_import  # type: ignore[method-assign, assignment]
