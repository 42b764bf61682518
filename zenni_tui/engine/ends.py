"""What is said at an engine's end: what went wrong, and how much memory it took."""

import resource
import sys
import traceback
from pathlib import Path

from zenni_tui.errors import ExitCode, Halted, ZenniError
from zenni_tui.model import events as e


def problem_of(error: Exception, folder: Path) -> e.Problem:
    """Return any error in the operator's terms; a fault of ours leaves a crash report in the run's folder."""
    if isinstance(error, ZenniError):
        return error.problem
    if isinstance(error, OSError):
        return Halted(
            "The run directory or another file could not be written.",
            where=str(error.filename or folder),
            why=error.strerror or str(error),
            next_step="Make space or mend the rights, then resume.",
        ).problem
    report = folder / "crash.txt"
    report.touch(0o600)
    report.write_text(f"python {sys.version}\n{''.join(traceback.format_exception(error))}")
    return e.Problem(
        "This is a fault of zenni-tui itself.",
        type(error).__name__,
        " ".join(str(error).split())[:300],
        f"The crash report is {report}. The target can still be rolled back: zenni-tui rollback.",
        int(ExitCode.FAULT),
    )


def peak_rss_mb() -> float:
    """Return the largest resident set that this process or an ended child ever had, in MB of 10^6 bytes."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    status = Path("/proc/self/status")
    if status.exists():
        # Not ru_maxrss, which a process takes over from the one that started it.
        own = int(status.read_text().partition("VmHWM:")[2].split()[0])
    else:
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(max(own, children) * 1024 / 1e6, 1)
