"""Every table, in three rooms: what is known (facts), what was decided and done (effects), what keeps it all going (machine).

Statements that are not on a hot path are built on the tables named here.
"""

from tracker.store.tables import effects, facts, machine, markets
from tracker.store.tables.base import METADATA

ACCOUNT = METADATA.tables["account"]
ADVISORY = METADATA.tables["advisory"]
ALERT = METADATA.tables["alert"]
ALIAS = METADATA.tables["alias"]
ANSWER = METADATA.tables["answer"]
AUDIT = METADATA.tables["audit"]
CASE = METADATA.tables["buyer_case"]
CLAIM = METADATA.tables["claim"]
CLAIM_HISTORY = METADATA.tables["claim_history"]
CLOSED_MONTH = METADATA.tables["closed_month"]
DAEMON = METADATA.tables["daemon"]
DECISION = METADATA.tables["decision"]
DOSSIER = METADATA.tables["dossier"]
ERRAND = METADATA.tables["errand"]
EVENT = METADATA.tables["tracking_event"]
LINK = METADATA.tables["order_shipment"]
ITEM = METADATA.tables["order_item"]
ORDER_FILE = METADATA.tables["order_file"]
OUTBOX = METADATA.tables["outbox"]
PAUSE = METADATA.tables["pause"]
QUOTA_DAY = METADATA.tables["quota_day"]
RATEGATE = METADATA.tables["rategate"]
RULESET = METADATA.tables["ruleset"]
SHIPMENT = METADATA.tables["shipment"]
SPENT_KEY = METADATA.tables["spent_key"]
STATEMENT_LINE = METADATA.tables["statement_line"]
TASK = METADATA.tables["task"]
TASK_ITEM = METADATA.tables["task_item"]

__all__ = [
    "ACCOUNT",
    "ADVISORY",
    "ALERT",
    "ALIAS",
    "ANSWER",
    "AUDIT",
    "CASE",
    "CLAIM",
    "CLAIM_HISTORY",
    "CLOSED_MONTH",
    "DAEMON",
    "DECISION",
    "DOSSIER",
    "ERRAND",
    "EVENT",
    "ITEM",
    "LINK",
    "METADATA",
    "ORDER_FILE",
    "OUTBOX",
    "PAUSE",
    "QUOTA_DAY",
    "RATEGATE",
    "RULESET",
    "SHIPMENT",
    "SPENT_KEY",
    "STATEMENT_LINE",
    "TASK",
    "TASK_ITEM",
    "effects",
    "facts",
    "machine",
    "markets",
]
