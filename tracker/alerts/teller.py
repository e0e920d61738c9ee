"""Telling: what waits, grouped by kind, to every target that wants it and to whoever is on duty. At least once.

That the database takes nothing any more is told without it (faults row 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from tracker.alerts.watch import FAILS_FOR, Failing, Watcher, nothing_fails
from tracker.alerts.wording import notice
from tracker.channels.apprise import AppriseSink
from tracker.channels.base import Refused
from tracker.channels.notice import Notice, Sink
from tracker.channels.operators_mail import MailSink
from tracker.channels.smtp import SmtpChannel
from tracker.channels.webhook import WebhookSink
from tracker.clock import Clock
from tracker.config import Loaded
from tracker.config.alerting import Target
from tracker.log import Event, get_logger
from tracker.model.alerts import AlertKind
from tracker.store import Store, StoreError, Unwritable
from tracker.store.alerts import AlertView
from tracker.team import Person

FIRST_RETRY = timedelta(minutes=5)
LONGEST_RETRY = timedelta(hours=1)

_DOUBLINGS = 4
"""Of the first rest, until it is longer than the longest."""

_AT_ONCE = frozenset(kind.value for kind in AlertKind if kind.at_once)

_MAIL, _APPRISE = "mail:", "apprise:"

_log = get_logger()


class TellReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one unit did: alerts raised and told. `more` is never set: what could not be told rests."""

    worked: int = 0
    more: bool = False


