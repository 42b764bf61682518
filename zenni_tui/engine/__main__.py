"""`python -m zenni_tui.engine RUN_DIR`: the engine's process; its orders and the password come on standard input."""

import asyncio
import hashlib
import json
import logging
import os
import signal
import sys
from pathlib import Path

from zenni_tui.errors import ExitCode
from zenni_tui.model import events as e
from zenni_tui.model.request import Request
from zenni_tui.model.runbook import STEPS_OF, RunKind, Verdict
from zenni_tui.steps.run import Run
from zenni_tui.target import sessions
from zenni_tui.target.connect import Target

from . import control, folders
from .client import request_of
from .journal import Journal
from .runner import Runner
from .words import Word


def main() -> int:
    """Run the engine to its end."""
    folder = Path(sys.argv[1])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s level=%(levelname)s logger=%(name)s %(message)s")
    orders = json.loads(sys.stdin.buffer.read())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    lock = folders.Lock(folder / folders.ENGINE_LOCK)
    if not lock.acquire(str(folder)):
        return int(ExitCode.OCCUPIED)
    return asyncio.run(_live(folder, orders))


async def _live(folder: Path, orders: dict[str, str | None]) -> int:
    request = await asyncio.to_thread(request_of, folder)
    journal = Journal(folder / folders.EVENTS)
    target = None
    if request.target is not None:
        target = Target(request.target, orders.get("password"), name=sessions.name_of(request.run_id))
    run = Run(request, folder, journal.append, lambda: journal.state)
    run.target = target
    runner = Runner(run, journal)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, runner.stop)
    server = await control.serve(folder, runner.answer)
    try:
        journal.append(_started(request, target))
        busy = _occupied(request)
        if busy is not None:
            journal.append(e.RunEnded(Verdict.NOT_READY, int(ExitCode.OCCUPIED), 0.0, 0.0, busy))
            return int(ExitCode.OCCUPIED)
        word = Word(orders.get("by") or "", orders.get("why") or "", orders.get("word") or "")
        runner.choose(json.loads(orders.get("repairs") or "{}"), word.by)
        ways = {
            "run": runner.forward,
            "rollback": lambda: runner.backward(word),
            "switch": lambda: runner.switch(word),
            "verify": runner.again,
            "repair": runner.repair,
            "check": runner.look_again,
        }
        verdict = await ways[orders.get("action") or "run"]()
        return await runner.close(verdict)
    finally:
        server.close()
        (folder / folders.CONTROL).unlink(missing_ok=True)
        journal.close()


def _started(request: Request, target: Target | None) -> e.RunStarted:
    facts = target.facts(request.schema) if target else e.TargetFacts("", 0, "", request.schema, embedded=True)
    return e.RunStarted(
        request.run_id,
        request.kind,
        e.SourceFacts(request.source),
        facts,
        STEPS_OF[request.kind],
        os.getpid(),
        live=request.kind is RunKind.MIGRATE,
        keep=request.keep,
        gated=request.gated,
        meanwhile=request.meanwhile,
    )


_held: list[folders.Lock] = []


def _occupied(request: Request) -> e.Problem | None:
    """Take this machine's locks on source and target: they say at once what the lease would say later."""
    if request.kind not in (RunKind.REHEARSE, RunKind.MIGRATE):
        return None
    home = folders.private(folders.state_home() / "locks")
    for what, name in _names(request):
        lock = folders.Lock(home / name)
        if not lock.acquire(request.run_id):
            by = folders.holder(home / name) or "a run that is just ending"
            return e.Problem(
                f"Another run holds this {what}.",
                request.source if what == "source" else "",
                f"It is {by}.",
                "Wait for it, or end it: zenni-tui status, zenni-tui stop.",
                int(ExitCode.OCCUPIED),
            )
        _held.append(lock)
    return None


def _names(request: Request) -> list[tuple[str, str]]:
    def short(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    names = [("source", f"source-{short(str(Path(request.source).resolve()))}")]
    if request.target is not None:
        place = json.dumps([request.target.get(k) for k in ("host", "port", "dbname")])
        names.append(("target", f"target-{short(place)}"))
    return names


if __name__ == "__main__":
    sys.exit(main())
