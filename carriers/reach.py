"""Where requests may go: to the public Internet, and elsewhere only where the configuration says so (facts: faults, 12).

A name is looked up once for a connection, its addresses are judged, and the connection is made to one that was judged: what a
name server says a moment later changes nothing. Name, Host header and certificate stay those of the URL.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

import msgspec

ALLOW = "allow_private_hosts = true"
"""The line of configuration that opens private networks to one account."""

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port -> addresses, the preferred one first. Raises OSError."""

_LOCALHOST = "localhost"
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\.?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""A last label of which C libraries make an address: 127.1, 0177.0.0.1, 0x7f000001, 2130706433."""


class _Place(StrEnum):
    """What an address is, in words for an operator."""

    PUBLIC = "a public address"
    HERE = "this machine"
    PRIVATE = "a private network"
    NOWHERE = "an address where no such service can be"


_NOWHERE = tuple(
    ip_network(each)
    for each in (
        "0.0.0.0/8",
        "169.254.0.0/16",  # link-local; 169.254.169.254 gives a cloud machine's credentials to whoever asks
        "100.100.100.200/32",  # the same of Alibaba Cloud
        "192.0.0.192/32",  # of Oracle Cloud
        "fd00:ec2::254/128",  # of AWS
        "fe80::/10",
    )
)
_PRIVATE = tuple(ip_network(each) for each in ("fec0::/10", "64:ff9b:1::/48", "2001::/23", "3fff::/20", "5f00::/16"))
"""What older versions of the library take for public, and translators with a prefix of their own."""

_WRAPPED: tuple[tuple[IPv6Network, int], ...] = (
    (IPv6Network("::ffff:0:0/96"), 0),
    (IPv6Network("64:ff9b::/96"), 0),
    (IPv6Network("2002::/16"), 80),
)
"""IPv6 addresses with an IPv4 address in them (mapped, NAT64, 6to4), and how many bits stand to its right."""


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """Where one account's requests may go, besides https:// to public addresses."""

    here: bool = True
    """To this machine, where the URL spells it out: 127.x.x.x, [::1], localhost. A name that leads here is another matter."""
    private: bool = False
    """To this machine and to private networks by whatever name: `allow_private_hosts`."""
    plain: bool = True
    """By plain http://."""


def reach_of(base_url: str, *, private: bool) -> Reach:
    """What follows from an account's configured address: nothing that it answers leads to this machine, or out of TLS."""
    parts = urlsplit(base_url)
    return Reach(here=is_here(parts.hostname or ""), private=private, plain=parts.scheme.lower() == "http")


def is_here(host: str) -> bool:
    """Whether a host spells out this machine."""
    if host == _LOCALHOST:
        return True
    address = _literal(host)
    return address == IPv6Address("::1") or (isinstance(address, IPv4Address) and address.is_loopback)


def url_refusal(url: str, reach: Reach) -> str | None:
    """Why a configured URL will never be called, as the end of a sentence that begins with its key; None where it may be.

    No name server is asked here: a name that leads to a private address is refused when the connection is made.
    """
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return "holds a character that no URL has (a host beyond ASCII is written xn--…)"
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return "is not a URL"
    if "@" in parts.netloc:
        return "holds a user or password: credentials are secrets, by reference"
    return host_refusal(parts.scheme.lower(), host, reach)


@lru_cache(maxsize=256)
def host_refusal(scheme: str, host: str, reach: Reach) -> str | None:
    """The same for a URL that was taken apart; `host` in lower case and without brackets."""
    if scheme not in {"http", "https"} or not host:
        return "must start with https:// (or http://) and name a host"
    if scheme == "http" and not (reach.plain or reach.private):
        return "has to begin with https://"
    if is_here(host):
        return None if reach.here or reach.private else f"{host} is {_Place.HERE}: {ALLOW} allows it"
    address = _literal(host)
    if address is not None:
        return _objection(host, host, _place(address), reach)
    name = host.rstrip(".")
    if _NAME.fullmatch(host) is None or _NUMBER.fullmatch(name.rpartition(".")[2]):
        return "names no host that every program reads alike"
    if name == _LOCALHOST or name.endswith(f".{_LOCALHOST}"):
        return _objection(host, host, _Place.HERE, reach)
    return None


class ForbiddenError(OSError):
    """All addresses of a host are out of reach. Nothing was sent."""


async def addresses(host: str, port: int, reach: Reach, resolve: Resolve) -> list[str]:
    """The addresses of a host that may be connected to. Raises ForbiddenError where there is none, OSError of the look-up."""
    if _literal(host) is not None:
        return [host]
    found = await resolve(host, port)
    spelled = reach.here and host == _LOCALHOST
    objections = {
        each: _objection(host, each, place, reach)
        for each, place in ((each, _place(ip_address(each))) for each in found)
        if not (spelled and place is _Place.HERE)
    }
    good = [each for each in found if objections.get(each) is None]
    if not good:
        raise ForbiddenError(next((each for each in objections.values() if each), f"{host} has no address"))
    return good


async def resolve_by_system(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver, in a thread."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _objection(host: str, address: str, place: _Place, reach: Reach) -> str | None:
    """Why not to this address; None: it may be connected to."""
    if place is _Place.PUBLIC or (reach.private and place is not _Place.NOWHERE):
        return None
    said = f"{host} is {place}" if host == address else f"{host} leads to {address}, {place}"
    return said if place is _Place.NOWHERE else f"{said}: {ALLOW} allows it"


def _place(address: IPv4Address | IPv6Address) -> _Place:
    if isinstance(address, IPv6Address):
        for network, right in _WRAPPED:
            if address in network:
                return _place(IPv4Address(int(address) >> right & 0xFFFF_FFFF))
    if address.is_loopback:
        return _Place.HERE
    if address.is_multicast or any(address in network for network in _NOWHERE):
        return _Place.NOWHERE
    if any(address in network for network in _PRIVATE):
        return _Place.PRIVATE
    if address.is_reserved or address.is_unspecified:
        return _Place.NOWHERE
    return _Place.PUBLIC if address.is_global else _Place.PRIVATE
