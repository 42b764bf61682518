"""Keeps screens and texts as files that only their owner can read."""

import io
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from textual.app import App
from textual.screen import Screen

from zenni_tui.engine import folders
from zenni_tui.files import write_private


def rendered(screen: Screen[object]) -> list[str]:
    """Return the screen's lines as a person sees them."""
    width, height = screen.app.size
    console = Console(width=width, height=height, file=io.StringIO(), record=True, legacy_windows=False)
    console.print(
        screen._compositor.render_update(full=True, screen_stack=screen.app._background_screens)  # noqa: SLF001 - as App.export_screenshot does; Textual has no export of text
    )
    return console.export_text(styles=False).splitlines()


def _place(folder: Path | None, name: str, ending: str) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    return (folder or folders.state_home()) / f"{name}-{stamp}.{ending}"


def text(folder: Path | None, name: str, content: str) -> Path:
    """Write a text into a run's folder, or this program's own; return its path; raises OSError."""
    path = _place(folder, name, "txt")
    write_private(path, content.encode())
    return path


def screen(app: App[object], folder: Path | None) -> Path:
    """Save the screen as SVG and as text beside it; return the SVG's path; raises OSError."""
    path = _place(folder, "screen", "svg")
    write_private(path, app.export_screenshot(simplify=True).encode())
    write_private(path.with_suffix(".txt"), "\n".join([*rendered(app.screen), ""]).encode())
    return path
