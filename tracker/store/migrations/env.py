"""Runs the migrations on the connection that tracker.store.schema hands over; nothing here opens one."""

from typing import Literal

from alembic import context
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

from tracker.store.tables import METADATA


def plain(kind: str, item: object, _context: object) -> str | Literal[False]:
    """SQLModel's own types as SQLAlchemy's: a migration must not change when the library does."""
    if kind == "type" and isinstance(item, AutoString):
        return "sa.String()"
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_item=plain,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()
