"""What a database says when something of ours is wrong names no buyer: it ends in logs (faults rows 26 and 27)."""

from __future__ import annotations

import traceback

import pytest

from tests import canaries
from tests.store.build import given
from tracker.store import Store

WRONG = [
    ("INSERT INTO dossier (store, number, buyer_name) VALUES (?, ?, ?)", ("a", "b", canaries.BUYER)),
    ("UPDATE dossier SET version = ?", (canaries.MAIL,)),
    ("INSERT INTO meta (key, value) VALUES (?, ?), (?, ?)", (canaries.MAIL, "1", canaries.MAIL, "1")),
    ("SELECT nothing FROM dossier WHERE buyer_name = ?", (canaries.BUYER,)),
    ("SELECT * FROM dossier WHERE number = ? AND", (canaries.TAX_NUMBER,)),
]


@pytest.mark.parametrize(("sql", "values"), WRONG)
async def test_a_statement_that_fails_tells_no_value(sql: str, values: tuple[str, ...], store: Store) -> None:
    """Faults 26 and 27: neither the error nor its traceback holds what was to be written; the driver's kind of error stays."""
    await given(store)
    failed: list[Exception] = []
    try:
        await store._db.write(lambda tx: tx.run(sql, *values))
    except Exception as error:  # noqa: BLE001 - any of the drivers' kinds
        failed = [error]
    told = "".join("".join(traceback.format_exception(each)) + repr(each) for each in failed)
    assert not canaries.PLANTED.search(told), told
    assert len(told) > 10 or sql.startswith("UPDATE"), "SQLite alone keeps a text where a number belongs"
