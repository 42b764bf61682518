"""What a benchmark tells: figures of several rounds, claims against a target, and the machine they hold for."""

import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import psutil


@dataclass(frozen=True)
class Claim:
    """A target of the design, and what was found; both in one unit, and less is better unless `more`."""

    text: str
    found: float
    target: float
    more: bool = False

    @property
    def met(self) -> bool:
        """Return whether the target is reached."""
        return self.found >= self.target if self.more else self.found <= self.target

    def __str__(self) -> str:
        word, sign = ("met", "at least") if self.more else ("met", "at most")
        return f"{'  ' + word if self.met else 'MISSED'}  {self.text}: {self.found:.2f}, {sign} {self.target:g}"


@dataclass
class Figures:
    """Measured values by name, in the order in which they were first seen."""

    unit: str = "s"
    rounds: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> float:
        """Keep one value, and print it so that a long benchmark shows where it is."""
        self.rounds.setdefault(name, []).append(value)
        print(f"    {name}: {value:.3f} {self.unit}", flush=True)
        return value

    def ratio(self, name: str, base: str) -> float:
        """Return the ratio of the best rounds, which other work on the machine disturbs least."""
        return min(self.rounds[name]) / min(self.rounds[base])

    def show(self, base: str | None = None) -> None:
        """Print smallest and largest value of each name, and the ratio to the base."""
        wide = max(map(len, self.rounds))
        for name, values in self.rounds.items():
            line = f"  {name:{wide}}  {min(values):9.3f} to {max(values):9.3f} {self.unit}"
            print(line + (f"  {self.ratio(name, base):6.2f} x" if base else ""), flush=True)


def alternate(figures: Figures, rounds: int, works: Mapping[str, Callable[[], float]]) -> None:
    """Measure each work in turn, several rounds long, so that what else the machine does strikes all alike."""
    for _ in range(rounds):
        for name, work in works.items():
            figures.add(name, work())


def machine() -> str:
    """Return what the figures depend on."""
    load = os.getloadavg()[0]
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, {platform.system()} {platform.release()},"
        f" Python {platform.python_version()}, load {load:.1f} at the start"
    )
