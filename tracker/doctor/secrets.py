"""Credentials: every key that a source or the mail server wants is there."""

from __future__ import annotations

from carriers import registry
from tracker.config import Loaded
from tracker.doctor.finding import Finding, fail, ok, warn


def credentials(loaded: Loaded) -> list[Finding]:
    """One line for each account; the configuration's own warnings (an open mode, a secret in clear) follow."""
    settings = loaded.settings
    found = []
    for source in settings.sources:
        missing = [name for name in registry.describe(source.adapter).secrets if name not in source.secrets]
        found.append(_of(f"credentials of {source.id}", f"[[source]] {source.id}", missing))
    if settings.smtp is not None and settings.smtp.user:
        found.append(_of("credentials of the mail server", "[smtp]", [] if settings.smtp.password else ["password"]))
    if not settings.sources:
        found.append(warn("sources", "none is described: no parcel is asked about", "a [[source]] in tracker.toml"))
    found += [warn("configuration", str(problem), "tracker config check") for problem in loaded.problems]
    return found


def _of(about: str, where: str, missing: list[str]) -> Finding:
    if not missing:
        return ok(about, "there")
    then = f"{where} in tracker.toml; what systemd gives the service alone: systemctl cat tracker | grep Credential"
    return fail(about, f"not to be read from here: {', '.join(missing)}", then)
