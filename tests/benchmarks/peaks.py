"""The largest resident set of each of a run's processes, as the kernel keeps it."""

from pathlib import Path

import psutil

MB = 1e6


class Peaks:
    """Looks at an engine and its workers; the keeper of the server and PostgreSQL itself are not ours to bound."""

    def __init__(self) -> None:
        self.engine = 0.0
        self.worker = 0.0

    def look(self, engine: psutil.Process) -> None:
        """Read what the processes have reached by now; to be called often, since a process takes its figure with it."""
        self.engine = max(self.engine, _peak(engine.pid))
        try:
            children = engine.children()
        except psutil.NoSuchProcess:
            return
        self.worker = max(self.worker, *(_peak(c.pid) for c in children if _is_worker(c)), 0.0)

    def __str__(self) -> str:
        return f"engine {self.engine:.0f} MB, workers {self.worker:.0f} MB"


def _is_worker(process: psutil.Process) -> bool:
    try:
        return "spawn_main" in " ".join(process.cmdline())
    except psutil.Error:
        return False


def _peak(pid: int) -> float:
    """Return VmHWM in MB of 10^6 bytes (proc_pid_status(5)), 0 for a process that has just ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    _, found, rest = status.partition("VmHWM:")
    return int(rest.split()[0]) * 1024 / MB if found else 0.0
