"""The verbs and what does them."""

from collections.abc import Callable

from .cli import Options
from .model.runbook import RunKind
from .verbs import (
    backup,
    drifting,
    looking,
    papers,
    pruning,
    queries,
    starting,
    steering,
    tasks,
    training,
    watching,
    words,
)


def _updates(options: Options) -> int:
    from .verbs import updates  # noqa: PLC0415 - brings the parsers, which other verbs don't need

    return updates.propose(options)


def _verify(options: Options) -> int:
    if options.against == "live":
        return drifting.verify(options)
    return steering.again("repair" if options.repair else "verify")(options)


VERBS: dict[str | None, Callable[[Options], int]] = {
    None: starting.default,
    "demo": starting.demo,
    "rehearse": starting.run(RunKind.REHEARSE),
    "check": starting.run(RunKind.CHECK),
    "audit": starting.run(RunKind.AUDIT),
    "plan": starting.plan,
    "migrate": starting.run(RunKind.MIGRATE),
    "verify": _verify,
    "rollback": steering.again("rollback"),
    "resume": steering.again("run"),
    "watch": watching.watch,
    "switch": words.switch,
    "finish": words.finish,
    "status": looking.status,
    "attach": steering.attach,
    "stop": steering.stop,
    "pause": steering.steer("pause"),
    "unpause": steering.steer("unpause"),
    "throttle": steering.steer("throttle", "workers", "rows", "mb", "chunk"),
    "logs": looking.logs,
    "backup": backup.backup,
    "documents": papers.write,
    "report": looking.report,
    "metrics": queries.metrics,
    "queries": queries.queries,
    "runs": looking.runs,
    "prune": pruning.prune,
    "explain": looking.explain,
    "completion": looking.completion,
    "tasks": tasks.show,
    "sign": tasks.sign,
    "lessons": training.learn,
    "drill": training.drill,
    "updates": _updates,
}
