"""`tracker doctor`: is everything around the daemon as it should be? Looks only, changes nothing."""

from tracker.doctor.database import database
from tracker.doctor.finding import Finding, Level
from tracker.doctor.folders import folders
from tracker.doctor.hosts import hosts
from tracker.doctor.machine import machine
from tracker.doctor.secrets import credentials

__all__ = ["Finding", "Level", "credentials", "database", "folders", "hosts", "machine"]
