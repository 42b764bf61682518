"""The verbs that the wizard has in its list of tools, each for the run that is looked at."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from zenni_tui.cli import Options
from zenni_tui.config import Settings
from zenni_tui.engine import client, pruning, tasks
from zenni_tui.errors import Occupied
from zenni_tui.model.codes import CODES
from zenni_tui.model.measures import MEASURES
from zenni_tui.model.queries import QUERIES, Analysis, in_lines
from zenni_tui.model.record import from_json
from zenni_tui.ui.tools import Paper, Tool

from . import backup, drifting, papers, queries
from .orders import upkeep_of

Engage = Callable[[Path, str], None]
"""Starts an engine on a run for one of its actions."""


def tools_of(settings: Settings, options: Options, engage: Engage) -> tuple[Tool, ...]:
    """Return the tools, those first that are wanted between the plan and the switch."""
    return (
        Tool("updates", "the application's own changes for PostgreSQL, as a patch", partial(_updates, settings)),
        Tool("queries", "the SQL in the application's code: what must change, what was proven", _queries),
        Tool(
            "metrics",
            "your figures of [metrics] in the target now, beside those of before",
            partial(_metrics, settings),
        ),
        Tool(
            "verify",
            "compare every row of the target with the snapshot once more",
            partial(_again, engage, "verify"),
            "An engine compares all rows again, and changes nothing. Its run is shown.",
        ),
        Tool(
            "repair",
            "load the rows again that differed, then compare",
            partial(_again, engage, "repair"),
            "An engine writes to the target: just the rows that the last comparison found different. Then it compares"
            " all of them.",
        ),
        Tool(
            "drift",
            "after go-live: which migrated rows are as they were, and do all rules stand",
            partial(_drift, options),
            "Every migrated row of the live target is read and compared with the snapshot. Nothing is changed.",
        ),
        Tool(
            "backup",
            "a dump of the target, restored elsewhere and compared before it counts",
            partial(_backup, settings),
            "The target is dumped, and the dump restored into a PostgreSQL of this machine and compared. The target is"
            " only read. It takes about as long as the copy did.",
        ),
        Tool("documents", "what the team needs to know of the new database", partial(_documents, settings, options)),
        Tool("report", "the run's report, written anew as text and as a page", partial(_report, settings)),
        Tool("prune", "which snapshots of earlier runs nothing needs any more", _prune),
        Tool("codes", "what each finding's code means, and what to do", _codes),
    )


def _updates(settings: Settings, run: Path) -> Paper:
    from . import updates  # noqa: PLC0415 - brings the parsers, which other tools don't need

    story, where = updates.proposed(settings, run)
    step = f"In the project's folder: git apply {where}/{updates.PATCH}"
    return Paper(
        story, where, f"{step}. The changed files lie beside it, under {updates.FILES}. Nothing is applied yet."
    )


def _queries(run: Path) -> Paper:
    path = run / QUERIES
    if not path.exists():
        raise queries.nothing_read(str(run))
    return Paper(in_lines(from_json(path.read_bytes(), Analysis)), str(path))


def _metrics(settings: Settings, run: Path) -> Paper:
    path = run / MEASURES
    if not path.exists():
        raise queries.nothing_measured(str(run))
    return Paper("\n".join(queries.lines(queries.measured(settings, path))), str(path))


def _again(engage: Engage, action: str, run: Path) -> None:
    if client.Follower(run).alive:
        raise Occupied(
            "An engine is at work on this run already.", where=str(run), next_step="Wait until it has ended."
        )
    engage(run, action)


def _drift(options: Options, run: Path) -> Paper:
    return Paper("\n".join(drifting.lines(drifting.looked(options, run))))


def _backup(settings: Settings, _: Path) -> Paper:
    told: list[str] = []
    proved = backup.take(settings, "", told.append)
    return Paper("\n".join([*told, proved.words]), proved.taken.file, "Keep a copy of it on another machine.")


def _documents(settings: Settings, options: Options, run: Path) -> Paper:
    folder = papers.written(run, None, upkeep_of(settings, options))
    names = sorted(p.name for p in folder.iterdir() if p.is_file())
    return Paper("\n".join(names), str(folder), "Hand them to whoever works with the new database.")


def _report(settings: Settings, run: Path) -> Paper:
    from zenni_tui.report import document, evidence  # noqa: PLC0415 - for this tool only

    follower = client.Follower(run)
    follower.poll()
    views = tasks.standing(client.request_of(run).source, settings.timeline)
    evidence.write(run, follower.state, views)
    text = document.markdown(evidence.report(run, follower.state, views))
    return Paper(text, str(run / evidence.HTML), "Open the page in a browser, or attach the folder to a ticket.")


def _prune(_: Path) -> Paper:
    lines = [f"{s.run_id:40} {s.size / 1e6:12,.1f} MB" for s in pruning.spare()]
    if not lines:
        return Paper("Nothing can go: each snapshot is its source's newest, or its run may still need it.")
    return Paper("\n".join(lines), next_step="They hold customers' data. To delete them: zenni-tui prune --yes")


def _codes(_: Path) -> Paper:
    return Paper("\n\n".join(f"{code}\n    {CODES[code]}" for code in sorted(CODES)))
