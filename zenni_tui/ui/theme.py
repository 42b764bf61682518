"""Two quiet colour themes that colour-blind people can tell apart: blue-green, amber, vermilion."""

from textual.theme import Theme

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
