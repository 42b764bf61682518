"""What every exercise consists of, and what several of them share."""

from collections.abc import Callable
from dataclasses import dataclass

from .ground import Ground

Words = dict[str, str]


@dataclass(frozen=True, slots=True)
class Trial:
    """`prepare` makes the data and returns the words of the task; `check` returns what is still missing, or nothing."""

    prepare: Callable[[Ground], Words]
    check: Callable[[Ground, Words], str]


FIRST_NAMES = ("Anna", "Liisa", "Mikko", "Juhani", "Maria", "Timo", "Helena", "Antti")
LAST_NAMES = ("Virtanen", "Korhonen", "Nieminen", "Laine", "Heikkinen", "Koskinen", "Salo", "Aho")
SERVICES = ("massage", "yoga", "sauna", "facial", "pilates", "acupuncture")


def people(ground: Ground, count: int) -> list[str]:
    """Return names of people, none twice."""
    every = [f"{first} {last}" for first in FIRST_NAMES for last in LAST_NAMES]
    return ground.dice.sample(every, count)
