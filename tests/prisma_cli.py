"""Prisma's own command line, in the versions of `prisma/package.json`.

`ZENNI_PRISMA` names a folder in which that package.json is installed; without it the tests install it themselves, for
the session.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

OURS = Path(__file__).with_name("prisma")
PATIENCE = 300


class Prisma:
    """Runs Prisma in a project's folder; `home` is where it is installed."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def run(self, folder: Path, *command: str, version: int = 7, **settings: str) -> tuple[int, str]:
        """Return the exit code of a command and all that it said; settings are environment variables."""
        package = "prisma" if version == 7 else f"prisma{version}"
        program = self._home / "node_modules" / package / "build" / "index.js"
        return self._node(folder, str(program), *command, **settings)

    def call(self, folder: Path, module: str, calls: Sequence[tuple[str, Sequence[object]]], **settings: str) -> Any:
        """Return what functions of a project's module return, called by name and arguments."""
        code, said = self._node(folder, str(OURS / "call.mjs"), module, json.dumps(calls), **settings)
        assert code == 0, said
        return json.loads(said)

    def _node(self, folder: Path, *command: str, **settings: str) -> tuple[int, str]:
        modules = folder / "node_modules"
        if not modules.exists():
            modules.symlink_to(self._home / "node_modules")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "DATABASE_"))}
        environment = (
            kept
            | settings
            | {
                "ZENNI_PRISMA": str(self._home),
                "CHECKPOINT_DISABLE": "1",
                "PRISMA_HIDE_UPDATE_MESSAGE": "1",
                "PRISMA_SCHEMA_ENGINE_BINARY": str(OURS / "engine.mjs"),
                # Versions 5 and 6 look for this one before anything; no command here needs it.
                "PRISMA_QUERY_ENGINE_LIBRARY": str(OURS / "engine.mjs"),
            }
        )
        done = subprocess.run(
            ["node", *command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return done.returncode, done.stdout


@contextmanager
def installed() -> Iterator[Prisma]:
    """Yield Prisma; a machine without npm fails the test rather than skip it."""
    there = os.environ.get("ZENNI_PRISMA")
    if there:
        yield Prisma(Path(there))
        return
    assert shutil.which("npm"), "npm is missing: apt-get install nodejs npm, of Node 20.19 or newer"
    with TemporaryDirectory(prefix="zenni-prisma-") as home:
        install(Path(home))
        yield Prisma(Path(home))


def install(home: Path) -> None:
    """Install Prisma in a folder; nothing that its packages bring is run."""
    shutil.copy(OURS / "package.json", home)
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
