"""Pausing a run and setting its speed from its screen."""

import functools
from collections.abc import Iterable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from zenni_tui.engine import client
from zenni_tui.model.events import Throttled
from zenni_tui.ui.situation import Situation
from zenni_tui.ui.widgets.bars import Keys, keys_line
from zenni_tui.ui.widgets.canvas import Text
from zenni_tui.ui.words import Line, Tone, paragraph

from .review import ReviewScreen

Fields = dict[str, float | int]

_FIELDS = (
    ("rows", "rows a second, 0 for no limit", "rows_per_second"),
    ("mb", "MB a second to the target, 0 for no limit", "mb_per_second"),
    ("workers", "worker processes", "workers"),
)


class ThrottleScreen(ModalScreen[Fields]):
    """Asks for the speed; the result holds what was changed, and nothing when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", show=False),
        Binding("down", "app.focus_next", "Next", show=False),
        Binding("up", "app.focus_previous", "Previous", show=False),
    ]

    def __init__(self, settings: Throttled | None) -> None:
        super().__init__()
        self._before = {name: f"{getattr(settings, field):g}" if settings else "" for name, _, field in _FIELDS}
        self._said = ""

    def compose(self) -> ComposeResult:
        """Return the box."""
        with Vertical(classes="box throttle"):
            yield Text(id="story")
            for name, meaning, _ in _FIELDS:
                yield Text(id=f"about-{name}")
                yield Input(self._before[name], placeholder=meaning, id=f"field-{name}", compact=True)
            yield Text(id="how")

    def on_mount(self) -> None:
        """Show what holds now."""
        self.query_one("#story", Text).show(lambda _: [(("How fast?", Tone.STRONG),), ()])
        for name, meaning, _ in _FIELDS:
            line: Line = ((meaning, Tone.DIM),)
            self.query_one(f"#about-{name}", Text).show(functools.partial(_lines, line))
            self.query_one(f"#field-{name}", Input).cursor_blink = False
        self.query_one("#field-rows").focus()
        self._explain()

    def _explain(self) -> None:
        self.query_one("#how", Text).show(self._how)

    def _how(self, width: int) -> Iterable[Line]:
        keys: Keys = (("Enter", "set"), ("Esc", "leave as it is"), ("Up/Down", "next field"))
        return [(), *(paragraph(self._said, width, Tone.BAD) if self._said else []), keys_line(keys, width)]

    @on(Input.Submitted)
    def _written(self, message: Input.Submitted) -> None:
        message.stop()
        found: Fields = {}
        for name, meaning, _ in _FIELDS:
            text = self.query_one(f"#field-{name}", Input).value.strip()
            if text == self._before[name]:
                continue
            try:
                found[name] = float(text) if name == "mb" else int(text)
            except ValueError:
                self._said = f"{text!r} is no number: {meaning}."
                self._explain()
                return
        self.dismiss(found)

    def action_leave(self) -> None:
        """Change nothing."""
        self.dismiss({})


def _lines(line: Line, _: int) -> Iterable[Line]:
    return [line]


class SteerScreen(ReviewScreen):
    """What a run's screen needs to pause it and to set its speed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "Pause, or go on", show=False),
        Binding("t", "throttle", "Speed", show=False),
    ]

    now: Situation
    follower: client.Follower

    def action_pause(self) -> None:
        """Pause the run, or let it go on."""
        self._steer("unpause" if self.now.state.paused else "pause", {})

    def action_throttle(self) -> None:
        """Ask for the speed, and set it."""
        if self.now.over:
            self.tell("Nothing is running.", Tone.DIM)
            return
        self.app.push_screen(ThrottleScreen(self.now.state.throttled), self._throttled)

    def _throttled(self, found: Fields | None) -> None:
        if found:
            self._steer("throttle", found)

    @work
    async def _steer(self, name: str, fields: Fields) -> None:
        if self.now.over:
            self.tell("Nothing is running.", Tone.DIM)
            return
        answer = await self.ask_engine_room(lambda: self.follower.send(name, **fields))
        # What was taken is seen in the header; only a refusal needs words.
        if answer is not None:
            self.tell("" if answer[0].ok else answer[0].message, Tone.BAD)
