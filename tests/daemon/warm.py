"""Imported by the fork server alone: everything that a daemon imports late, so that its children start in no time."""

from __future__ import annotations

import aiosmtplib  # noqa: F401
import holidays.countries  # noqa: F401

from carriers.http import make_transport
from tests.daemon import children  # noqa: F401
from tracker import config, receiver  # noqa: F401

config.load(None, environ={})
make_transport()
