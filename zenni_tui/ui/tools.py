"""What else can be done about a run or its target: each tool does one thing and returns a paper to be read."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Paper(NamedTuple):
    """What a tool found: a text whose lines stand as they are, where it was written, and the next step, if any."""

    text: str
    where: str = ""
    next_step: str = ""


class Tool(NamedTuple):
    """One tool: its name, a line on what it does, and what does it for a run's directory.

    `does` blocks, is called in a thread, and raises `ZenniError` or OSError; None for a tool that `starts` an engine
    on the run, which its screen then shows. `asks` is what the operator is told before, empty for what is done at once.
    """

    name: str
    story: str
    does: Callable[[Path], Paper | None]
    asks: str = ""
