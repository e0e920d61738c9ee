"""`tracker init --system`: from an installed program to a service, in steps that may be repeated (facts/systemd.md).

What there is to do is a plain list (`steps.plan`); doing it looks at each step's place first. So the same list tells what would
be done (`dry_run`), repairs what is missing, and leaves alone what a person has edited.
"""

from tracker.install.machine import Machine
from tracker.install.outcome import Did, Outcome
from tracker.install.run import Refused, Report, StepFailed, install
from tracker.install.steps import BACKUPS, CONFIG, PREFIX, SECRETS, STATE

__all__ = [
    "BACKUPS",
    "CONFIG",
    "PREFIX",
    "SECRETS",
    "STATE",
    "Did",
    "Machine",
    "Outcome",
    "Refused",
    "Report",
    "StepFailed",
    "install",
]
