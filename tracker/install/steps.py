"""What a server needs, as a list of steps. Nothing here looks at a machine: paths are those that the finished system sees."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

USER, GROUP = "tracker", "tracker-ops"
PREFIX = "/opt/tracker"
CONFIG = "/etc/tracker"
SECRETS = f"{CONFIG}/secrets.toml"
STATE = "/var/lib/tracker"
BACKUPS = f"{STATE}/backups"
UNITS = "/etc/systemd/system"
SERVICE = "tracker.service"
COMMAND = "/usr/local/bin/tracker"

SYSUSERS = f"""\
g {GROUP} -
u {USER} - "Tracker daemon" {STATE}
m {USER} {GROUP}
"""
"""For systemd-sysusers: a user who cannot log in, in the group whose members work beside the daemon."""

SECRETS_TEXT = """\
# The secrets that tracker.toml names as "credential:NAME". Only root reads this file; systemd hands it to the service.
# The service sees a change after: systemctl restart tracker      (try it before: see the page "Install on a server")
#
# 17track-key = "..."
# smtp-password = "..."
"""


class Owner(msgspec.Struct, frozen=True):
    """Names, not numbers: those are the machine's own."""

    user: str
    group: str

    def __str__(self) -> str:
        return f"{self.user}:{self.group}"


ROOT = Owner("root", "root")
READERS = Owner("root", GROUP)
SERVICE_OWNER = Owner(USER, GROUP)


class Rights(msgspec.Struct, frozen=True):
    """Whose it is, and its mode. `exact`: mended when it differs; otherwise only when the group could not read it."""

    owner: Owner
    mode: int
    exact: bool = True


class Program(msgspec.Struct, frozen=True):
    """The program, where the service must be able to see it: its unit hides home folders and /tmp."""

    path: str


class Accounts(msgspec.Struct, frozen=True):
    """The user of the service and the group of its operators."""

    path: str = f"{USER}, {GROUP}"


class Folder(msgspec.Struct, frozen=True):
    """A folder."""

    path: str
    rights: Rights


class File(msgspec.Struct, frozen=True):
    """A file that belongs to a person from the moment it is there; `ours` is renewed each time."""

    path: str
    rights: Rights
    text: str
    ours: bool = False


class UnitFile(msgspec.Struct, frozen=True):
    """A unit of systemd: renewed by a new version for as long as nobody edits it (tracker.install.units)."""

    path: str
    text: str


class Link(msgspec.Struct, frozen=True):
    """The command on everybody's PATH."""

    path: str
    target: str


class Database(msgspec.Struct, frozen=True):
    """The first database, where the configuration says."""

    path: str


class Reload(msgspec.Struct, frozen=True):
    """Let systemd read the units that have changed."""

    path: str = "systemctl daemon-reload"


class Enable(msgspec.Struct, frozen=True):
    """Start the service, now and with the machine."""

    path: str = f"systemctl enable --now {SERVICE}"


Step = Program | Accounts | Folder | File | UnitFile | Link | Database | Reload | Enable

_READABLE = Rights(READERS, 0o750, exact=False)
_READABLE_FILE = Rights(READERS, 0o640, exact=False)
_SHARED = Rights(SERVICE_OWNER, 0o2770)


def plan(
    *, prefix: str, has_program: bool, files: Mapping[str, str], schema: str, units: Mapping[str, str], reload: bool, enable: bool
) -> tuple[Step, ...]:
    """Every step, in order.

    `prefix` is the environment of the program (a root folder may not have it yet), `files` the first configuration (relative
    path -> text), `units` name -> text.
    `reload`: a systemd runs that has to hear of new units.
    """
    program = f"{prefix}/bin/tracker"
    return (
        *([Program(program)] if has_program else []),
        Accounts(),
        Folder(CONFIG, _READABLE),
        Folder(f"{CONFIG}/stores", _READABLE),
        *(File(f"{CONFIG}/{name}", _READABLE_FILE, text) for name, text in files.items()),
        File(f"{CONFIG}/tracker.schema.json", _READABLE_FILE, schema, ours=True),
        File(SECRETS, Rights(ROOT, 0o600), SECRETS_TEXT),
        # setgid: what a member of the group makes stays the group's (facts/systemd.md section 9).
        Folder(STATE, _SHARED),
        Folder(f"{STATE}/inbox", _SHARED),
        Folder(BACKUPS, _SHARED),
        Database(f"{STATE}/tracker.db"),
        *(UnitFile(f"{UNITS}/{name}", text) for name, text in units.items()),
        *([] if program == COMMAND else [Link(COMMAND, program)]),
        *([Reload()] if reload else []),
        *([Enable()] if enable else []),
    )
