"""The application: opens the first screen or a run, and never ties the engine's life to its own."""

import gc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from . import terminal
from .ahead import TypedAhead
from .offer import Offer
from .post import Post
from .screens.base import Base
from .screens.modals import Question
from .screens.start import StartScreen
from .theme import DAY, NIGHT
from .training import Training
from .words import ASCII, UNICODE, Glyphs

_KEY_NAMES = {"slash": "/", "question_mark": "?", "enter": "Enter", "left": "Left", "right": "Right"}


def key_names(keys: str) -> str:
    """Return a binding's keys as they stand on a keyboard."""
    return ", ".join(
        _KEY_NAMES.get(key, key.upper() if key.startswith("f") and len(key) > 1 else key) for key in keys.split(",")
    )


class ZenniApp(TypedAhead):
    """Give `offer` to start, resume and roll back runs; `follow` opens a run's directory at once, `post` the watch.

    `training` opens the lessons, or the one that `lesson` names; with `drill` the drills, or the one of that name.
    `pressed`, where set, is called at each key.
    """

    TITLE = "zenni-tui"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q,ctrl+c", "leave", "Leave", show=False, priority=True),
    ]
    ENABLE_COMMAND_PALETTE = True

    def __init__(
        self,
        offer: Offer | None = None,
        follow: Path | None = None,
        *,
        post: Post | None = None,
        training: Training | None = None,
        lesson: str = "",
        drill: str | None = None,
        ascii_only: bool = False,
    ) -> None:
        super().__init__()
        self.animation_level = "none"
        self.offer = offer
        self.follow = follow
        self.post = post
        self.training = training
        self.lesson = lesson
        self.drill = drill
        self.pressed: Callable[[], None] | None = None
        self.glyphs: Glyphs = ASCII if ascii_only else UNICODE
        self.set_class(ascii_only, "-ascii-only")
        self.register_theme(NIGHT)
        self.register_theme(DAY)
        self.theme = NIGHT.name

    def on_mount(self) -> None:
        """Open the first screen; over it the run to follow, if any."""
        if self.offer is not None:
            self.push_screen(StartScreen(self.offer))
        if self.post is not None:
            from .screens.watch import WatchScreen  # noqa: PLC0415 - as below

            self.push_screen(WatchScreen(self.post))
        elif self.follow is not None:
            from .screens.run import RunScreen  # noqa: PLC0415 - the first screen shows sooner without it

            self.push_screen(RunScreen(self.follow, self.offer))
        elif self.training is not None and self.drill is not None:
            from .screens.drills import DrillsScreen  # noqa: PLC0415 - as above

            self.push_screen(DrillsScreen(self.training, self.drill))
        elif self.training is not None:
            self._open_lessons(self.training, self.lesson)
        elif self.offer is None:
            self.exit()

    def on_ready(self) -> None:
        """Keep what stays for good out of the garbage collector's rounds, which would hold keys up."""
        if not self.is_headless:
            self.call_after_refresh(gc.freeze)

    def _open_lessons(self, training: Training, name: str) -> None:
        from .screens.lessons import LessonScreen, LessonsScreen  # noqa: PLC0415 - as above

        self.push_screen(LessonsScreen(training))
        for lesson in training.lessons:
            if lesson.name == name:
                self.push_screen(LessonScreen(training, lesson))

    async def on_event(self, event: events.Event) -> None:
        """Tell of keys, whatever has the focus."""
        if isinstance(event, events.Key) and not event.is_forwarded and self.pressed is not None:
            self.pressed()
        await super().on_event(event)

    def action_leave(self) -> None:
        """Leave the way the screen in front wants it."""
        front = next((s for s in reversed(self.screen_stack) if isinstance(s, Base)), None)
        if front and not isinstance(self.screen, Question):
            front.action_leave()

    def action_command_palette(self) -> None:
        """Show the screen's keys as commands with names, and the two themes."""
        from .screens.commands import Command, CommandsScreen  # noqa: PLC0415 - the first screen shows sooner without it

        screen = self.screen
        if isinstance(screen, CommandsScreen):
            return
        bindings = screen.deeds() if isinstance(screen, Base) else ()
        commands = [
            Command(b.description, f"key {key_names(b.key)}", partial(screen.run_action, b.action)) for b in bindings
        ]
        commands.append(Command("Dark colours", "night", lambda: setattr(self, "theme", NIGHT.name)))
        commands.append(Command("Light colours", "day", lambda: setattr(self, "theme", DAY.name)))

        def do(chosen: Command | None) -> None:
            if chosen:
                screen.call_later(chosen.deed)

        self.push_screen(CommandsScreen(commands), do)

    async def action_quit(self) -> None:
        """Ask as the leave key does."""
        self.action_leave()


def run(
    offer: Offer | None = None,
    follow: Path | None = None,
    *,
    post: Post | None = None,
    training: Training | None = None,
    lesson: str = "",
    drill: str | None = None,
    ascii_only: bool = False,
) -> None:
    """Show the screen until the operator leaves; the engine, if one works, works on."""
    from .keyboard import Keyboard  # noqa: PLC0415 - there is none where there is no terminal

    terminal.prepare()
    terminal.watch_line()
    app = ZenniApp(offer, follow, post=post, training=training, lesson=lesson, drill=drill, ascii_only=ascii_only)
    app.driver_class = Keyboard
    app.run(mouse=False)
