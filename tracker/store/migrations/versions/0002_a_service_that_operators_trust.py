"""The brake, rule sets and their acceptance, alerts, errands, order files heard of, quota by day, cut-over, second persons."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_BACKLOG = sa.text("overdue AND state = 'pending'")
_STANDING = sa.text("ended_at IS NULL")
_UNTOLD = sa.text("state = 'waiting'")
_NEW_COLUMNS = {
    "dossier": ("contacted", "backlog", "purged_at"),
    "outbox": ("first_approved_by", "snoozed_until", "in_line_since", "answered"),
    "task": ("assigned_to",),
}


def upgrade() -> None:
    op.create_table(
        "pause",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("store", sa.String(), nullable=True),
        sa.Column("country", sa.String(), nullable=True),
        sa.Column("carrier", sa.String(), nullable=True),
        sa.Column("rule", sa.String(), nullable=True),
        sa.Column("template", sa.String(), nullable=True),
        sa.Column("channel", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("deadlines", sa.Boolean(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pause")),
    )
    op.create_index("ix_pause_standing", "pause", ["until"], sqlite_where=_STANDING, postgresql_where=_STANDING)
    op.create_table(
        "ruleset",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("in_force_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("touched", sa.Integer(), nullable=False),
        sa.Column("open_parcels", sa.Integer(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("snapshot", sa.LargeBinary(), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_ruleset")),
    )
    op.create_table(
        "alert",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("store", sa.String(), nullable=True),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("facts", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deliver_at", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("result", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
        sa.UniqueConstraint("key", name=op.f("uq_alert_key")),
    )
    op.create_index("ix_alert_due", "alert", ["deliver_at"], sqlite_where=_UNTOLD, postgresql_where=_UNTOLD)
    op.create_table(
        "errand",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("occasion", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_errand")),
    )
    op.create_table(
        "spent_key",
        sa.Column("dedup_key", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=True),
        sa.Column("result", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("dedup_key", name=op.f("pk_spent_key")),
    )
    op.create_table(
        "order_file",
        sa.Column("store", sa.String(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("store", name=op.f("pk_order_file")),
    )
    op.create_table(
        "quota_day",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "day", name=op.f("pk_quota_day")),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO quota_day (source, day, used) SELECT source, day, used FROM rategate WHERE day IS NOT NULL")
    with op.batch_alter_table("rategate") as batch:
        batch.drop_column("used")
        batch.drop_column("day")
    op.add_column("dossier", sa.Column("contacted", sa.String(), nullable=False, server_default="{}"))
    op.add_column("dossier", sa.Column("backlog", sa.String(), nullable=True))
    op.add_column("dossier", sa.Column("purged_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("outbox", sa.Column("first_approved_by", sa.String(), nullable=True))
    op.add_column("outbox", sa.Column("snoozed_until", sa.BigInteger(), nullable=True))
    op.add_column("outbox", sa.Column("answered", sa.String(), nullable=True))
    op.add_column("outbox", sa.Column("in_line_since", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_outbox_backlog", "outbox", ["store", "state", "overdue"], sqlite_where=_BACKLOG, postgresql_where=_BACKLOG
    )
    op.create_index("ix_outbox_config", "outbox", ["config_version", "created_at"])
    op.add_column("task", sa.Column("assigned_to", sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("rategate") as batch:
        batch.add_column(sa.Column("used", sa.BigInteger(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("day", sa.Date(), nullable=True))
    op.drop_index("ix_outbox_config", "outbox")
    op.drop_index("ix_outbox_backlog", "outbox")
    for table, columns in _NEW_COLUMNS.items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column)
    for table in ("quota_day", "order_file", "spent_key", "errand", "alert", "ruleset", "pause"):
        op.drop_table(table)
