"""Two quiet colour themes that colour-blind people can tell apart: blue-green, amber, vermilion."""

import functools
from collections.abc import Mapping

from rich.style import Style
from textual.theme import Theme

from .words import Tone

NIGHT = Theme(
    name="zenni-night",
    primary="#6ea8d8",
    secondary="#8a9bb5",
    accent="#6ea8d8",
    foreground="#c9d1d9",
    background="#12161c",
    surface="#171c24",
    panel="#1f2731",
    success="#56b79b",
    warning="#dca54c",
    error="#e8735a",
    dark=True,
    variables={"zenni-dim": "#8793a3", "zenni-live": "#c4452d", "zenni-rehearsal": "#24695a", "zenni-edge": "#33404f"},
)

DAY = Theme(
    name="zenni-day",
    primary="#1f5f99",
    secondary="#4c5b70",
    accent="#1f5f99",
    foreground="#1c232b",
    background="#fbfaf7",
    surface="#f4f2ed",
    panel="#e8e5dd",
    success="#0f6b55",
    warning="#8a5a00",
    error="#b3331c",
    dark=False,
    variables={"zenni-dim": "#5c6673", "zenni-live": "#b3331c", "zenni-rehearsal": "#0f6b55", "zenni-edge": "#c5c0b4"},
)


@functools.cache
def tones(name: str) -> Mapping[Tone, Style]:
    """Return how each tone looks in the theme of that name.

    As component classes they would cost ten more matchings of all rules for every widget that is mounted.
    """
    theme = {theme.name: theme for theme in (NIGHT, DAY)}[name]
    colour = theme.to_color_system().generate() | theme.variables

    def badge(name: str) -> Style:
        return Style(color="#ffffff", bgcolor=colour[name], bold=True)

    return {
        Tone.PLAIN: Style.null(),
        Tone.STRONG: Style(bold=True),
        Tone.DIM: Style(color=colour["zenni-dim"]),
        Tone.GOOD: Style(color=colour["success"]),
        Tone.WARN: Style(color=colour["warning"]),
        Tone.BAD: Style(color=colour["error"], bold=True),
        Tone.BUSY: Style(color=colour["primary"]),
        Tone.LIVE: badge("zenni-live"),
        Tone.REHEARSAL: badge("zenni-rehearsal"),
    }
