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
        sa.Column("unread_since", _TIME, nullable=True),
        sa.Column("risky", sa.Boolean(), nullable=False, server_default="0"),
        sa.Column("reviewed_at", _TIME, nullable=True),
        sa.Column("stages", sa.String(), nullable=True),
    ),
    "outbox": (
        sa.Column("remedy", sa.String(), nullable=True),
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
}
_TABLES: tuple[str, ...] = ("transit",)
"""The new ones, in the order in which they are dropped."""


def upgrade() -> None:
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
    for table, columns in _COLUMNS.items():
        for column in columns:
            op.add_column(table, column)
    # The word for an inquiry about a parcel that did not come, as the store wrote it before kinds were closed.
    op.execute("UPDATE buyer_case SET kind = 'inquiry' WHERE kind = 'inr'")


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
    for table, columns in _COLUMNS.items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column.name)
