"""What the program that opens the screen offers: what can be started, and how."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from zenni_tui.model.events import CheckMade
from zenni_tui.model.findings import Finding
from zenni_tui.model.runbook import RunKind
from zenni_tui.model.tasks import Timeline

from .post import Post
from .tools import Tool
from .training import Training


class Setup(Protocol):
    """What the first run needs; all of it blocks for a moment, is called in a thread, and raises `ZenniError`."""

    def look_around(self) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
        """Return the SQLite files nearby, each with a word on it, and targets that settings files name."""

    def password_of(self, url: str) -> str:
        """Return the password that a settings file gave with one of these targets."""

    def parted(self, url: str) -> tuple[str, str]:
        """Return a typed target without its password, and that; nothing is looked up, and it needn't be in a thread."""

    def test(self, source: str, url: str, password: str) -> tuple[CheckMade, ...]:
        """Return what was found at both ends; nothing is written there."""

    def write(self, source: str, url: str, password: str) -> "Offer":
        """Keep both in a config file and return what can be done with them."""


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
    def setup(self) -> Setup | None:
        """Return what asks for source and target, None when they are known."""

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

    @property
    def post(self) -> Callable[[], Post] | None:
        """Return what opens the watch over the target, when one is named."""

    @property
    def tools(self) -> tuple[Tool, ...]:
        """Return what else can be done about a run that has a plan; empty for none."""

    @property
    def training(self) -> Training | None:
        """Return what there is to learn."""

    def start(self, kind: RunKind) -> Path:
        """Create and launch a run that waits for the operator before the first write; return its directory."""

    def keep(self, findings: Sequence[Finding]) -> str:
        """Keep what was chosen for these findings for the next run, and return where that is, in words."""

    def resume(self, folder: Path) -> None:
        """Launch an engine that goes on with a run."""

    def check_again(self, folder: Path) -> None:
        """Launch an engine that looks again at what stood in the way to the target, and does nothing else."""

    def rollback(self, folder: Path, said: Mapping[str, str] | None = None) -> None:
        """Launch an engine that takes a run back; `said` is what was typed, the `word` and `why`, where it is asked."""

    def switch(self, folder: Path, said: Mapping[str, str]) -> None:
        """Launch an engine that switches the application over; `said` as above."""
