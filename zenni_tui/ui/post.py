"""What the watch's screen knows of whoever watches the target."""

from concurrent.futures import Future
from typing import Protocol

from zenni_tui.model.vitals import Alert, Look, Remedy


class Post(Protocol):
    """A post over one target; the futures raise `ZenniError`, `pause` is in seconds."""

    @property
    def target(self) -> str:
        """Return the target's label, without a password."""

    @property
    def pause(self) -> float:
        """Return the seconds between two looks."""

    def look(self) -> Future[Look]:
        """Begin a look."""

    def apply(self, alert: Alert, remedy: Remedy) -> Future[None]:
        """Begin to do what a remedy says; it is recorded."""

    def close(self) -> None:
        """Let go of the target."""
