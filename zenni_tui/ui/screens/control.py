"""Who steers a run: of several screens one has control, the others look on until they take it over."""

import contextlib
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from zenni_tui.engine import client
from zenni_tui.engine.hand import Hand
from zenni_tui.ui.words import Tone

from .base import Base

STEERING = frozenset(
    {"go", "stop", "roll_back", "resume", "check_again", "pause", "throttle", "choose", "take_back", "switch", "finish"}
)
"""The actions that change what a run does."""


class ControlScreen(Base):
    """A run's screen that steers only while it has control."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("o", "take_over", "Take control", show=False)]

    folder: Path
    held_by = ""
    _hand: Hand | None = None

    def take_hand(self) -> None:
        """Take control when nobody has it, which is so for the first screen of a run."""
        self._hand = Hand(self.folder, client.whoami())
        if not self._hand.other():
            self._take()
        self.look_for_control()

    def _take(self) -> None:
        # Where the run's directory can't be written nobody can be kept from steering either.
        with contextlib.suppress(OSError):
            if self._hand is not None:
                self._hand.take()

    def look_for_control(self) -> str:
        """Return who else has control, empty when it is this screen's or nobody's."""
        self.held_by = self._hand.other() if self._hand else ""
        return self.held_by

    def on_unmount(self) -> None:
        """Let go of the run."""
        if self._hand is not None:
            self._hand.release()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether an action may be done here now."""
        if self.held_by and action in STEERING:
            return False
        return super().check_action(action, parameters)

    def on_key(self, event: events.Key) -> None:
        """Say why a key that steers does nothing here."""
        if not self.held_by:
            return
        steering = {key for b in self.deeds() if b.action in STEERING for key in b.key.split(",")}
        if event.key in steering:
            self.tell(f"{self.held_by} has control. Press o to take it over.", Tone.WARN)

    def action_take_over(self) -> None:
        """Take control from whoever has it."""
        if not self.held_by:
            self.tell("You have control.", Tone.DIM)
            return
        before = self.held_by
        self._take()
        self.look_for_control()
        self.tell(f"You have control now; {before} looks on.", Tone.GOOD)
