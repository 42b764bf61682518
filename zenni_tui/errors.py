"""The error tree and the exit codes.

ZenniError                  anything an operator can act on
├── UsageError              a wrong option, key or value            exit 2
├── NotReady                a prerequisite is missing               exit 3
├── Stopped                 a safe point was reached on request     exit 4
│   └── Halted              the target forced it; what is done stays
├── Occupied                another run holds source or target      exit 6
└── StepFailed              a step could not be done                exit 1
    └── Interrupted         the target broke off; it may pass
"""

from enum import IntEnum

from .model.events import Problem
from .model.trouble import Trouble


class ExitCode(IntEnum):
    """Exit codes are an API; scripts rely on them."""

    PASSED = 0
    """Passed, or waiting at a human decision."""
    FAILED = 1
    """A difference, or a step that could not be done."""
    USAGE = 2
    """Wrong usage or configuration; nothing was started."""
    NOT_READY = 3
    """Prerequisites or the audit block; nothing was written."""
    STOPPED = 4
    """Stopped at a safe point; resume is possible."""
    ROLLED_BACK = 5
    """The target is as it was."""
    OCCUPIED = 6
    """Another run holds the source or the target."""
    FAULT = 70
    """A fault of this program; a crash report was written."""


class ZenniError(Exception):
    """Anything an operator can act on: what, where, why, and the next step."""

    exit_code = ExitCode.FAILED

    def __init__(self, what: str, *, where: str = "", why: str = "", next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.why = why
        self.next_step = next_step

    @property
    def problem(self) -> Problem:
        """Return the record that goes into the journal."""
        return Problem(self.what, self.where, self.why, self.next_step, int(self.exit_code))


class UsageError(ZenniError):
    """A wrong option, configuration key or value."""

    exit_code = ExitCode.USAGE


class NotReady(ZenniError):
    """A prerequisite is missing; nothing was written."""

    exit_code = ExitCode.NOT_READY


class Stopped(ZenniError):
    """A safe point was reached on request."""

    exit_code = ExitCode.STOPPED


class Halted(Stopped):
    """A disk or the target forced a stop at a safe point: it is full, takes no writes, or stayed away too long."""


class Occupied(ZenniError):
    """Another run holds the source or the target."""

    exit_code = ExitCode.OCCUPIED


class StepFailed(ZenniError):
    """A step could not be done."""


class Interrupted(StepFailed):
    """The target broke off in the middle of something that can be repeated; `trouble` tells what helps."""

    trouble = Trouble.LOST


def unusable(error: OSError) -> StepFailed:
    """Return the operator's words for a file or folder of this program's that could not be read or written."""
    return StepFailed(
        "A file or folder could not be used.",
        where=str(error.filename),
        why=error.strerror or str(error),
        next_step="Make space or mend the rights, or name another folder: --run-dir, XDG_STATE_HOME.",
    )
