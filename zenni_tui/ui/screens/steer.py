"""Pausing a run and setting its speed from its screen."""

from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from zenni_tui.engine import client
from zenni_tui.model.events import Throttled
from zenni_tui.ui.offer import Offer
from zenni_tui.ui.situation import Situation
from zenni_tui.ui.words import Tone

from .form import Field, Filled, Form
from .review import ReviewScreen

Fields = dict[str, float | int]

_FIELDS = (
    ("rows", "rows a second, 0 for no limit", "rows_per_second"),
    ("mb", "MB a second to the target, 0 for no limit", "mb_per_second"),
    ("workers", "worker processes", "workers"),
    ("chunk", "rows of one transaction, 0 as planned", "chunk_rows"),
)


def _number(name: str, text: str) -> float | int:
    return float(text) if name == "mb" else int(text)


def _wrong(found: Filled) -> str:
    for name, meaning, _ in _FIELDS:
        if found[name]:
            try:
                _number(name, found[name])
            except ValueError:
                return f"{found[name]!r} is no number: {meaning}."
    return ""


def throttle_form(settings: Throttled | None) -> Form:
    """Return the box that asks for the speed."""
    fields = [Field(n, meaning, f"{getattr(settings, f):g}" if settings else "") for n, meaning, f in _FIELDS]
    return Form("How fast?", "", fields, judge=_wrong, deed="set", first="rows")


class SteerScreen(ReviewScreen):
    """What a run's screen needs to pause it and to set its speed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "Pause, or go on", show=False),
        Binding("t", "throttle", "Speed", show=False),
        Binding("w", "watch", "Watch the target", show=False),
        Binding("a", "tools", "Tools: the application's own changes, and more", show=False),
    ]

    now: Situation
    follower: client.Follower
    offer: Offer | None

    def action_pause(self) -> None:
        """Pause the run, or let it go on."""
        self._steer("unpause" if self.now.state.paused else "pause", {})

    def action_throttle(self) -> None:
        """Ask for the speed, and set it."""
        if self.now.over:
            self.tell("Nothing is running.", Tone.DIM)
            return
        settings = self.now.state.throttled
        before = {name: f"{getattr(settings, field):g}" if settings else "" for name, _, field in _FIELDS}
        self.app.push_screen(throttle_form(settings), lambda found: self._throttled(found, before))

    def action_watch(self) -> None:
        """Open the watch over the run's target."""
        facts = self.now.state.target
        post = self.offer.post if self.offer else None
        if post is None or facts is None or facts.embedded:
            self.tell("There is no PostgreSQL of yours to watch in this run.", Tone.DIM)
            return
        from .watch import WatchScreen  # noqa: PLC0415 - a run's screen shows sooner without it

        self.app.push_screen(WatchScreen(post()))

    def action_tools(self) -> None:
        """Open the tools for this run."""
        tools = self.offer.tools if self.offer else ()
        if not tools:
            self.tell("There are no tools here.", Tone.DIM)
            return
        from .tools import ToolsScreen  # noqa: PLC0415 - as above

        self.app.push_screen(ToolsScreen(tools, self.folder, self.poll))

    def _throttled(self, found: Filled | None, before: Filled) -> None:
        changed = {n: _number(n, text) for n, text in (found or {}).items() if text and text != before[n]}
        if changed:
            self._steer("throttle", changed)

    @work
    async def _steer(self, name: str, fields: Fields) -> None:
        if self.now.over:
            self.tell("Nothing is running.", Tone.DIM)
            return
        answer = await self.ask_engine_room(lambda: self.follower.send(name, **fields))
        # What was taken is seen in the header; only a refusal needs words.
        if answer is not None:
            self.tell("" if answer[0].ok else answer[0].message, Tone.BAD)
            self.poll()
