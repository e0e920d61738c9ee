"""What the rest of the house gets of tracker.toml: plain values, paths absolute, secrets resolved."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from carriers import registry
from carriers.reach import url_refusal
from tracker.config.accounts import AccountSettings, build_account
from tracker.config.alerting import (
    AlertSettings,
    HandoverSettings,
    Target,
    build_alerts,
    build_handover,
    build_target,
)
from tracker.config.checks_hosts import reach_beside
from tracker.config.database import database_url
from tracker.config.merge import Section
from tracker.config.problem import Level, Problem
from tracker.config.pushes import push_secrets
from tracker.config.secret import Secret, UnresolvedError, resolve
from tracker.config.shape_alerts import Target as TargetShape
from tracker.config.shape_tracker import Metrics, Receiver, TrackerFile
from tracker.config.shape_tracker import Source as SourceShape

_DROP = "drop:"

_SLOW = 1.0
"""Requests a second at a source whose documents name no limit."""

_NOBODY = registry.Description(name="", title="", tier=registry.TRIAL, batch_size=1)
"""An adapter that does not exist: `config check` has told so."""


class Smtp(msgspec.Struct, frozen=True, kw_only=True):
    """The mail server of the seller's own shop. `tls`: starttls | tls | none; `from_` an address, with or without a name."""

    host: str
    port: int
    user: str | None
    password: Secret | None
    tls: str
    from_: str


class WhatsAppTemplate(msgspec.Struct, frozen=True, kw_only=True):
    """A template that was approved for a type of message; `blanks` fill its places in this order."""

    name: str
    blanks: tuple[str, ...]


class WhatsApp(msgspec.Struct, frozen=True, kw_only=True):
    """One business number at the Cloud API; `templates` by type of message."""

    base_url: str
    phone_number_id: str
    token: Secret
    templates: Mapping[str, WhatsAppTemplate]
    allow_private_hosts: bool = False


class Telegram(msgspec.Struct, frozen=True, kw_only=True):
    """One bot."""

    base_url: str
    token: Secret
    allow_private_hosts: bool = False


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One account of one source. `adapter` is a name of carriers.registry, `rps` requests a second, no `batch` its own.

    `rps` and `daily_quota` are those of the registry where tracker.toml names none: what the source allows everybody.
    `base_url` of a drop folder is `drop:` with the absolute folder.
    """

    id: str
    adapter: str
    base_url: str
    secrets: Mapping[str, Secret]
    options: Mapping[str, Any]
    rps: float
    connections: int
    batch: int | None
    daily_quota: int | None
    stores: frozenset[str] = frozenset()
    """The stores whose parcels it is asked about; empty = all."""
    quota: int | None = None
    """What was left of the plan when `quota_since` (UTC) began; the source's own count is not asked for."""
    quota_since: date | None = None
    allow_private_hosts: bool = False
    push_secrets: tuple[Secret, ...] = ()
    """With what its pushes may be signed, the present one first; none: it has no door."""


class PollSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Distances between two polls of a number, hours and days; the part of a day's quota that is kept (tracker.toml [poll])."""

    fresh_h: int
    moving_h: int
    stale_h: int
    deadline_h: int
    moving_days: int
    deadline_days: int
    final_days: int
    longest_days: int
    fallback_after_h: int
    reserve_share: Decimal


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How often each shell looks for due work, how many conversations run side by side, how long a stop may take (seconds)."""

    poll_interval_s: int
    sweep_interval_s: int
    dispatch_interval_s: int
    inbox_interval_s: int
    concurrency: int
    drain_s: int


class BackupSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where copies of the database go and how many of the daily ones stay. `at` is local time in `zone`; None: no daily one."""

    dir: Path
    at: time | None
    zone: str
    keep: int


class RetentionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Days since an order is settled after which its personal data, its scans, its read files go; 0 keeps them.

    `answers_days` counts from a source's answer itself: its raw bytes are evidence, and large. `journal_days` is the least that
    the send journal reaches back. `at` is local time in `zone`; None: only by hand.
    """

    personal_days: int
    scans_days: int
    answers_days: int
    files_days: int
    journal_days: int
    at: time | None
    zone: str


class MetricsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where Prometheus finds our numbers: a text file, an endpoint (host and port) on this machine; None: not there."""

    file: Path | None
    listen: tuple[str, int] | None
    every_s: int


class ReceiverSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where sources may call us (host and port on this machine; None: closed), bytes of a body, requests side by side."""

    listen: tuple[str, int] | None
    max_body: int
    at_once: int
    trusted_hosts: tuple[str, ...]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where things lie and whom we ask. `folder` is that of tracker.toml (the working directory without one).

    `worker` is the name of one of many ($TRACKER_WORKER, the instance of tracker@.service); the only one has none.
    """

    folder: Path
    state_dir: Path
    database_url: str
    journal: Path
    inbox: Path | None
    maildir: Path
    backup: BackupSettings
    retention: RetentionSettings
    evidence_font: Path | None
    health_file: Path | None
    metrics: MetricsSettings
    receiver: ReceiverSettings
    alerts: AlertSettings
    handover: HandoverSettings
    targets: tuple[Target, ...]
    log_format: str
    smtp: Smtp | None
    whatsapp: WhatsApp | None
    telegram: Telegram | None
    sources: tuple[Source, ...]
    accounts: tuple[AccountSettings, ...]
    poll: PollSettings
    engine: EngineSettings
    operators_language: str
    worker: str | None = None

    @property
    def secret_values(self) -> tuple[str, ...]:
        """Every secret in clear: for the log's redaction, and for nothing else."""
        passwords = [self.smtp.password] if self.smtp and self.smtp.password else []
        passwords += [each.token for each in (self.whatsapp, self.telegram) if each is not None]
        urls = [each.url for each in self.targets if each.url is not None]
        keys = [each for source in self.sources for each in source.secrets.values()]
        keys += [each for account in self.accounts for each in account.secrets.values()]
        database = urlsplit(self.database_url).password
        own = (database, unquote(database)) if database else ()
        return (*own, *(each.reveal() for each in (*passwords, *urls, *keys)))


def build_settings(
    shape: TrackerFile,
    section: Section,
    folder: Path,
    environ: Mapping[str, str],
    problems: list[Problem],
    *,
    serving: bool = False,
) -> Settings:
    """The settings; what cannot be resolved is told in `problems` and left out. `serving`: `load` says what that is."""
    places = _places(shape.state.dir, folder, environ)
    state = places.state
    vault = _Vault(section, folder, environ, problems, serving=serving)
    return Settings(
        folder=folder,
        state_dir=state,
        database_url=database_url(shape.database, state, vault),
        journal=places.own / shape.journal.path,
        inbox=state / shape.inbox.path if shape.inbox.path else None,
        maildir=state / shape.mail.maildir,
        backup=BackupSettings(**shape.backup.model_dump() | {"dir": state / shape.backup.dir}),
        retention=RetentionSettings(**shape.retention.model_dump()),
        evidence_font=places.own / shape.evidence.font if shape.evidence.font else None,
        health_file=places.own / shape.health.file if shape.health.file else None,
        metrics=_metrics(shape.metrics, places.own),
        receiver=_receiver(shape.receiver),
        alerts=build_alerts(shape.alerts),
        handover=build_handover(shape.reports.handover),
        targets=tuple(_target(each, vault) for each in shape.target),
        log_format=shape.log.format,
        smtp=_smtp(shape, vault),
        whatsapp=_whatsapp(shape, vault),
        telegram=_telegram(shape, vault),
        sources=tuple(_source(each, state, vault) for each in shape.source),
        accounts=tuple(build_account(each, vault.open) for each in shape.marketplace_account),
        poll=PollSettings(**shape.poll.model_dump()),
        engine=EngineSettings(**shape.engine.model_dump(), inbox_interval_s=shape.inbox.interval_s),
        operators_language=shape.operators.language,
        worker=places.worker,
    )


class _Vault:
    """Resolves references, and tells the line of those that lead nowhere."""

    def __init__(
        self, section: Section, folder: Path, environ: Mapping[str, str], problems: list[Problem], *, serving: bool
    ) -> None:
        self._section, self._folder, self._environ, self._problems = section, folder, environ, problems
        self._serving = serving

    def open(self, reference: str, path: tuple[str, ...]) -> Secret | None:
        try:
            secret, warning = resolve(reference, self._environ, self._folder)
        except UnresolvedError as error:
            level: Level = "warning" if error.here_only and not self._serving else "error"
            self._problems.append(self._section.problem(path, str(error), level))
            return None
        if warning:
            self._problems.append(self._section.problem(path, warning, "warning"))
        return secret

    def warn(self, path: tuple[str, ...], why: str) -> None:
        """What works, and had better be otherwise."""
        self._problems.append(self._section.problem(path, why, "warning"))

    def refuse(self, path: tuple[str, ...], why: str) -> None:
        """What a reference leads to is of no use; `why` does not tell it."""
        self._problems.append(self._section.problem(path, why, "error"))


