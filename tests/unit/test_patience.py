"""What is tried again, how long, and what the operator is told of it."""

import asyncio

import psycopg
import pytest

from zenni_tui.errors import Halted, Interrupted, NotReady, StepFailed
from zenni_tui.model import events as e
from zenni_tui.model.request import Command
from zenni_tui.model.runbook import StepId
from zenni_tui.model.trouble import Trouble
from zenni_tui.steps.patience import Patience, insist
from zenni_tui.steps.steering import Steering
from zenni_tui.target import trouble

LOST = Interrupted("The target broke off.", where="table t", why="no route")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (psycopg.errors.AdminShutdown(), Trouble.LOST),
        (psycopg.errors.CannotConnectNow(), Trouble.LOST),
        (psycopg.errors.ConnectionFailure(), Trouble.LOST),
        (psycopg.errors.IdleInTransactionSessionTimeout(), Trouble.LOST),
        (psycopg.OperationalError("server closed the connection unexpectedly"), Trouble.LOST),
        (psycopg.errors.TooManyConnections(), Trouble.CROWDED),
        (psycopg.errors.QueryCanceled(), Trouble.BUSY),
        (psycopg.errors.LockNotAvailable(), Trouble.BUSY),
        (psycopg.errors.DeadlockDetected(), Trouble.BUSY),
        (psycopg.errors.DiskFull(), Trouble.FULL),
        (psycopg.errors.ReadOnlySqlTransaction(), Trouble.READ_ONLY),
        (psycopg.errors.UniqueViolation(), Trouble.REFUSED),
        (psycopg.ProgrammingError("wrong use"), Trouble.REFUSED),
        (NotReady("x", why="connection to server failed: Connection refused"), Trouble.LOST),
        (NotReady("x", why="FATAL: sorry, too many clients already"), Trouble.CROWDED),
        (NotReady("x", why='FATAL: password authentication failed for user "a"'), Trouble.REFUSED),
    ],
)
def test_each_error_has_its_kind(error: psycopg.Error | NotReady, kind: Trouble) -> None:
    """What passes by itself is Interrupted, what a person must mend is Halted, the rest has failed."""
    assert trouble.kind_of(error) is kind
    made = trouble.told(error, "table t")
    wanted = Halted if kind in (Trouble.FULL, Trouble.READ_ONLY) else Interrupted if kind.passes else StepFailed
    assert type(made) is wanted
    assert (made.where, bool(made.next_step)) == ("table t", True)


def patience(told: list[e.AnyEvent], budget: float) -> Patience:
    """Return patience of so many seconds."""
    return Patience(told.append, lambda: StepId.COPY, budget)


def test_waits_grow_and_are_told_once() -> None:
    """Others that fall into the same hole don't lengthen the wait; a success ends it with a word."""
    told: list[e.AnyEvent] = []
    bears = patience(told, 600)
    for _ in range(3):
        bears.met(LOST)
    (first,) = told
    assert isinstance(first, e.Retrying)
    assert 0 < bears.waits <= 0.5
    assert (first.attempt, first.where, first.why) == (1, "table t", "no route")
    assert 590 < first.until - first.since <= 600
    assert bears.troubled
    bears.over()
    bears.over()
    assert [type(t) for t in told] == [e.Retrying, e.Recovered]
    assert (bears.waits, bears.troubled) == (0.0, False)


def test_a_spent_budget_halts_with_the_last_reason() -> None:
    """Without any time left the run stops at a safe point and says why."""
    with pytest.raises(Halted, match="stayed away too long") as raised:
        patience([], 0).met(LOST)
    assert "no route" in raised.value.why
    assert "resume" in raised.value.next_step


async def test_insisting_repeats_what_may_pass_and_nothing_else() -> None:
    """Two lost lines are overcome; a refusal is raised at once; a stop ends the wait."""
    told: list[e.AnyEvent] = []
    failures = [psycopg.errors.AdminShutdown("gone"), psycopg.errors.CannotConnectNow("starting")]

    def deed() -> str:
        if failures:
            raise failures.pop()
        return "done"

    assert await insist(patience(told, 60), "here", deed) == "done"
    assert [type(t) for t in told] == [e.Retrying, e.Retrying, e.Recovered]
    calls: list[int] = []

    def refused() -> None:
        calls.append(1)
        raise psycopg.errors.UniqueViolation("twice")

    with pytest.raises(psycopg.errors.UniqueViolation):
        await insist(patience([], 60), "here", refused)
    assert calls == [1]

    def give_up() -> None:
        raise asyncio.CancelledError

    def lost() -> None:
        raise psycopg.errors.AdminShutdown("gone")

    with pytest.raises(asyncio.CancelledError):
        await insist(patience([], 60), "here", lost, give_up=give_up)


def test_the_speed_is_shared_among_the_workers() -> None:
    """A limit is the run's, each worker gets its part; senseless settings are refused and change nothing."""
    told: list[e.AnyEvent] = []
    steering = Steering(told.append, e.Throttled(2))
    assert steering.set(Command("throttle", "ann", rows=1000, mb=4)) == "2 workers, 1,000 rows/s, 4 MB/s"
    assert steering.signals.limits == (500.0, 2e6)
    steering.set(Command("throttle", "ann", workers=4))
    assert steering.signals.limits == (250.0, 1e6)
    for command in (Command("throttle", workers=0), Command("throttle", rows=-1), Command("throttle", mb=-0.5)):
        with pytest.raises(ValueError, match="must be between"):
            steering.set(command)
    assert steering.settings == e.Throttled(4, 1000, 4, "ann")
    assert len(told) == 2


def test_a_crowded_target_gets_fewer_workers_and_one_at_least() -> None:
    """Each refusal takes one worker away, never the last, until somebody sets their number; each change is told."""
    told: list[e.AnyEvent] = []
    steering = Steering(told.append, e.Throttled(2))
    crowded = Interrupted("no room")
    crowded.trouble = Trouble.CROWDED
    for _ in range(3):
        steering.yield_to(crowded)
    assert steering.workers == 1
    steering.yield_to(LOST)
    assert [t.words for t in told if isinstance(t, e.Eased)] == [
        "The target has no room for all. Going on with 1 of 2 workers."
    ]
    steering.set(Command("throttle", workers=3))
    assert steering.workers == 3
    assert told[-2:] == [e.Eased(3, 3, "An operator wants it so."), e.Throttled(3)]


def test_patience_can_be_short_for_a_while() -> None:
    """Where somebody waits the budget is shorter and counts from then on, in seconds; afterwards it is as before."""
    told: list[e.AnyEvent] = []
    bears = patience(told, 600)
    with bears.shortened(0.0), pytest.raises(Halted) as spent:
        bears.met(LOST)
    assert "for 0 s" in spent.value.why
    bears.met(LOST)
    assert [type(t) for t in told] == [e.Retrying]