class Teller:
    """The unit `alerts`: looks, then tells what is due."""

    def __init__(self, loaded: Loaded, store: Store, clock: Clock, failing: Failing = nothing_fails) -> None:
        """`failing`: units that have failed for at least so many seconds, with the error."""
        self._loaded = loaded
        self._store = store
        self._clock = clock
        self._failing = failing
        self._watcher = Watcher(loaded, store, clock, failing)
        self._alarmed: dict[str, datetime] = {}
        self._targets = {target.id: target for target in loaded.settings.targets}
        self._sinks: dict[str, Sink] = {}
        self._told: set[tuple[str, str]] = set()

    @staticmethod
    def wanted(loaded: Loaded) -> bool:
        """Whether there is anybody to tell: without a target and without an address nothing is watched."""
        return bool(loaded.settings.targets) or any(person.address for person in loaded.rules.team.people)

    async def work_once(self) -> TellReport:
        """One unit of work. Raises StoreError, after operators were told of it where it lasts."""
        try:
            return await self._look_and_tell()
        except StoreError as error:
            if isinstance(error, Unwritable) or self._failing(FAILS_FOR):
                await self._alarm(str(error))
            raise

    async def _look_and_tell(self) -> TellReport:
        raised = await self._watcher.watch()
        now = self._clock.now()
        last = await self._store.last_told()
        groups: dict[str, list[AlertView]] = {}
        for alert in await self._store.due_alerts(now):
            groups.setdefault(alert.kind, []).append(alert)
        told = 0
        for kind, alerts in groups.items():
            told += await self._kind(kind, alerts, last.get(kind), now)
        return TellReport(worked=raised + told)

    async def tell(self, message: Notice, to: Sequence[str]) -> list[str]:
        """Hand one message to targets and people by their ids (all targets where none is named); the ids that took it.

        Each failure is logged. Used by the handover, too.
        """
        names = [self._named(name) for name in to] if to else list(self._targets)
        return [name for name in names if name is not None and await self._try(name, message)]

    async def close(self) -> None:
        """Let all connections go."""
        for sink in self._sinks.values():
            await sink.close()

    async def _kind(self, kind: str, alerts: Sequence[AlertView], last: datetime | None, now: datetime) -> int:
        fresh, again = [each for each in alerts if not each.attempts], [each for each in alerts if each.attempts]
        later = self._next_shift(kind, fresh, last, now)
        if later is not None:
            await self._store.defer_alerts([each.id for each in fresh], later)
            alerts = again
        done = {each.id: set(each.done) for each in alerts}
        missing: set[int] = set()
        for name, wanted in self._recipients(alerts, now).items():
            left = [each for each in wanted if name not in each.done]
            if not left:
                continue
            message = notice(kind, left, self._loaded.phrases, self._zone(left), now)
            if await self._try(name, message):
                for each in left:
                    done[each.id].add(name)
            else:
                missing |= {each.id for each in left}
        return await self._write(alerts, done, missing, now)

    async def _write(self, alerts: Sequence[AlertView], done: Mapping[int, set[str]], missing: set[int], now: datetime) -> int:
        told = 0
        for each in alerts:
            if each.id in missing:
                heard = now if done[each.id] > each.done else None
                await self._store.retry_alerts([each.id], done[each.id], now + _rest(each.attempts), heard=heard)
            else:
                await self._store.told_alerts([each.id], done[each.id], now)
                told += 1
        return told

    async def _alarm(self, error: str) -> None:
        """No alert can be kept, so it is told from memory: once a shift to everybody who took it."""
        now, kind = self._clock.now(), AlertKind.WORK_FAILS.value
        shift = self._loaded.settings.alerts.shift
        alert = AlertView(
            id=0,
            key=f"{kind}/database",
            kind=kind,
            store=None,
            subject="database",
            facts={"error": error},
            raised_at=now,
            deadline=None,
            attempts=0,
            done=frozenset(),
        )
        message = notice(kind, [alert], self._loaded.phrases, self._zone([alert]), now)
        for name in self._recipients([alert], now):
            last = self._alarmed.get(name)
            if (last is None or abs(now - last) >= shift) and await self._try(name, message):
                self._alarmed[name] = now

    def _next_shift(self, kind: str, alerts: Sequence[AlertView], last: datetime | None, now: datetime) -> datetime | None:
        """When operators hear of this kind next, if they heard of it in this shift already (D24); None: now.

        A deadline that would pass meanwhile, and what endangers the work itself do not wait; nor does, for whoever missed it, the
        repetition after a failure.
        """
        if last is None or kind in _AT_ONCE:
            return None
        later = last + self._loaded.settings.alerts.shift
        pressing = any(each.deadline is not None and each.deadline <= later for each in alerts)
        return None if later <= now or pressing else later

    def _recipients(self, alerts: Sequence[AlertView], now: datetime) -> dict[str, list[AlertView]]:
        """Who is told what: every target that wants it; of a store's alerts also the address of who answers for it."""
        found: dict[str, list[AlertView]] = {}
        for alert in alerts:
            names = [target.id for target in self._targets.values() if target.wants(alert.kind, alert.store)]
            names += self._people(alert.store, now) if names and alert.store else []
            for name in dict.fromkeys(names or self._anybody(alert.store, now)):
                found.setdefault(name, []).append(alert)
        return found

    def _people(self, store: str, now: datetime) -> list[str]:
        """The addresses of those who answer for the store now."""
        team = self._loaded.rules.team
        return self._addresses(team.on_duty(store, now) or team.present(store, now))

    def _anybody(self, store: str | None, now: datetime) -> list[str]:
        """Where no target wants it: whoever is on duty, else there, else responsible, of all stores where it is about none."""
        team, stores = self._loaded.rules.team, self._loaded.rules.stores if store is None else (store,)
        ways = (team.on_duty, team.present, lambda each, _now: team.responsible(each))
        tried = (self._addresses([person for each in stores for person in way(each, now)]) for way in ways)
        return next((names for names in tried if names), [])

    def _addresses(self, people: Iterable[Person]) -> list[str]:
        return [address for person in people if (address := self._address(person)) is not None]

    def _named(self, name: str) -> str | None:
        """The recipient that an id of a target or of a person means; None for a person who cannot be reached now."""
        if name in self._targets:
            return name
        team = self._loaded.rules.team
        person = team.person(name)
        return None if person is None else self._address(team.reachable(person, self._clock.now()))

    @staticmethod
    def _address(person: Person) -> str | None:
        """`mail:ADDRESS` as it is, `apprise:NAME` as the target of that name."""
        address = person.address
        return address.removeprefix(_APPRISE) if address is not None and address.startswith(_APPRISE) else address

    async def _try(self, name: str, message: Notice) -> bool:
        try:
            await self._sink(name).tell(message)
        except Refused as error:
            return self._untold(name, message, error.reason)
        except Exception as error:  # noqa: BLE001 - whatever one target does, the others must hear of it
            # Its own words may repeat an address that holds a secret.
            return self._untold(name, message, f"target {name.removeprefix(_MAIL)} raises {type(error).__name__}")
        self._told = {each for each in self._told if each[0] != name}
        return True

    def _untold(self, name: str, message: Notice, reason: str) -> bool:
        if (name, reason) not in self._told:
            self._told.add((name, reason))
            _log.warning(Event.ALERT_UNTOLD, target=name.removeprefix(_MAIL), kind=message.kind, reason=reason)
        return False

    def _sink(self, name: str) -> Sink:
        if name not in self._sinks:
            self._sinks[name] = self._build(name)
        return self._sinks[name]

    def _build(self, name: str) -> Sink:
        target = self._targets.get(name)
        if target is None and name.startswith(_MAIL):
            return self._mail(name.removeprefix(_MAIL))
        if target is None:
            raise Refused(f"no [[target]] is called {name}", retry=True)
        if target.kind == "mail":
            return self._mail(target.address or "")
        return _over_the_net(target)

    def _mail(self, address: str) -> Sink:
        server = self._loaded.settings.smtp
        if server is None:
            raise Refused("mail to operators wants [smtp] in tracker.toml", retry=True)
        return MailSink(SmtpChannel(server, self._clock), sender=server.from_, address=address)

    def _zone(self, alerts: Sequence[AlertView]) -> str:
        """The zone of the one store they are about, else the desk's."""
        stores = {each.store for each in alerts}
        store = self._loaded.rules.stores.get(stores.pop() or "") if len(stores) == 1 else None
        return self._loaded.settings.handover.zone if store is None else store.zone


def _rest(attempts: int) -> timedelta:
    """How long a target that did not take it is left in peace, however long it has been away."""
    return min(FIRST_RETRY * (1 << min(attempts, _DOUBLINGS)), LONGEST_RETRY)


def _over_the_net(target: Target) -> Sink:
    if target.url is None:
        raise Refused(f"target {target.id}: its url could not be read; see: tracker doctor", retry=True)
    if target.kind == "webhook":
        return WebhookSink(target.id, target.url.reveal(), proxy=target.proxy, private=target.allow_private_hosts)
    return AppriseSink(target.id, target.url.reveal())
