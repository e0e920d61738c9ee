"""Every host that is configured, tried for real: the sources, the mail server, and who hears alerts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from carriers.base import Request, Response
from carriers.errors import CarrierError
from carriers.http import HttpTransport, make_transport
from carriers.reach import reach_of
from tracker.channels.base import Refused
from tracker.channels.smtp import SmtpChannel
from tracker.clock import Clock
from tracker.config import Loaded, Source
from tracker.config.accounts import AccountSettings
from tracker.config.alerting import Target
from tracker.doctor.finding import Finding, fail, ok, warn

PATIENCE_SECONDS = 10.0
"""A host that does not answer by then is as good as down for whoever waits at the terminal."""

CLOCK_SLACK = timedelta(minutes=2)
"""How far the clock of a host may be from ours before one of the two is to be looked at."""


async def hosts(loaded: Loaded, clock: Clock) -> list[Finding]:
    """One line a host, all tried at once. A source's answer of any status will do: the key is tried by its first question."""
    settings = loaded.settings
    tried: list[Awaitable[Finding]] = [
        _source(source, clock) for source in settings.sources if source.base_url.startswith("http")
    ]
    tried += [_source(account, clock) for account in settings.accounts]
    if settings.smtp is not None:
        mail = SmtpChannel(settings.smtp, clock, command_seconds=PATIENCE_SECONDS)
        tried.append(_mail(f"{settings.smtp.host}:{settings.smtp.port}", mail))
    tried += [_target(each, clock) for each in settings.targets if each.kind != "mail"]
    return list(await asyncio.gather(*tried))


async def _source(account: Source | AccountSettings, clock: Clock) -> Finding:
    reach = reach_of(account.base_url, private=account.allow_private_hosts)
    transport = HttpTransport(account_id=account.id, connections=1, total_deadline_s=PATIENCE_SECONDS, reach=reach)
    return await _answers(f"host of {account.id}", transport, account.base_url, "base_url in tracker.toml", clock)


async def _target(target: Target, clock: Clock) -> Finding:
    """Who hears alerts: its host alone is called, without the path, which is the secret and would be a message."""
    about = f"host of target {target.id}"
    if target.url is None:
        return fail(about, "its url is not to be read from here", f"[[target]] {target.id} in tracker.toml")
    place = urlsplit(target.url.reveal())
    if target.kind == "apprise" or not place.hostname:
        return warn(about, "is known to the library alone", "tracker report handover --send")
    reach = reach_of(target.url.reveal(), private=target.allow_private_hosts)
    transport = HttpTransport(
        account_id=target.id,
        total_deadline_s=PATIENCE_SECONDS,
        reach=reach,
        transport=make_transport(connections=1, proxy=target.proxy, reach=reach),
    )
    port = "" if place.port is None else f":{place.port}"
    return await _answers(about, transport, f"{place.scheme}://{place.hostname}{port}/", "[[target]] in tracker.toml", clock)


async def _answers(about: str, transport: HttpTransport, url: str, where: str, clock: Clock) -> Finding:
    try:
        answer = await transport.send(Request(method="GET", url=url))
    except CarrierError as error:
        return fail(about, str(error), f"{where}; a firewall; curl from this machine")
    finally:
        await transport.close()
    return _clock(about, answer, clock) or ok(about, f"answers (HTTP {answer.status})")


def _clock(about: str, answer: Response, clock: Clock) -> Finding | None:
    """Our clock beside that of a host: a deadline kept by a clock that is wrong is a deadline missed."""
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return None
    aware = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
    apart = abs(aware - clock.now())
    if apart <= CLOCK_SLACK:
        return None
    return warn(about, f"answers, but its clock is {apart} from ours", "timedatectl: is the clock of this machine synchronised?")


async def _mail(where: str, channel: SmtpChannel) -> Finding:
    about = f"mail server {where}"
    try:
        await channel.probe()
    except Refused as error:
        return fail(about, error.reason, "[smtp] in tracker.toml")
    return ok(about, "lets us in")