class _Places(msgspec.Struct, frozen=True, kw_only=True):
    """Where all workers keep their state, where this one keeps its own (the send journal: one file a worker)."""

    state: Path
    own: Path
    worker: str | None


def _places(given: str | None, folder: Path, environ: Mapping[str, str]) -> _Places:
    """[state] dir, else what systemd gives, else beside tracker.toml. A worker's own folder lies in the one of all."""
    systemd = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    worker = environ.get("TRACKER_WORKER") or None
    state = folder / Path(given or systemd or ".").expanduser()
    return _Places(state=state, own=state / worker if worker else state, worker=worker)


def _metrics(shape: Metrics, own: Path) -> MetricsSettings:
    return MetricsSettings(
        file=own / shape.file if shape.file else None,
        listen=_endpoint(shape.listen),
        every_s=shape.every_s,
    )


def _receiver(shape: Receiver) -> ReceiverSettings:
    return ReceiverSettings(
        listen=_endpoint(shape.listen),
        max_body=shape.max_body_kb * 1024,
        at_once=shape.at_once,
        trusted_hosts=shape.trusted_hosts,
    )


def _endpoint(listen: str | None) -> tuple[str, int] | None:
    host, _, port = (listen or "").rpartition(":")
    return (host.strip("[]"), int(port)) if listen else None


def _target(shape: TargetShape, vault: _Vault) -> Target:
    path = ("target", shape.id, "url")
    url = vault.open(shape.url, path) if shape.url else None
    if url is not None and shape.kind == "webhook":
        refusal = url_refusal(url.reveal(), reach_beside(url.reveal(), shape))
        if refusal is not None:
            vault.refuse(path, refusal)
    return build_target(shape, url)


def _smtp(shape: TrackerFile, vault: _Vault) -> Smtp | None:
    server = shape.smtp
    if server is None:
        return None
    password = vault.open(server.password, ("smtp", "password")) if server.password else None
    return Smtp(host=server.host, port=server.port, user=server.user, password=password, tls=server.tls, from_=server.from_)


def _whatsapp(shape: TrackerFile, vault: _Vault) -> WhatsApp | None:
    account = shape.whatsapp
    token = vault.open(account.token, ("whatsapp", "token")) if account else None
    if account is None or token is None:
        return None
    templates = {key: WhatsAppTemplate(name=each.name, blanks=each.blanks) for key, each in account.templates.items()}
    return WhatsApp(
        base_url=account.base_url,
        phone_number_id=account.phone_number_id,
        token=token,
        templates=templates,
        allow_private_hosts=account.allow_private_hosts,
    )


def _telegram(shape: TrackerFile, vault: _Vault) -> Telegram | None:
    bot = shape.telegram
    token = vault.open(bot.token, ("telegram", "token")) if bot else None
    if bot is None or token is None:
        return None
    return Telegram(base_url=bot.base_url, token=token, allow_private_hosts=bot.allow_private_hosts)


def _source(shape: SourceShape, state: Path, vault: _Vault) -> Source:
    opened = {name: vault.open(reference, ("source", shape.id, "secrets", name)) for name, reference in shape.secrets.items()}
    known = registry.describe(shape.adapter) if shape.adapter in registry.names() else _NOBODY
    address = shape.base_url or known.base_url
    if address.startswith(_DROP):
        address = f"{_DROP}{state / address.removeprefix(_DROP)}"
    secrets = {name: secret for name, secret in opened.items() if secret is not None}
    return Source(
        id=shape.id,
        adapter=shape.adapter,
        base_url=address,
        secrets=secrets,
        push_secrets=tuple(secrets[name] for name in push_secrets(shape) if name in secrets),
        options=dict(shape.options),
        rps=shape.rps or known.rps or _SLOW,
        connections=shape.connections,
        batch=shape.batch,
        daily_quota=shape.daily_quota or known.daily,
        stores=frozenset(shape.stores),
        quota=shape.quota,
        quota_since=shape.quota_since,
        allow_private_hosts=shape.allow_private_hosts,
    )
