"""All commands of a screen by name: what has no room in the line of keys."""

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from zenni_tui.ui.widgets.bars import Keys, keys_line
from zenni_tui.ui.widgets.canvas import Text
from zenni_tui.ui.widgets.rows import Column, Rows
from zenni_tui.ui.words import Line, Tone

from .box import Box


class Command(NamedTuple):
    """One command: its name, its keys or what it is for, and what it does."""

    name: str
    about: str
    deed: Callable[[], object]


def _cells(command: Command, _: Sequence[int]) -> Sequence[Line]:
    return (((command.name, Tone.PLAIN),), ((command.about, Tone.DIM),))


class CommandsScreen(Box[Command]):
    """A list that grows shorter as part of a name is typed; the result is the command chosen, None for none."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", show=False),
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
    ]
    ABOUT = "All that the screen below can do. Type a part of a name, or choose with the arrows."
    KEYS = (
        ("letters", "show only the names that hold them"),
        ("Up, Down", "choose"),
        ("Enter", "do it"),
        ("Esc", "do nothing"),
    )

    def __init__(self, commands: Sequence[Command]) -> None:
        super().__init__()
        self._commands = sorted(commands, key=lambda command: command.name.casefold())

    def compose(self) -> ComposeResult:
        """Return the box."""
        with Vertical(classes="box commands"):
            yield Input(placeholder="part of a command's name", compact=True, id="name")
            yield Rows((Column("", 24, most=46), Column("", 12)), _cells, empty="No command has that name.")
            yield Text(id="how")

    def on_mount(self) -> None:
        """Show all commands, and take letters."""
        line = self.query_one(Input)
        line.cursor_blink = False
        line.focus()
        self.query_one(Rows).show(self._commands)
        keys: Keys = (("Up/Down", "choose"), ("Enter", "do it"), ("Esc", "leave"))
        self.query_one("#how", Text).show(lambda width: [(), keys_line(keys, width)])

    @on(Input.Changed)
    def narrowed(self, message: Input.Changed) -> None:
        """Show only what bears the letters in its name."""
        part = message.value.strip().casefold()
        rows = self.query_one(Rows)
        rows.show([command for command in self._commands if part in command.name.casefold()])
        rows.action_jump(0)

    @on(Input.Submitted)
    def taken(self) -> None:
        """Answer with the command under the cursor."""
        chosen = self.query_one(Rows).current
        if isinstance(chosen, Command):
            self.dismiss(chosen)

    def action_move(self, by: int) -> None:
        """Move the cursor of the list."""
        self.query_one(Rows).action_move(by)

    def action_page(self, by: int) -> None:
        """Move the cursor of the list by a page."""
        self.query_one(Rows).action_page(by)

    def action_leave(self) -> None:
        """Do nothing."""
        self.dismiss(None)
