"""The runbook's words: steps, their states, the kinds of runs and their verdicts."""

from enum import StrEnum


class StepId(StrEnum):
    """The steps, in the order of the runbook."""

    REACH = "reach"
    ARM = "arm"
    SNAPSHOT = "snapshot"
    INSPECT = "inspect"
    AUDIT = "audit"
    PLAN = "plan"
    PREPARE = "prepare"
    COPY = "copy"
    INDEX = "index"
    VERIFY = "verify"
    CATCH_UP = "catch_up"
    REPORT = "report"
    SWITCH = "switch"
    WATCH = "watch"
    FALL_BACK = "fall_back"


class StepState(StrEnum):
    """Where a step is."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    UNDOING = "undoing"
    UNDONE = "undone"


class RunKind(StrEnum):
    """What a run is for."""

    CHECK = "check"
    AUDIT = "audit"
    PLAN = "plan"
    REHEARSE = "rehearse"
    MIGRATE = "migrate"


class Meanwhile(StrEnum):
    """What happens to the writes of the application between the snapshot and the switch."""

    NOTHING = "nothing"
    """The source is not touched; what is written later stays behind."""
    FOLLOW = "follow"
    """They are logged in the source and applied to the target."""
    REFUSE = "refuse"
    """They are refused, so that the snapshot stays the whole truth."""


_READS = (StepId.SNAPSHOT, StepId.INSPECT, StepId.AUDIT, StepId.PLAN)
_WHOLE = (
    StepId.REACH,
    StepId.ARM,
    *_READS,
    StepId.PREPARE,
    StepId.COPY,
    StepId.INDEX,
    StepId.VERIFY,
    StepId.CATCH_UP,
    StepId.REPORT,
)

STEPS_OF: dict[RunKind, tuple[StepId, ...]] = {
    RunKind.CHECK: (StepId.REACH,),
    RunKind.AUDIT: (StepId.REACH, *_READS[:-1]),
    RunKind.PLAN: (StepId.REACH, *_READS),
    RunKind.REHEARSE: _WHOLE,
    RunKind.MIGRATE: _WHOLE,
}

AFTERWARDS = frozenset({StepId.SWITCH, StepId.WATCH, StepId.FALL_BACK})
"""Runbooks of their own, which a person begins when the migration stands verified."""

WRITES_TARGET = frozenset({StepId.PREPARE, StepId.COPY, StepId.INDEX})
WRITES_SOURCE = frozenset({StepId.ARM})


class Verdict(StrEnum):
    """How a run ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_READY = "not_ready"
    WAITING = "waiting"
    STOPPED = "stopped"
    ROLLED_BACK = "rolled_back"
    ERROR = "error"


class TableVerdict(StrEnum):
    """How one table's comparison ended."""

    IDENTICAL = "identical"
    DIFFERS = "differs"
    MISSING = "missing"
    EXCLUDED = "excluded"
    NOT_MIGRATED = "not_migrated"
