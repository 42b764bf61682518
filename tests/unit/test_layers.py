"""The rooms' walls: who may import whom, and what a process has no need to load."""

import importlib.util
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import zenni_tui

ROOT = Path(zenni_tui.__file__).parent.parent


def test_the_import_contracts_hold() -> None:
    """Arrows run one way, the verifier shares nothing with the encoders, the screen sees the engine's client only."""
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command; lint_imports_command()",
        "--no-cache",
    ]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
    assert "0 broken." in " ".join(run.stdout.split())


def loaded(modules: str) -> set[str]:
    """Return the top-level packages that a fresh interpreter has loaded after importing modules."""
    code = f"import sys, {modules}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_the_command_line_starts_without_drivers_and_screen() -> None:
    """Help and usage errors wait for no driver and no screen."""
    assert not loaded("zenni_tui.cli") & {"psycopg", "asyncpg", "sqlalchemy", "aiosqlite", "textual", "rich", "lark"}


def test_the_engine_runs_without_a_screen() -> None:
    """The engine's process, and every step it runs, load nothing of Textual."""
    found = loaded("zenni_tui.engine.__main__, zenni_tui.steps.book, zenni_tui.steps.workers")
    assert "psycopg" in found
    assert not found & {"textual", "rich"}


def test_nobody_loads_arrow_before_a_table_needs_it() -> None:
    """Arrow and NumPy cost time and memory that only large tables give back."""
    found = loaded("zenni_tui.cli, zenni_tui.engine.__main__, zenni_tui.steps.book, zenni_tui.steps.workers")
    assert not found & {"pyarrow", "numpy", "adbc_driver_sqlite"}


def test_a_worker_loads_what_it_works_with() -> None:
    """A worker needs psycopg; what the engine alone works with would double the time that it takes to start."""
    found = loaded("zenni_tui.steps.workers")
    assert "psycopg" in found
    assert not found & {"asyncpg", "sqlalchemy", "sqlglot", "lark", "textual"}


def test_the_screens_load_no_driver() -> None:
    """The screen sees the model and the engine's client: no database driver comes with it."""
    found = loaded("zenni_tui.ui.app")
    assert "textual" in found
    assert not found & {"psycopg", "asyncpg", "sqlalchemy", "aiosqlite"}


def test_the_model_does_no_io() -> None:
    """The shared words need msgspec and the standard library, nothing else."""
    names = ", ".join(f"zenni_tui.model.{m.name}" for m in pkgutil.iter_modules([str(ROOT / "zenni_tui" / "model")]))
    own = {"zenni_tui", "msgspec", "typing_extensions"}
    foreign = {
        name for name in loaded(names) - loaded("sys") - own if importlib.util.find_spec(name) and _installed(name)
    }
    assert foreign == set()


def _installed(name: str) -> bool:
    spec = importlib.util.find_spec(name)
    return spec is not None and "site-packages" in (spec.origin or "")


@pytest.mark.parametrize("room", ["model", "source", "convert", "target", "compare", "steps", "engine", "watch", "ui"])
def test_every_room_says_what_it_is(room: str) -> None:
    """A newcomer finds one sentence at the door of each room."""
    text = (ROOT / "zenni_tui" / room / "__init__.py").read_text()
    assert text.startswith('"""')
