"""The verb `verify --against live`: the target's rows and rules days after the switch."""

import contextlib
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from zenni_tui.cli import Options
from zenni_tui.engine import client, ledger
from zenni_tui.errors import ExitCode, NotReady
from zenni_tui.model.drift import Drift, TableDrift
from zenni_tui.model.request import Request
from zenni_tui.users import user

from .looking import chosen
from .starting import password_of

_HEAD = ("table", "then", "now", "same", "changed", "gone", "new")


def verify(options: Options) -> int:
    """Compare the last run's snapshot with its target as it is now; returns 1 when rules or whole tables are lost."""
    folder = chosen(options)
    print(f"Comparing {folder.name}'s snapshot with its target ...", file=sys.stderr)
    found = looked(options, folder)
    code = ExitCode.PASSED if found.sound else ExitCode.FAILED
    if options.json:
        print(json.dumps(document(found, code), ensure_ascii=False))
    else:
        print("\n".join(lines(found)))
    return int(code)


def looked(options: Options, folder: Path) -> Drift:
    """Compare a run's snapshot with its target as it is now, and note what was found; raises ZenniError."""
    from zenni_tui.target.connect import Target  # noqa: PLC0415 - brings the drivers, which other verbs don't need
    from zenni_tui.watch import drift  # noqa: PLC0415 - as above

    request = client.request_of(folder)
    if request.target is None:
        raise NotReady(
            "The run's target was an embedded PostgreSQL, which ended with it.",
            where=str(folder),
            next_step="Name a run that went to a PostgreSQL of yours: --run-dir DIR (zenni-tui runs).",
        )
    with _password(options, request) as password:
        target = Target(request.target, password, name=f"zenni-tui drift {request.run_id}")
        found = drift.look(folder, request.run_id, target)
    rows = sum(t.rows_then for t in found.tables)
    words = f"{rows:,} migrated rows looked at, {found.checks:,} checks, {len(found.structure)} not as planned"
    ledger.note(request.source, "drift", user(), words, ok=found.sound)
    return found


@contextlib.contextmanager
def _password(options: Options, request: Request) -> Iterator[str | None]:
    """Yield the target's password; the demo's own server is kept running meanwhile."""
    if request.demo is None:
        yield password_of(options, request)
        return
    from zenni_tui.sandbox import demo as sandbox  # noqa: PLC0415 - brings the server's launcher

    with sandbox.open_demo(Path(request.demo)) as made:
        yield made.target["password"]


def document(found: Drift, code: ExitCode) -> dict[str, object]:
    """Return the look as JSON wants it."""
    parts: dict[str, object] = msgspec.to_builtins(found)
    return {**parts, "sound": found.sound, "exit_code": int(code)}


def lines(found: Drift) -> Iterator[str]:
    """Yield the look for people."""
    at = datetime.fromtimestamp(found.at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    live = f"live since {found.live_since}" if found.live_since else "not marked as live"
    yield f"{found.target} at {at}, {live}; compared with the snapshot of {found.run_id}"
    cells = [_HEAD, *(_cells(t) for t in found.tables)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(_HEAD))]
    for row in cells:
        counts = (c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))
        yield " ".join((f"  {row[0].ljust(widths[0])}", *counts))
    for table in found.tables:
        if table.columns:
            worst = sorted(table.columns.items(), key=lambda pair: -pair[1])
            yield f'  changed in "{table.name}": ' + ", ".join(f"{name} {count:,}" for name, count in worst)
        if table.keyless:
            yield f'  "{table.name}" has no key: a changed row counts as gone and as new'
        if table.lost:
            yield f'LOST: none of the {table.rows_then:,} rows that were migrated into "{table.name}" is left'
    for name in found.absent:
        yield f'LOST: table "{name}" is not there'
    for text in found.structure:
        yield f"RULE: {text}"
    yield f"{found.checks:,} checks of the structure, {len(found.structure) + len(found.absent)} not as planned"
    yield "What the application itself wrote is among changed, gone and new: nobody recorded which."


def _cells(table: TableDrift) -> tuple[str, ...]:
    counts = (table.rows_then, table.rows_now, table.unchanged, table.changed, table.gone, table.new)
    return (table.name, *(f"{n:,}" for n in counts))
