"""What earlier runs took, kept in the state folder, and what a run on the same target will take by that."""

import statistics
from collections.abc import Iterable, Sequence

import msgspec

from zenni_tui.files import write_private
from zenni_tui.model import events as e
from zenni_tui.model.record import Record, digest, from_json, to_json
from zenni_tui.model.request import Request
from zenni_tui.model.runbook import StepId, StepState
from zenni_tui.model.state import RunState

from . import folders

_FILE = "estimates.jsonl"
_KEPT = 200
_BY_BYTES = frozenset({StepId.SNAPSHOT})
_FLAT = frozenset({StepId.REACH, StepId.REPORT})
_EMBEDDED = "embedded"


class Figures(Record, frozen=True):
    """One run's figures: rows and bytes of the source, seconds by step; `target` names no host or user."""

    target: str
    rows: int
    bytes: int
    seconds: dict[StepId, float]


def keep(request: Request, state: RunState) -> None:
    """Add a finished run's figures; raises OSError."""
    seconds = {s.id: s.seconds for s in state.steps if s.state in (StepState.DONE, StepState.UNDONE)}
    if state.source is None or not seconds:
        return
    figures = Figures(_name(request), _rows(state), state.source.bytes, seconds)
    lines = [*map(to_json, _all()), to_json(figures)][-_KEPT:]
    write_private(folders.state_home() / _FILE, b"".join(line + b"\n" for line in lines))


def expected(request: Request, state: RunState) -> e.Expected | None:
    """Return what each step of a planned run will take, from runs on this target, else on embedded servers."""
    known = list(_all())
    same = [f for f in known if f.target == _name(request)]
    used = same or [f for f in known if f.target == _EMBEDDED]
    if not used or state.source is None:
        return None
    sized = Figures("", _rows(state), state.source.bytes, {})
    spans = [_prediction(step.id, sized, used) for step in state.steps]
    return e.Expected(tuple(s for s in spans if s), len(used), same_target=bool(same))


def _prediction(step: StepId, sized: Figures, used: Sequence[Figures]) -> e.Prediction | None:
    found = [f.seconds[step] * _times(step, sized, f) for f in used if step in f.seconds]
    if not found:
        return None
    return e.Prediction(step, round(min(found), 1), round(statistics.median(found), 1), round(max(found), 1))


def _times(step: StepId, sized: Figures, past: Figures) -> float:
    """Return how many times the work of a past run this one's step is; fixed costs don't shrink with it."""
    if step in _FLAT:
        return 1.0
    now, then = (sized.bytes, past.bytes) if step in _BY_BYTES else (sized.rows, past.rows)
    return max(now, 1) / max(then, 1)


def _rows(state: RunState) -> int:
    return sum(t.rows for t in state.tables.values())


def _name(request: Request) -> str:
    if request.target is None:
        return _EMBEDDED
    return digest([request.target.get(k) for k in ("host", "port", "dbname")])[:16]


def _all() -> Iterable[Figures]:
    try:
        lines = (folders.state_home() / _FILE).read_bytes().splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            yield from_json(line, Figures)
        except msgspec.MsgspecError:
            continue  # of another version
