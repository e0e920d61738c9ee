"""Facts of the order's first steps, cases in full, what a recommendation proposes."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_COLUMNS: dict[str, tuple[sa.Column[Any], ...]] = {
    "dossier": (
        sa.Column("promised_from", _TIME, nullable=True),
        sa.Column("ship_by", _TIME, nullable=True),
        sa.Column("confirmed_at", _TIME, nullable=True),
        sa.Column("payment", sa.String(), nullable=True),
        sa.Column("address_problems", sa.String(), nullable=True),
        sa.Column("buyer_phone", sa.String(), nullable=True),
        sa.Column("buyer_chat", sa.String(), nullable=True),
        sa.Column("unread_since", _TIME, nullable=True),
        sa.Column("risky", sa.Boolean(), nullable=False, server_default="0"),
        sa.Column("reviewed_at", _TIME, nullable=True),
        sa.Column("stages", sa.String(), nullable=True),
    ),
    "shipment": (sa.Column("failed_kind", sa.String(), nullable=True),),
    "outbox": (
        sa.Column("remedy", sa.String(), nullable=True),
        sa.Column("body", sa.String(), nullable=True),
        sa.Column("tried", sa.String(), nullable=False, server_default="[]"),
    ),
    "buyer_case": (
        sa.Column("due_source", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False, server_default="unknown"),
        sa.Column("evidence_due_at", _TIME, nullable=True),
        sa.Column("answered_at", _TIME, nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("amount", sa.String(), nullable=True),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("shipment", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
    ),
    "claim": (
        sa.Column("revision", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("rule_version", sa.String(), nullable=False, server_default=""),
        sa.Column("loss_type", sa.String(), nullable=False, server_default="lost"),
        sa.Column("liable", sa.String(), nullable=False, server_default="carrier"),
        sa.Column("closes_first", sa.Boolean(), nullable=False, server_default="0"),
        sa.Column("inquiry_on", sa.Date(), nullable=True),
        sa.Column("inquiry_ref", sa.String(), nullable=True),
        sa.Column("filed_on", sa.Date(), nullable=True),
        sa.Column("carrier_ref", sa.String(), nullable=True),
        sa.Column("claimed", sa.String(), nullable=True),
        sa.Column("claimed_currency", sa.String(), nullable=True),
        sa.Column("answer_due_on", sa.Date(), nullable=True),
        sa.Column("papers_wanted_on", sa.Date(), nullable=True),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("approved", sa.String(), nullable=True),
        sa.Column("exchange", sa.String(), nullable=True),
        sa.Column("appeal_until", sa.Date(), nullable=True),
        sa.Column("payout_due_on", sa.Date(), nullable=True),
        sa.Column("payments", sa.String(), nullable=False, server_default="[]"),
        sa.Column("reversed_on", sa.Date(), nullable=True),
        sa.Column("item_cost", sa.String(), nullable=True),
        sa.Column("item_cost_currency", sa.String(), nullable=True),
        sa.Column("weight_kg", sa.String(), nullable=True),
        sa.Column("insured", sa.String(), nullable=True),
        sa.Column("insured_currency", sa.String(), nullable=True),
        sa.Column("papers", sa.String(), nullable=False, server_default="{}"),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
    ),
}
_TABLES: tuple[str, ...] = (
    "recovery",
    "order_item",
    "advisory",
    "marketplace_state",
    "extension_attempt",
    "window_watch",
    "window_history",
    "statement_use",
    "statement_line",
    "claim_history",
    "closed_month",
    "transit",
    "raw_answer",
)
"""The new ones, in the order in which they are dropped."""


def upgrade() -> None:
    op.create_table(
        "raw_answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_raw_answer")),
    )
    op.create_index("ix_raw_answer_number", "raw_answer", ["number"])
    op.create_index("ix_raw_answer_at", "raw_answer", ["at"])
    op.create_table(
        "transit",
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("delivered", sa.Integer(), nullable=False),
        sa.Column("p50", sa.Float(), nullable=False),
        sa.Column("p80", sa.Float(), nullable=False),
        sa.Column("p90", sa.Float(), nullable=False),
        sa.Column("p95", sa.Float(), nullable=False),
        sa.Column("p99", sa.Float(), nullable=False),
        sa.Column("measured_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("country", "service", name=op.f("pk_transit")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "order_item",
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("sku", sa.String(), nullable=True),
        sa.Column("title", sa.String(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("price", sa.String(), nullable=True),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "line", name=op.f("pk_order_item")),
        sa.ForeignKeyConstraint(["order_id"], ["dossier.id"], name=op.f("fk_order_item_order_id")),
        sqlite_with_rowid=False,
    )
    for table, columns in _COLUMNS.items():
        for column in columns:
            op.add_column(table, column)
    _claims()
    _markets()
    _advisories()
    _recoveries()
    # The word for an inquiry about a parcel that did not come, as the store wrote it before kinds were closed.
    op.execute("UPDATE buyer_case SET kind = 'inquiry' WHERE kind = 'inr'")
    vip = sa.text("vip")
    op.create_index("ix_dossier_vip", "dossier", ["store"], unique=False, sqlite_where=vip, postgresql_where=vip)


def _claims() -> None:
    """The history of claims, the statement lines they were settled by, the months whose register is frozen."""
    op.create_index("ix_claim_state", "claim", ["state"], unique=False)
    op.create_table(
        "claim_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("claim_id", sa.Integer(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("before", sa.String(), nullable=True),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("fields", sa.String(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("late", sa.String(), nullable=True),
        sa.Column("amount", sa.String(), nullable=False),
        sa.Column("settled", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("carrier", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_history")),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_claim_history_claim_id")),
    )
    op.create_index("ix_claim_history_claim", "claim_history", ["claim_id"], unique=False)
    op.create_index("ix_claim_history_month", "claim_history", ["month"], unique=False)
    op.create_table(
        "statement_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("carrier", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("tracking_no", sa.String(), nullable=False),
        sa.Column("amount", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("used_at", _TIME, nullable=False),
        sa.Column("used_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_line")),
        sa.UniqueConstraint("carrier", "key", name=op.f("uq_statement_line_carrier_key")),
    )
    op.create_table(
        "statement_use",
        sa.Column("line_id", sa.Integer(), nullable=False),
        sa.Column("claim_id", sa.Integer(), nullable=False),
        sa.Column("amount", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("line_id", "claim_id", name=op.f("pk_statement_use")),
        sa.ForeignKeyConstraint(["line_id"], ["statement_line.id"], name=op.f("fk_statement_use_line_id")),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_statement_use_claim_id")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "closed_month",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("closed_at", _TIME, nullable=False),
        sa.Column("closed_by", sa.String(), nullable=False),
        sa.Column("sheet", sa.LargeBinary(), nullable=False),
        sa.Column("book", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closed_month")),
    )
    op.execute(
        """
        INSERT INTO claim_history (claim_id, at, who, event, "on", after, why, fields, month, amount, settled, count)
        SELECT id, opened_at, 'daemon', 'opened', date(opened_at), state, cause, '{}', substr(opened_at, 1, 7), '0', '0', 0
        FROM claim"""
    )


def _markets() -> None:
    """What marketplaces tell us and do for us."""
    op.create_table(
        "window_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("window_end", _TIME, nullable=True),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("proof", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_window_history")),
        sa.ForeignKeyConstraint(["order_id"], ["dossier.id"], name=op.f("fk_window_history_order_id")),
    )
    op.create_index("ix_window_history_order", "window_history", ["order_id"], unique=False)
    op.create_table(
        "window_watch",
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("store", sa.String(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_window_watch")),
        sa.ForeignKeyConstraint(["order_id"], ["dossier.id"], name=op.f("fk_window_watch_order_id")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_window_watch_due", "window_watch", ["store", "next_at"], unique=False)
    op.create_table(
        "extension_attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("end_before", _TIME, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("settled_at", _TIME, nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("end_after", _TIME, nullable=True),
        sa.Column("result", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extension_attempt")),
        sa.ForeignKeyConstraint(["row_id"], ["outbox.id"], name=op.f("fk_extension_attempt_row_id")),
        sa.ForeignKeyConstraint(["order_id"], ["dossier.id"], name=op.f("fk_extension_attempt_order_id")),
    )
    op.create_index("ix_extension_attempt_row", "extension_attempt", ["row_id"], unique=False)
    unsettled = sa.text("settled_at IS NULL")
    op.create_index(
        "ix_extension_attempt_open",
        "extension_attempt",
        ["order_id"],
        unique=False,
        sqlite_where=unsettled,
        postgresql_where=unsettled,
    )
    op.create_table(
        "marketplace_state",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("capability", sa.String(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_order", sa.Integer(), nullable=False),
        sa.Column("stopped_at", _TIME, nullable=True),
        sa.Column("fault", sa.String(), nullable=True),
        sa.Column("why", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("account", "capability", name=op.f("pk_marketplace_state")),
        sqlite_with_rowid=False,
    )


def _advisories() -> None:
    """What people say of slow parcels somewhere."""
    op.create_table(
        "advisory",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("leg", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=True),
        sa.Column("region", sa.String(), nullable=True),
        sa.Column("carrier", sa.String(), nullable=True),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("add_days", sa.Integer(), nullable=False),
        sa.Column("causes", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("ended_because", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_advisory")),
    )


def _recoveries() -> None:
    """What buyers paid again whose parcel came after the refund."""
    op.create_table(
        "recovery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("amount", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery")),
        sa.UniqueConstraint("order_id", "reference", name=op.f("uq_recovery_order_id_reference")),
        sa.ForeignKeyConstraint(["order_id"], ["dossier.id"], name=op.f("fk_recovery_order_id")),
    )


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
    op.drop_index("ix_claim_state", "claim")
    op.drop_index("ix_dossier_vip", "dossier")
    for table, columns in _COLUMNS.items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column.name)
