"""The words of drills: what is practised, what can be done about a fault outside of this program, and the score."""

from .record import Record


class Act(Record, frozen=True):
    """Something that an operator has done by others, outside of this program."""

    id: str
    label: str


ACTS: tuple[Act, ...] = (
    Act("line", "Network team: bring the line to the target back"),
    Act("room", "Provider: make the target's disk larger"),
    Act("load", "Colleague: end the other job that fills the line"),
    Act("server", "Provider: restart the target's server"),
    Act("side", "Developers: mend the new side's build"),
)
"""What is on offer in every drill, so that the list gives nothing away."""


class Drill(Record, frozen=True):
    """One drill; `job` says what the operator is to bring about, `watch` by what the trouble will show itself."""

    name: str
    title: str
    job: str
    watch: str


class Given(Record, frozen=True):
    """A command that was given after the fault, `at` in seconds since the fault; `worth` is right, neutral or wrong."""

    name: str
    at: float
    worth: str


class Score(Record, frozen=True):
    """How a drill went; times are seconds since the fault, None for what never came."""

    drill: str
    at: float
    by: str
    passed: bool
    why: str
    noticed: float | None
    right: float | None
    seconds: float
    given: tuple[Given, ...]
    outcome: str
    safe: bool
    found: str

    @property
    def wrong(self) -> tuple[str, ...]:
        """Return the wrong commands by name."""
        return tuple(g.name for g in self.given if g.worth == "wrong")
