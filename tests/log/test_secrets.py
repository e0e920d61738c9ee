"""Three ways in which libraries would tell more than they should, each closed and tried (faults rows 26 and 27)."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from carriers.base import Request
from carriers.errors import CarrierError
from carriers.http import HttpTransport
from tests import canaries
from tests.conftest import Lines
from tests.house import START
from tracker import log
from tracker.config import Secret
from tracker.log import Event, get_logger
from tracker.store.connection import sqlite
from tracker.store.connection.sqlite import plain
from tracker.store.schema import create

PASSWORD = canaries.secret("password")
QUERY = f"key={canaries.secret('query')}&phone=955550100"


def _broken(buyer: str, password: str) -> None:
    message = f"cannot log in as {len(buyer) + len(password)} characters"
    raise RuntimeError(message)


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_names_no_variable(form: log.Format) -> None:
    """Fault 26: in both forms of the log, neither arguments nor locals of any frame; the sentence and the line are enough."""
    out = io.StringIO()
    log.configure(form, out)
    try:
        _broken(canaries.BUYER, PASSWORD)
    except RuntimeError as error:
        get_logger().exception(Event.UNIT_FAILED, unit="poll", error=error)
    assert "_broken" in out.getvalue(), "the traceback is there"
    assert not canaries.PLANTED.search(out.getvalue())


def test_an_error_of_the_database_tells_no_value(tmp_path: Path) -> None:
    """Faults 26 and 27: SQLAlchemy would print the bound values, a buyer's among them."""
    engine = sqlite.open_engine(tmp_path / "a.db", 1000)
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE t (a TEXT UNIQUE)"))
        connection.execute(text("INSERT INTO t VALUES (:a)"), {"a": canaries.MAIL})
        with pytest.raises(IntegrityError) as twice:
            connection.execute(text("INSERT INTO t VALUES (:a)"), {"a": canaries.MAIL})
        with pytest.raises(OperationalError) as wrong:
            connection.execute(text("INSERT INTO nowhere VALUES (:a)"), {"a": canaries.MAIL})
    engine.dispose()
    for error in (twice.value, wrong.value):
        assert not canaries.PLANTED.search(f"{error!s} {error!r}")
        assert "hide_parameters" in str(error)


def test_an_error_of_our_own_statements_tells_no_value(tmp_path: Path) -> None:
    """Faults 26 and 27: the driver below SQLAlchemy names columns, never what was to stand in them."""
    create(f"sqlite:///{tmp_path / 'tracker.db'}", rehearsal=True, now=START)
    with pytest.raises(Exception, match="meta") as error, plain(tmp_path / "tracker.db", write=True) as tx:
        tx.run("INSERT INTO meta (key, value) VALUES (?, ?)", "rehearsal", canaries.BUYER)
    assert not canaries.PLANTED.search(f"{error.value!s} {error.value!r}")


async def test_a_query_string_is_never_told(log_lines: Lines, caplog: pytest.LogCaptureFixture) -> None:
    """Fault 26: keys stand in queries; of a request that failed host and path are told, and httpx is silent."""
    transport = HttpTransport(account_id="x")
    with caplog.at_level(logging.DEBUG, "asyncio"), pytest.raises(CarrierError) as failed:
        await transport.send(Request(method="GET", url=f"http://127.0.0.1:9/track?{QUERY}", headers={"x-key": PASSWORD}))
    await transport.close()
    get_logger().warning(Event.POLL_FAILED, message=str(failed.value))
    logging.getLogger("httpx").info("HTTP Request: GET http://127.0.0.1:9/track?%s", QUERY)
    told = json.dumps(log_lines()) + repr(failed.value) + str(failed.value)
    assert not canaries.PLANTED.search(told)


def test_a_secret_shows_itself_to_nobody_who_prints_it() -> None:
    """Fault 26: repr, str, format and an f-string of a secret, alone or inside something else."""
    kept = Secret(PASSWORD)
    for shown in (repr(kept), str(kept), f"{kept}", f"{kept!s:>30}", repr({"key": [kept]}), str((kept,))):
        assert not canaries.PLANTED.search(shown)
