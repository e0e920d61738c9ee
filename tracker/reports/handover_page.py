"""The handover as one HTML page without scripts: for the wall, the mail, the phone of the next shift (R53, R89)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

_PAGE = """\
<!doctype html>
<html lang="{{ language }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{ title }}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 55rem; padding: 0 1rem; color: #1c1c1c }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin: 1.6rem 0 .3rem } li { margin: .15rem 0; overflow-wrap: anywhere }
</style>
</head>
<body>
<h1>{{ title }}</h1>
{% for heading, items in sections -%}
<h2>{{ heading }}</h2>
{% if items %}<ul>
{% for item in items -%}
<li>{{ item }}</li>
{% endfor -%}
</ul>
{% endif -%}
{% endfor -%}
</body>
</html>
"""


def page(title: str, lines: Iterable[str], language: str) -> str:
    """The page of a title and its lines: an indented line belongs to the one above it that is not. All of it is escaped."""
    sections: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.startswith(" ") and sections:
            sections[-1][1].append(line.strip())
        else:
            sections.append((line, []))
    return _render(title, sections, language)


def _render(title: str, sections: Sequence[tuple[str, Sequence[str]]], language: str) -> str:
    environment = SandboxedEnvironment(autoescape=True, undefined=StrictUndefined)
    return environment.from_string(_PAGE).render(title=title, sections=sections, language=language)
