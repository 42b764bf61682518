"""The verbs about queries: those in the application's code, and the figures that the config asks for."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from zenni_tui.cli import Options, settings_of
from zenni_tui.config import Settings
from zenni_tui.engine import client, folders, ledger
from zenni_tui.errors import ExitCode, NotReady
from zenni_tui.files import write_private
from zenni_tui.model.measures import MEASURES, Measures, Metric, Reading, changes
from zenni_tui.model.queries import QUERIES, Analysis, in_lines
from zenni_tui.model.record import from_json, to_json
from zenni_tui.model.runbook import RunKind

from .backup import target_of

_SECONDS = 30.0


def queries(options: Options) -> int:
    """Tell what is known of the queries in the application's code, from the last run that has read it or read again."""
    path = _kept(options, QUERIES) if not options.again else _read_again(options)
    if path is None:
        raise nothing_read(str(folders.runs_home()))
    data = path.read_bytes()
    print(data.decode() if options.json else in_lines(from_json(data, Analysis)))
    return int(ExitCode.PASSED)


def metrics(options: Options) -> int:
    """Ask the target for the figures of the last run again, and keep them beside those of before and right after."""
    path = _kept(options, MEASURES)
    if path is None:
        raise nothing_measured(str(folders.runs_home()))
    measures = measured(settings_of(options), path)
    if options.json:
        print(json.dumps(_document(measures), ensure_ascii=False))
    else:
        print("\n".join(lines(measures)))
    return int(ExitCode.PASSED)


def measured(settings: Settings, path: Path) -> Measures:
    """Ask the target for a run's figures again, keep them in its file, and note how they stand. Raises ZenniError."""
    measures = _asked_again(settings, from_json(path.read_bytes(), Measures))
    write_private(path, to_json(measures))
    _note(client.request_of(path.parent).source, measures)
    return measures


def nothing_read(where: str) -> NotReady:
    """Return what tells that no code was read."""
    return NotReady(
        "No run has read the application's code yet.",
        where=where,
        why="It lies in [application] directory, or around the source in a folder with package.json or .env.",
        next_step="Read it and try its queries: zenni-tui rehearse",
    )


def nothing_measured(where: str) -> NotReady:
    """Return what tells that there are no figures."""
    return NotReady(
        "No run has measured anything yet.",
        where=where,
        next_step="Name queries in [metrics] of the config; a rehearsal and the migration measure them.",
    )


def _kept(options: Options, name: str) -> Path | None:
    """Return a file of the run that is named, or of the newest run that has it."""
    runs = [Path(options.run_dir)] if options.run_dir else [Path(run.folder) for run in client.runs()]
    return next((f / name for f in runs if (f / name).exists()), None)


def _read_again(options: Options) -> Path | None:
    """Read the code anew with what the last run knows; a rehearsal that was kept is where its queries are tried."""
    from zenni_tui.steps import queries as reading  # noqa: PLC0415 - brings the drivers, which other verbs don't need

    plan = _kept(options, "plan.json")
    if plan is None:
        return None
    request = client.request_of(plan.parent)
    if request.kind is not RunKind.REHEARSE or not request.keep:
        reading.read_again(plan.parent, request, None)
    else:
        with target_of(settings_of(options), "zenni-tui queries") as target:
            reading.read_again(plan.parent, request, target)
    return plan.with_name(QUERIES)


def _asked_again(settings: Settings, measures: Measures) -> Measures:
    from zenni_tui.steps.measures import read_again  # noqa: PLC0415 - as above
    from zenni_tui.target.asking import Asker  # noqa: PLC0415 - as above

    with target_of(settings, "zenni-tui metrics") as target, target.connect() as connection:
        asker = Asker(connection, measures.schema, _SECONDS)
        found = tuple(read_again(asker, one) for one in measures.metrics)
    return msgspec.structs.replace(measures, metrics=found)


def _note(source: str, measures: Measures) -> None:
    """Note in the ledger how the figures stand: whether each was answered, and was the same right after the move."""
    open_ones = [m.name for m in measures.metrics if m.why or changes(m, *m.readings[:2])]
    words = f"{len(measures.metrics)} metrics; open: {', '.join(open_ones) or 'none'}"
    ledger.note(source, "metrics", client.whoami(), words, ok=not open_ones)


def _document(measures: Measures) -> dict[str, object]:
    """Return the metrics as JSON wants them, each reading with what has changed since the one before."""
    return {"metrics": [{**msgspec.to_builtins(m), "changes": _all_changes(m)} for m in measures.metrics]}


def _all_changes(metric: Metric) -> list[list[str]]:
    pairs = zip(metric.readings, metric.readings[1:], strict=False)
    return [[c.words for c in changes(metric, one, other)] for one, other in pairs]


def lines(measures: Measures) -> Iterator[str]:
    """Yield each metric with what changed from reading to reading."""
    for one in measures.metrics:
        yield f"{one.name}: {one.why or f'{len(one.readings[-1].rows):,} rows'}"
        if one.note:
            yield f"  {one.note}"
        for before, after in zip(one.readings, one.readings[1:], strict=False):
            found = changes(one, before, after)
            yield f"  {_moment(before)} → {_moment(after)}: {f'{len(found)} rows differ' if found else 'the same'}"
            yield from (f"    {c.words}" for c in found)


def _moment(reading: Reading) -> str:
    return f"{reading.place} {datetime.fromtimestamp(reading.at, UTC):%Y-%m-%d %H:%M}Z"
