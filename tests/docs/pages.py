"""The generated pages: path below docs/ -> what makes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from tests.docs import commands, completion, configuration, faults, files, measures, requirements, sources, words

DOCS = Path(__file__).parents[2] / "docs"

PAGES: Mapping[str, Callable[[], str]] = {
    "reference/carriers.md": sources.page,
    "reference/commands.md": commands.page,
    "reference/config.md": configuration.page,
    "reference/formats.md": files.formats_page,
    "reference/messages.md": files.messages_page,
    "reference/metrics.md": measures.page,
    "reference/reasons.md": words.page,
    "faults.md": faults.page,
    "requirements.md": requirements.page,
    **{f"../tracker/completion/{name}": partial(completion.script, name) for name in completion.FILES},
}
