"""`make audit` against a vulnerability service of our own: what is known fails, and silence is never taken for good news.

Dependencies are attacked too: pins with hashes, and somebody who asks about them (SECURITY.md).
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests import audit

LOCK = """\
version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "audited"
version = "0"
source = { virtual = "." }
dependencies = [{ name = "leaky" }, { name = "sound" }]

[package.metadata]
requires-dist = [{ name = "leaky", specifier = "==1.0" }, { name = "sound", specifier = "==2.0" }]
"""
PACKAGE = """
[[package]]
name = "{name}"
version = "{version}"
source = {{ registry = "https://registry.invalid/simple" }}
wheels = [{{ url = "https://registry.invalid/{name}-{version}-py3-none-any.whl", hash = "sha256:{digest}", size = 1 }}]
"""
KNOWN = {"id": "PYSEC-2026-1", "modified": "2026-01-01T00:00:00Z", "summary": "leaks", "details": "It leaks.", "affected": []}


class Service(BaseHTTPRequestHandler):
    """Answers as the service does: ids for each package that was asked about, then what an id means."""

    known: tuple[str, ...] = ()
    asked: list[str]

    def log_message(self, *_: Any) -> None:
        """Nothing on stderr."""

    def do_POST(self) -> None:
        queries = json.loads(self.rfile.read(int(self.headers["content-length"])))["queries"]
        names = [query["package"]["name"] for query in queries]
        self.asked.extend(names)
        vulns = [{"vulns": [{"id": KNOWN["id"], "modified": KNOWN["modified"]}]} if name in self.known else {} for name in names]
        self._answer({"results": vulns})

    def do_GET(self) -> None:
        self._answer(KNOWN)

    def _answer(self, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    """A project of two packages."""
    audit.project(tmp_path, ["leaky==1.0", "sound==2.0"])
    both = (PACKAGE.format(name=name, version=version, digest="0" * 64) for name, version in (("leaky", "1.0"), ("sound", "2.0")))
    (tmp_path / "uv.lock").write_text(LOCK + "".join(both))
    return tmp_path


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Service, "asked", [], raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_known_vulnerability_fails(locked: Path, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1, with the package and what is known about it."""
    monkeypatch.setattr(Service, "known", ("leaky",))
    code, said = audit.ask(locked, service)
    assert (code, "leaky" in said, "PYSEC-2026-1" in said) == (audit.FOUND, True, True), said


def test_every_package_is_asked_about(locked: Path, service: str) -> None:
    """Exit code 0 only where all of them were asked about and nothing is known."""
    code, said = audit.ask(locked, service)
    assert code == audit.CLEAN, said
    assert sorted(Service.asked) == ["leaky", "sound"]


def test_a_service_that_cannot_be_reached_is_no_good_news(
    locked: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 3, and it says that nothing was checked."""
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_OFFLINE", "1")
    assert audit.ask(locked, "http://127.0.0.1:9/")[0] == audit.NOT_ASKED
    monkeypatch.setattr(audit, "UV", Path("/bin/false"))
    assert audit.main("http://127.0.0.1:9/") == audit.NOT_ASKED
    assert "NOT AUDITED" in capsys.readouterr().err


def test_every_pin_is_read() -> None:
    """A pin that the audit overlooks would never be asked about: as many as there are lines that pin."""
    lines = {
        line.partition("==")[0].partition("[")[0]
        for file in audit.REQUIREMENTS.glob("*.txt")
        for line in file.read_text().splitlines()
        if re.match(r"[a-z0-9].*==", line)
    }
    assert {pin.partition("==")[0] for pin in audit.pins()} == lines
    assert len(lines) > 40


@pytest.mark.parametrize("name", ["runtime", "server", "build", "dev"])
def test_every_list_is_pinned_with_hashes(name: str) -> None:
    """No line installs anything without a version and a SHA-256, and none names an address or an option."""
    text = (audit.REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).strip())
    assert [block for block in blocks if not re.match(r"[a-z0-9][a-z0-9._-]*(\[[a-z0-9_,-]+\])?==\S", block)] == []
    assert [block for block in blocks if not re.search(r"--hash=sha256:[0-9a-f]{64}", block)] == []
    assert "://" not in text


def test_make_installs_with_hashes_only() -> None:
    """Every `pip install` of a list demands hashes; everything else installs without dependencies, or what was just built."""
    recipe = re.sub(r"\\\n", " ", (audit.ROOT / "Makefile").read_text())
    installs = [line for line in re.split(r"\n|&&", recipe) if re.search(r"pip (install|wheel)", line)]
    assert installs
    assert [line for line in installs if "--require-hashes" not in line and "--no-deps" not in line] == []
