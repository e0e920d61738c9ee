"""Ports for servers that a test starts later, or more than once: a number that nobody takes in between."""

from __future__ import annotations

import errno
import random
import socket

_OURS = range(20_000, 32_768)
"""Below what systems hand out by themselves (Linux from 32768, others from 49152): a port that was free a moment ago
is not taken by a connection that some other test opens to anywhere."""

_chance = random.SystemRandom()


def free_port(host: str = "127.0.0.1") -> int:
    """A port of `host` at which nobody listens, another one at nearly every call."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        port = _chance.choice(_OURS)
        try:
            with socket.create_server((host, port), family=family):
                return port
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
