"""`tracker report handover --send`: whoever sets up a target wants to know today whether it works, not at the first fire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from tests.carriers.loopback import http, serving
from tests.cli.conftest import CONFIG, Shop
from tests.cli.shell import Shell

TARGET = '[[target]]\nid = "desk"\nkind = "webhook"\nurl = "file:{file}"\n'


async def test_it_arrives_or_says_why_not(shop: Shop, shell: Shell) -> None:
    """R53: to those whom [reports.handover] names, all targets by default. A refusal is told in the log and by the exit code."""
    got: list[bytes] = []
    answers = [204, 500]

    def desk(_method: str, _path: str, _headers: Mapping[str, str], body: bytes) -> bytes:
        got.append(body)
        return http(answers.pop(0))

    async with serving(desk) as url:
        address = shop.folder / "desk-url"
        address.write_text(url, encoding="utf-8")
        address.chmod(0o600)
        text = CONFIG + TARGET.format(file=address)
        (shop.folder / "tracker.toml").write_text(text, encoding="utf-8")
        said = await asyncio.to_thread(shell, "report", "handover", "--send")
        assert (said.code, said.out) == (0, "told desk\n")
        assert json.loads(got[0])["kind"] == "handover"
        refused = await asyncio.to_thread(shell, "report", "handover", "--send")
        assert refused.code == 1
        assert "alert.untold" in refused.err
        assert "HTTP 500" in refused.err


def test_without_anybody_to_tell_it_says_what_to_describe(shop: Shop, shell: Shell) -> None:
    said = shell("report", "handover", "--send")
    assert (said.code, said.out) == (2, "")
    assert "describe a [[target]]" in said.err
