"""`tracker init --system`: what the installation did, told line by line, and what the administrator does next."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from tracker import install
from tracker.cli.errors import Failed, UsageError
from tracker.cli.output import Answer, Console
from tracker.install import BACKUPS, CONFIG, SECRETS, Machine, Report

_WORDS = {"done": "done", "kept": "kept", "would": "would do", "needs_you": "needs you"}


def set_up(*, root: Path, prefix: str | None, enable: bool, dry_run: bool, now: datetime) -> Answer:
    """Install the service; exit code 3 when something is left for a person. Raises UsageError, Failed."""
    try:
        report = install.install(Machine(root), prefix=prefix, enable=enable, dry_run=dry_run, now=now)
    except install.Refused as error:
        raise UsageError(str(error)) from error
    except install.StepFailed as error:
        raise Failed("not_installed", str(error)) from error
    following = _next(report, enabled=enable)
    document = {
        "root": str(root),
        "prefix": report.prefix,
        "dry_run": dry_run,
        "steps": [msgspec.to_builtins(outcome) for outcome in report.outcomes],
        "needs_you": report.needs_you,
        "next": [f"{what}: {how}" for what, how in following],
    }
    return Answer(document=document, text=lambda console: _text(console, document, following), code=3 if report.needs_you else 0)


def _next(report: Report, *, enabled: bool) -> list[tuple[str, str]]:
    """What a person does now: all of it the first time, the restart after an upgrade."""
    missing = [] if report.program else [("the program", f"make install (it is not in {report.prefix} of that folder yet)")]
    if not report.first:
        return [*missing, ("after an upgrade", "sudo systemctl restart tracker")]
    lines = [
        *missing,
        ("your shops", f"{CONFIG}/stores/NAME.toml (copy example.toml.sample)"),
        ("carriers, mail", f"{CONFIG}/tracker.toml"),
        ("their keys", f"{SECRETS} (only root and the service read it)"),
        ("who works with it", "sudo usermod -aG tracker-ops NAME, then log in again"),
        ("backups", f"{BACKUPS} is theirs; copy it to another machine"),
        ("check", f"sudo env CREDENTIALS_DIRECTORY={CONFIG} tracker config check"),
        ("start", "sudo systemctl enable --now tracker"),
    ]
    return lines[:-1] if enabled else lines


def _text(console: Console, document: dict[str, Any], following: list[tuple[str, str]]) -> None:
    for step in document["steps"]:
        note = " ".join(filter(None, [step["note"], "" if step["owner"] is None else "(the owner could not be given)"]))
        console.line(f"{_WORDS[step['did']]:<10} {step['path']}{'   ' + note if note else ''}")
    console.line()
    console.line("Next:")
    width = max(len(what) for what, _ in following)
    for what, how in following:
        console.line(f"  {what:<{width}}  {how}")
