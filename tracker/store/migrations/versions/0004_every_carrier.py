"""Last-mile numbers, deadlines beside parcels, what sources pushed, codes that nobody knew."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_COLUMNS = (
    sa.Column("linked_number", sa.String(), nullable=True),
    sa.Column("linked_carrier", sa.String(), nullable=True),
    sa.Column("deadline_at", sa.BigInteger(), nullable=True),
)
_TABLES = ("unmapped_code", "push_seen", "pushed")


def upgrade() -> None:
    for column in _COLUMNS:
        op.add_column("shipment", column)
    linked = sa.text("linked_number IS NOT NULL")
    op.create_index(
        "ix_shipment_linked", "shipment", ["linked_number"], unique=False, sqlite_where=linked, postgresql_where=linked
    )
    op.create_table(
        "pushed",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("slice", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pushed")),
    )
    op.create_table(
        "push_seen",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "digest", name=op.f("pk_push_seen")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_push_seen_at", "push_seen", ["at"], unique=False)
    op.create_table(
        "unmapped_code",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "code", name=op.f("pk_unmapped_code")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
    op.drop_index("ix_shipment_linked", "shipment")
    for column in _COLUMNS:
        op.drop_column("shipment", column.name)
