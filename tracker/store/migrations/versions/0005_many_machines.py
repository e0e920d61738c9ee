"""Leases on what workers have in hand, and who the workers are."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("shipment", "lease_token", sa.String()),
    ("shipment", "lease_until", sa.BigInteger()),
    ("dossier", "lease_until", sa.BigInteger()),
    ("outbox", "lease_until", sa.BigInteger()),
    ("account", "turn_token", sa.String()),
    ("account", "turn_until", sa.BigInteger()),
)


def upgrade() -> None:
    for table, name, kind in _COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=True))
    leased = sa.text("lease_token IS NOT NULL")
    op.create_index("ix_shipment_leased", "shipment", ["lease_token"], unique=False, sqlite_where=leased, postgresql_where=leased)
    op.create_table(
        "worker",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worker")),
    )


def downgrade() -> None:
    op.drop_table("worker")
    op.drop_index("ix_shipment_leased", "shipment")
    for table, name, _ in reversed(_COLUMNS):
        op.drop_column(table, name)
