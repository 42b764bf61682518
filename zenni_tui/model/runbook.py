"""The runbook's words: steps, their states, the kinds of runs and their verdicts."""

from enum import StrEnum


class StepId(StrEnum):
    """The steps, in the order of the runbook."""

    REACH = "reach"
    SNAPSHOT = "snapshot"
    INSPECT = "inspect"
    AUDIT = "audit"
    PLAN = "plan"
    PREPARE = "prepare"
    COPY = "copy"
    INDEX = "index"
    VERIFY = "verify"
    REPORT = "report"


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


STEPS_OF: dict[RunKind, tuple[StepId, ...]] = {
    RunKind.CHECK: (StepId.REACH,),
    RunKind.AUDIT: tuple(StepId)[:4],
    RunKind.PLAN: tuple(StepId)[:5],
    RunKind.REHEARSE: tuple(StepId),
    RunKind.MIGRATE: tuple(StepId),
}

WRITES_TARGET = frozenset({StepId.PREPARE, StepId.COPY, StepId.INDEX})


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
