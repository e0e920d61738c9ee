"""`python -m tests.docs`: write the generated pages."""

from __future__ import annotations

import sys

from tests.docs.pages import DOCS, PAGES

for name, make in PAGES.items():
    (DOCS / name).write_text(make(), encoding="utf-8")
    sys.stdout.write(f"docs/{name}\n")
