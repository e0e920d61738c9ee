"""`make audit`: is anything that we pin known to be vulnerable? Asked by `uv audit`, about the versions in requirements/*.txt.

Exit code 0: asked about every pin, nothing is known. 1: something is known. 3: nobody could be asked; that is no good news.
uv needs a lock file for it, which names registries: it is made in a temporary folder and thrown away.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "requirements"
UV = Path(sys.executable).with_name("uv")
CLEAN, FOUND, NOT_ASKED = 0, 1, 3

_PIN = re.compile(
    r"^(?P<name>[a-z0-9][a-z0-9._-]*)(?:\[[a-z0-9_,-]+\])?==(?P<version>[^\s;\\]+)(?: *; *(?P<marker>[^\\]+?))? *\\?$",
    re.MULTILINE,
)


def pins(folder: Path = REQUIREMENTS) -> list[str]:
    """Every pin of every list, once, as a requirement with its marker."""
    found = {
        f"{pin['name']}=={pin['version']}" + (f" ; {pin['marker']}" if pin["marker"] else "")
        for file in sorted(folder.glob("*.txt"))
        for pin in _PIN.finditer(file.read_text(encoding="utf-8"))
    }
    return sorted(found)


def project(folder: Path, pinned: Sequence[str]) -> None:
    """Write a project that needs exactly these."""
    wanted = json.dumps(pinned, indent=1)
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "audited"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = {wanted}\n', encoding="utf-8"
    )


def ask(folder: Path, service: str | None = None) -> tuple[int, str]:
    """What is known about the locked packages of a folder: our exit code, and what uv says. `service`: another one's address."""
    command = [
        str(UV),
        "audit",
        "--frozen",
        "--preview-features",
        "audit-command",
        *(["--service-url", service] if service else []),
    ]
    done = _uv(command, folder)
    return {0: CLEAN, 1: FOUND}.get(done.returncode, NOT_ASKED), done.stdout + done.stderr


def _uv(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "UV_FROZEN", "UV_LOCKED"}}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environ)


def main(service: str | None = os.environ.get("AUDIT_SERVICE")) -> int:
    """Ask about all pins; say what came of it."""
    pinned = pins()
    with TemporaryDirectory() as name:
        folder = Path(name)
        project(folder, pinned)
        locked = _uv([str(UV), "lock", "--quiet"], folder)
        code, said = (NOT_ASKED, locked.stderr) if locked.returncode else ask(folder, service)
    print(said.strip())
    if code == NOT_ASKED:
        print(
            f"make audit: NOT AUDITED. None of the {len(pinned)} pins was checked: the registry or the vulnerability service "
            "cannot be reached from here. Run it where the network allows, or name a mirror of the service: AUDIT_SERVICE=https://...",
            file=sys.stderr,
        )
    elif code == CLEAN:
        print(f"make audit: {len(pinned)} pins were asked about, nothing is known against them.")
    return code


if __name__ == "__main__":
    sys.exit(main())
