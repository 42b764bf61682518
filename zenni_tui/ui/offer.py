"""What the program that opens the screen offers: what can be started, and how."""

from pathlib import Path
from typing import Protocol

from zenni_tui.model.runbook import RunKind
from zenni_tui.model.tasks import Timeline


class Offer(Protocol):
    """A source and a target, and the runs that can be made of them.

    `target` is a label such as "embedded PostgreSQL"; it never holds a password. `hints` are lines for the first
    screen. The methods block for a moment, are called in a thread, and raise `ZenniError`.
    """

    @property
    def source(self) -> str:
        """Return the source's path."""

    @property
    def target(self) -> str:
        """Return the target's label."""

    @property
    def live(self) -> bool:
        """Return whether the target is one that people rely on."""

    @property
    def kinds(self) -> tuple[RunKind, ...]:
        """Return what can be started."""

    @property
    def hints(self) -> tuple[str, ...]:
        """Return lines worth knowing at the start."""

    @property
    def timeline(self) -> Timeline:
        """Return the dates and owners of the plan's tasks."""

    def start(self, kind: RunKind) -> Path:
        """Create and launch a run that waits for the operator before the first write; return its directory."""

    def resume(self, folder: Path) -> None:
        """Launch an engine that goes on with a run."""

    def check_again(self, folder: Path) -> None:
        """Launch an engine that looks again at what stood in the way to the target, and does nothing else."""

    def rollback(self, folder: Path) -> None:
        """Launch an engine that takes a run back."""
