"""The library behind a hundred desks (WeCom, DingTalk, Feishu ...): what it does not deliver is told, and no address is shown."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from tests.carriers.loopback import Reply, http, serving
from tracker.channels import apprise as module
from tracker.channels.apprise import AppriseSink
from tracker.channels.base import Refused
from tracker.channels.notice import Notice

AT = datetime(2026, 5, 2, 9, tzinfo=UTC)
LINES = ("17track: since 09:00", "see: tracker status")
NOTICE = Notice(key="n-1", kind="source_down", at=AT, language="en", title="1 source is down", lines=LINES)
pytestmark = [
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),  # apprise does without it on Python 3.13
    pytest.mark.usefixtures("_quiet"),
]


@pytest.fixture
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """As tracker.log.configure does: the library logs addresses."""
    caplog.set_level(logging.CRITICAL + 1, logger="apprise")


async def told(reply: Reply) -> list[dict[str, str]]:
    """What a desk got that answers so."""
    got: list[dict[str, str]] = []

    def desk(_method: str, _path: str, _headers: Mapping[str, str], body: bytes) -> Reply:
        got.append(json.loads(body))
        return reply

    async with serving(desk) as base:
        sink = AppriseSink("night", base.replace("http://", "json://") + "/KANARIE")
        await sink.tell(NOTICE)
        await sink.close()
    return got


async def test_d24_a_notice_arrives_with_its_title_and_all_its_lines() -> None:
    """D24: one message, grouped."""
    [got] = await told(http(200))
    assert (got["title"], got["message"].splitlines()) == (NOTICE.title, list(NOTICE.lines))


@pytest.mark.parametrize(
    ("reply", "why"), [(http(500), "target night did not take it"), ([0.4], "target night gave no answer within 0.1 s")]
)
async def test_what_a_desk_does_not_take_is_tried_again(reply: Reply, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """D24, promise 1: alerts come at least once; the reason names the target by its id, its address holds a secret."""
    if isinstance(reply, list):
        monkeypatch.setattr(module, "_DEADLINE_SECONDS", 0.1)
    with pytest.raises(Refused) as refused:
        await told(reply)
    assert (str(refused.value), refused.value.retry) == (why, True)


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The house installs as little as it can: whoever names such a target is told what is missing."""
    monkeypatch.setitem(__import__("sys").modules, "apprise", None)
    with pytest.raises(Refused, match=r"target night wants the extra `alerts`: pip install '\.\[alerts\]'"):
        AppriseSink("night", "json://127.0.0.1/KANARIE")
