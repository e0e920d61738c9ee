"""Credentials: every key that a source or the mail server wants is there."""

from __future__ import annotations

from carriers import registry
from tracker.config import Loaded
from tracker.doctor.finding import Finding, fail, ok, warn

ROOTS_EYES = "to look with root's eyes: sudo env CREDENTIALS_DIRECTORY=/etc/tracker tracker doctor"


def credentials(loaded: Loaded) -> list[Finding]:
    """One line for each account; the configuration's own warnings (an open mode, a secret in clear) follow."""
    settings = loaded.settings
    found = []
    for source in settings.sources:
        missing = [name for name in registry.describe(source.adapter).secrets if name not in source.secrets]
        # A secret that is named nowhere, or whose file is gone, ends the loading: only the service sees this one.
        found.append(_of(f"credentials of {source.id}", f"[[source]] {source.id}", missing, elsewhere=True))
    if settings.smtp is not None and settings.smtp.user:
        missing = [] if settings.smtp.password else ["password"]
        elsewhere = any(each.key == "smtp.password" for each in loaded.problems)
        found.append(_of("credentials of the mail server", "[smtp]", missing, elsewhere=elsewhere))
    if not settings.sources:
        found.append(warn("sources", "none is described: no parcel is asked about", "a [[source]] in tracker.toml"))
    found += [warn("configuration", str(problem), "tracker config check") for problem in loaded.problems]
    return found


def _of(about: str, where: str, missing: list[str], *, elsewhere: bool) -> Finding:
    if not missing:
        return ok(about, "there")
    if elsewhere:
        return warn(about, f"only the service sees: {', '.join(missing)} ({where})", ROOTS_EYES)
    then = f"{where} in tracker.toml; what systemd gives the service alone: systemctl cat tracker | grep Credential"
    return fail(about, f"not to be read from here: {', '.join(missing)}", then)
