"""The run's state is `reduce` over the journal: pure, total, and the same for everyone."""

import functools
import operator
import types
import typing
from enum import StrEnum

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zenni_tui.model import events as e
from zenni_tui.model import state as states
from zenni_tui.model.record import from_json, to_json
from zenni_tui.model.result import judge, result
from zenni_tui.model.runbook import STEPS_OF, RunKind, StepId, StepState, TableVerdict, Verdict
from zenni_tui.model.state import RunState, reduce, replay

EVENTS: tuple[type[e.Event], ...] = typing.get_args(e.AnyEvent)


@functools.cache
def strategy_of(kind: object) -> st.SearchStrategy[object]:
    """Return a strategy for a field's type, so that a new event or field is tested without a new test."""
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        hints = typing.get_type_hints(kind)
        return st.builds(kind, **{f.name: strategy_of(hints[f.name]) for f in msgspec.structs.fields(kind)})
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return st.sampled_from(list(kind))
    if origin is tuple:
        return st.lists(strategy_of(inside[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(strategy_of(inside[0]), strategy_of(inside[1]), max_size=2)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*map(strategy_of, inside))
    return SIMPLE[typing.cast("type", kind)]


SIMPLE: dict[type, st.SearchStrategy[object]] = {
    str: st.sampled_from(["", "a", "b", "rows", "ä😀"]),
    int: st.integers(0, 5),
    float: st.floats(0, 1e9),
    bool: st.booleans(),
    type(None): st.none(),
}
anything = st.one_of(*map(strategy_of, EVENTS))


def numbered(events: list[e.AnyEvent]) -> list[e.Entry]:
    """Return entries as a journal would write them."""
    return [e.Entry(number, float(number), what) for number, what in enumerate(events, 1)]


def test_every_event_has_a_reducer() -> None:
    """No event type can be written that the state doesn't understand."""
    assert set(states._REDUCERS) == set(EVENTS)
    assert len({msgspec.inspect.type_info(kind).tag for kind in EVENTS}) == len(EVENTS)  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", EVENTS, ids=operator.attrgetter("__name__"))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_event_survives_json_and_any_state(kind: type[e.Event], data: st.DataObject) -> None:
    """An entry read back is the one written; reduced onto an empty and onto a used state it raises nothing."""
    entry = e.Entry(7, 1.5, typing.cast("e.AnyEvent", data.draw(strategy_of(kind))))
    assert from_json(to_json(entry), e.Entry) == entry
    before = replay(numbered(data.draw(st.lists(anything, max_size=4))))
    for state in (RunState(), before):
        after = reduce(state, entry)
        assert (after.entries, after.last) == (7, 1.5)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(events=st.lists(anything, max_size=12))
def test_reduce_is_pure(events: list[e.AnyEvent]) -> None:
    """A state is never changed by what follows it, and the same entries always make the same state."""
    state, seen = RunState(), []
    for entry in numbered(events):
        seen.append((state, to_json(state)))
        state = reduce(state, entry)
    assert [to_json(s) for s, _ in seen] == [text for _, text in seen]
    assert replay(numbered(events)) == state
    assert from_json(to_json(state), RunState) == state
    assert state.entries == len(events)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(events=st.lists(anything, max_size=12))
def test_every_state_has_a_result(events: list[e.AnyEvent]) -> None:
    """Whatever was seen, the result document and the verdict can be made of it."""
    state = replay(numbered(events))
    msgspec.json.encode(result(state, "/evidence"))
    assert judge(state) in Verdict
    assert state.current is None or state.current in state.steps


SOURCE = e.SourceFacts("/a.db")
TARGET = e.TargetFacts("h", 1, "d", "public")
STARTED = e.RunStarted("r", RunKind.REHEARSE, SOURCE, TARGET, STEPS_OF[RunKind.REHEARSE], 1)


def after(*events: e.AnyEvent) -> RunState:
    """Return the state of a run that has started and seen these."""
    return replay(numbered([STARTED, *events]))


def test_a_resumed_run_adds_its_times_up() -> None:
    """Seconds of several attempts add up, the verdict of the first is forgotten, what was found is kept."""
    problem = e.Problem("broken")
    state = after(
        e.StepStarted(StepId.COPY),
        e.StepFailed(StepId.COPY, 2.0, problem),
        e.RunEnded(Verdict.FAILED, 1, 5.0, 100.0, problem),
    )
    assert (state.verdict, state.problem, state.ended) == (Verdict.FAILED, problem, True)
    again = replay(
        numbered(
            [
                STARTED,
                e.StepStarted(StepId.COPY),
                e.StepFailed(StepId.COPY, 2.0, problem),
                e.RunEnded(Verdict.FAILED, 1, 5.0, 100.0, problem),
                STARTED,
                e.StepStarted(StepId.COPY),
                e.StepDone(StepId.COPY, 3.0, "done"),
                e.RunEnded(Verdict.PASSED, 0, 4.0, 50.0),
            ]
        )
    )
    assert again.step(StepId.COPY).seconds == 5.0
    assert (again.seconds, again.peak_rss_mb, again.problem, again.verdict) == (9.0, 100.0, None, Verdict.PASSED)


def test_progress_never_goes_back_within_one_unit() -> None:
    """Two workers' reports may arrive out of order; the bar doesn't jump. A new attempt begins at zero."""
    events = [e.StepStarted(StepId.COPY), *(e.Progress(StepId.COPY, n, 9, "rows") for n in (3, 8, 5))]
    assert after(*events).step(StepId.COPY).done == 8
    assert after(*events, e.Progress(StepId.COPY, 1, 4, "objects")).step(StepId.COPY).done == 1
    assert after(*events, e.StepStarted(StepId.COPY)).step(StepId.COPY).done == 0


def test_a_question_ends_with_its_answer() -> None:
    """What waits for the operator is forgotten when the step begins, is undone, or the run ends or starts again."""
    question = e.Waiting(StepId.PREPARE, "now?")
    assert after(question).waiting == question
    for answer in (
        e.StepStarted(StepId.PREPARE),
        e.UndoStarted(StepId.PREPARE),
        e.RunEnded(Verdict.STOPPED, 4, 1.0, 1.0),
        STARTED,
    ):
        assert after(question, answer).waiting is None


def test_narration_is_bounded() -> None:
    """A run of days keeps the last lines only."""
    state = after(*(e.Said("info", str(n)) for n in range(1000)))
    assert len(state.lines) == states.KEPT_LINES
    assert state.lines[-1].text == "999"


def compared(name: str, verdict: TableVerdict) -> e.TableCompared:
    """Return one table's comparison."""
    return e.TableCompared(name, 1, 1, 0, verdict)


def test_passed_needs_every_table_identical_and_every_step_done() -> None:
    """A table that differs, that was never compared, or a step that is not done, is not passed."""
    done = [e.StepDone(s, 1.0, "") for s in STEPS_OF[RunKind.REHEARSE]]
    plan = e.PlanMade("h", (e.TableNames("a", "a", 1), e.TableNames("b", "b", 1)), (e.TableNames("c", "a rule", 1),))
    fine = [compared("a", TableVerdict.IDENTICAL), compared("b", TableVerdict.IDENTICAL)]
    assert judge(after(*done, plan, *fine)) is Verdict.PASSED
    assert judge(after(*done[:-1], plan, *fine)) is Verdict.FAILED
    assert judge(after(*done, plan, fine[0])) is Verdict.FAILED
    assert judge(after(*done, plan, *fine, compared("b", TableVerdict.DIFFERS))) is Verdict.FAILED
    assert judge(after(*done, plan, *fine, compared("b", TableVerdict.MISSING))) is Verdict.FAILED
    assert judge(after(*done, plan, *fine, e.StepFailed(StepId.COPY, 1.0, e.Problem("x")))) is Verdict.FAILED


def test_the_current_step_is_the_last_that_did_anything() -> None:
    """The screen shows the step that runs; before anything ran, the first."""
    assert after().current == after().steps[0]
    state = after(e.StepDone(StepId.REACH, 1.0, ""), e.StepStarted(StepId.SNAPSHOT))
    assert state.current is not None
    assert (state.current.id, state.current.state) == (StepId.SNAPSHOT, StepState.RUNNING)


def test_a_later_engine_does_not_forget_the_servers_version() -> None:
    """What reach has seen of the target stays known when the run goes on; of another target nothing is."""
    seen = msgspec.structs.replace(TARGET, server_version="18.6")
    other = msgspec.structs.replace(TARGET, port=TARGET.port + 1)
    entries = [STARTED, e.TargetSeen(seen), STARTED]
    assert replay(e.Entry(n, float(n), what) for n, what in enumerate(entries, 1)).target == seen
    moved = [*entries, msgspec.structs.replace(STARTED, target=other)]
    assert replay(e.Entry(n, float(n), what) for n, what in enumerate(moved, 1)).target == other
