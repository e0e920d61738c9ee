"""What can go wrong with the database. Every message says what to do next; none needs a traceback."""
# ruff: noqa: N818 - they read as what happened; the root alone says Error

from __future__ import annotations


class StoreError(Exception):
    """Any refusal of the store. `str()` is ready for eyes."""


class UnsupportedDatabase(StoreError):
    """`database.url` names a database that this installation cannot open."""


class DatabaseMissing(StoreError):
    """There is no database at the address."""


class SchemaTooOld(StoreError):
    """The database was written by an older version."""


class SchemaTooNew(StoreError):
    """The database was written by a newer version."""


class Damaged(StoreError):
    """The file is no database, its pages are corrupt, or it was taken away from under the daemon."""


class AnotherDaemon(StoreError):
    """A second daemon on the same database was turned away."""


class EpochLost(StoreError):
    """A younger daemon has taken the database over: this one must write nothing more."""


class Locked(StoreError):
    """Another process kept the database locked for longer than we wait."""


class Unwritable(StoreError):
    """The disk is full, or the file may not be written: stop sending first, then try again (fault 4)."""


class Gone(StoreError):
    """The database server does not answer, or has ended the connection: nobody knows for how long."""


class SchemaMoved(StoreError):
    """The schema was upgraded while this daemon ran: it stops, and starts again with the code that belongs to it (fault 22)."""


class NotARehearsal(StoreError):
    """`--at` with a command that writes, on a database that is not a rehearsal one."""


class NotThere(StoreError):
    """No order, row, task or parcel by that name."""


class NotUnique(StoreError):
    """The name fits several: the message lists them."""


class Conflict(StoreError):
    """The facts have moved since the person looked, or the change would break a rule (I7). Nothing was written."""


class Retired(StoreError):
    """The database was put out of service (`tracker db retire`): it may be read, nothing may be written to it."""


class BackupRefused(StoreError):
    """A backup that could not be made, or a file that must not be put in the database's place. Everything is as it was."""


class JournalMissing(StoreError):
    """The send journal that a restore needs is not there, or does not reach back to the backup (fault 36)."""
