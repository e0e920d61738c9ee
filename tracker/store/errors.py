"""What can go wrong with the database. Every message says what to do next; none needs a traceback."""

from __future__ import annotations


class StoreError(Exception):
    """Any refusal of the store. `str()` is ready for eyes."""


class UnsupportedDatabase(StoreError):  # noqa: N818 - the hierarchy's root says Error
    """`database.url` names a database that this installation cannot open."""


class DatabaseMissing(StoreError):  # noqa: N818
    """There is no database at the address."""


class SchemaTooOld(StoreError):  # noqa: N818
    """The database was written by an older version."""


class SchemaTooNew(StoreError):  # noqa: N818
    """The database was written by a newer version."""


class Damaged(StoreError):  # noqa: N818
    """The file is no database, or its pages are corrupt."""


class AnotherDaemon(StoreError):  # noqa: N818
    """A second daemon on the same database was turned away."""


class EpochLost(StoreError):  # noqa: N818
    """A younger daemon has taken the database over: this one must write nothing more."""


class Locked(StoreError):  # noqa: N818
    """Another process kept the database locked for longer than we wait."""


class Unwritable(StoreError):  # noqa: N818
    """The disk is full, or the file may not be written: stop sending first, then try again (fault 4)."""


class NotARehearsal(StoreError):  # noqa: N818
    """`--at` with a command that writes, on a database that is not a rehearsal one."""


class NotThere(StoreError):  # noqa: N818
    """No order, row, task or parcel by that name."""


class NotUnique(StoreError):  # noqa: N818
    """The name fits several: the message lists them."""


class Conflict(StoreError):  # noqa: N818
    """The facts have moved since the person looked, or the change would break a rule (I7). Nothing was written."""
