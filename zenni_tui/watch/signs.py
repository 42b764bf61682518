"""How signs are made: what counts as beyond a limit, what is simply there, and what can't be seen."""

from zenni_tui.model.statistics import Facts
from zenni_tui.model.vitals import Sign, Vital

LOWER = 0.9
"""What was raised clears below this part of its limit, unless said otherwise."""
SHOWN = 50
"""Rows that are shown of a vital."""
MB = 1e6


def beyond(  # noqa: PLR0917 - the parts of a sign, in its own order
    code: str,
    subject: str,
    value: float,
    most: float,
    text: str,
    names: tuple[str, ...] = (),
    *,
    lower: float = LOWER,
    asleep: bool = False,
) -> Sign:
    """Return the sign of a value that should stay below a limit."""
    return Sign(code, subject, float(value), float(most), most * lower, text, names, asleep)


def there(code: str, subject: str, text: str, names: tuple[str, ...] = ()) -> Sign:
    """Return the sign of what should not be there at all."""
    return Sign(code, subject, 1.0, 1.0, 1.0, text, names)


def blind(name: str, title: str, facts: Facts, topic: str) -> Vital | None:
    """Return the vital of a topic that could not be read, None when it was."""
    if topic not in facts.unseen:
        return None
    return Vital(name, title, "unseen", unseen=facts.unseen[topic], blind=True)


def grant(facts: Facts) -> str:
    """Return what would show other roles' doings to the role that looks."""
    return f"GRANT pg_monitor TO {facts.server.role}."
