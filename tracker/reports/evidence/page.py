"""The record as one HTML page without scripts, links or pictures: it reads the same in ten years, and prints."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from jinja2 import StrictUndefined, Template
from jinja2.sandbox import SandboxedEnvironment

from tracker.reports.evidence.record import Record


def page(record: Record) -> str:
    """The page. Every value is escaped: carriers and buyers write what they like."""
    return _template().render(record=record)


@cache
def _template() -> Template:
    environment = SandboxedEnvironment(autoescape=True, undefined=StrictUndefined, trim_blocks=False)
    return environment.from_string(files("tracker.reports.evidence").joinpath("record.html").read_text(encoding="utf-8"))
