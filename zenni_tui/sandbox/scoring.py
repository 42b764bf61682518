"""Keeps the score of one drill: what was noticed, what was done, how it ended; no clock, no I/O of its own."""

from zenni_tui.model.drills import Given, Score
from zenni_tui.model.runbook import Verdict
from zenni_tui.model.state import RunState

from .drills import Plan
from .range import Seen

MOST_WRONG = 1
"""A drill with more wrong commands than this is not passed, however it ends."""


class Card:
    """One drill's card; all moments are seconds since 1970."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.struck: float | None = None
        self._noticed: float | None = None
        self._given: list[Given] = []

    def strike(self, at: float) -> None:
        """Note that the fault is there."""
        self.struck = at

    def key(self, at: float) -> None:
        """Note a key: the first one after the fault shows that it was noticed."""
        if self.struck is not None and self._noticed is None and at >= self.struck:
            self._noticed = at - self.struck

    def give(self, name: str, at: float, state: RunState) -> None:
        """Note a command; what was given before the fault does not count."""
        if self.struck is not None and at >= self.struck:
            worth = self.plan.worth(name, frozenset(g.name for g in self._given), state)
            self._given.append(Given(name, round(at - self.struck, 1), worth))

    def over(self, state: RunState, now: float, limit: float, *, alive: bool) -> str | None:
        """Return in words why the drill is over, None while it isn't."""
        if alive:
            return self._late(now, limit)
        verdict = state.verdict
        if self.struck is None:
            return "the run ended before the fault came"
        if verdict is self.plan.goal:
            return f"the run is {verdict}"
        if verdict is Verdict.ROLLED_BACK:
            return "the run was rolled back"
        return self._late(now, limit)

    def _late(self, now: float, limit: float) -> str | None:
        late = self.struck is not None and now - self.struck > limit
        return f"time was up after {limit:.0f} s" if late else None

    def score(self, state: RunState, why: str, now: float, by: str, seen: Seen) -> Score:
        """Return the score of a drill that is over."""
        right = [g.at for g in self._given if g.worth == "right"]
        missing = [name for name in self.plan.right if name not in {g.name for g in self._given if g.worth == "right"}]
        wrong = sum(g.worth == "wrong" for g in self._given)
        reached = state.verdict is self.plan.goal and self.struck is not None
        faults = [] if reached else [why]
        faults += [f"never given: {', '.join(missing)}"] if missing and reached else []
        faults += [f"{wrong} wrong commands, {MOST_WRONG} is allowed"] if wrong > MOST_WRONG else []
        faults += [] if seen.safe else ["the data are not as they should be"]
        return Score(
            drill=self.plan.facts.name,
            at=now,
            by=by,
            passed=not faults,
            why="; ".join(faults) or f"{why}, by the right commands",
            noticed=None if self._noticed is None else round(self._noticed, 1),
            right=right[0] if right else None,
            seconds=round(now - self.struck, 1) if self.struck is not None else 0.0,
            given=tuple(self._given),
            outcome=str(state.verdict or "no verdict"),
            safe=seen.safe,
            found=seen.words,
        )
