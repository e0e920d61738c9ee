"""tracker/completion: what bash, zsh and fish offer when the Tab key is pressed, made from the commands themselves."""

from __future__ import annotations

from typing import Literal

from tracker.cli.app import build

FILES: dict[str, Literal["bash", "zsh", "fish"]] = {"tracker.bash": "bash", "_tracker": "zsh", "tracker.fish": "fish"}
"""File, as its shell wants it to be called -> shell."""


def script(name: str) -> str:
    """One of FILES."""
    made: str = build().generate_completion(prog_name="tracker", shell=FILES[name])
    return "\n".join(line.rstrip() for line in made.splitlines()) + "\n"
