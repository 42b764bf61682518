"""The verb that tells what is known of the queries in the application's code."""

from pathlib import Path

from zenni_tui.cli import Options
from zenni_tui.engine import client, folders
from zenni_tui.errors import ExitCode, NotReady
from zenni_tui.model.queries import QUERIES, Analysis, in_lines
from zenni_tui.model.record import from_json


def queries(options: Options) -> int:
    """Tell what is known of the queries in the application's code: from the live run, or the last that has read it."""
    folder = Path(options.run_dir) if options.run_dir else _read_by()
    path = folder / QUERIES if folder is not None else None
    if path is None or not path.exists():
        raise NotReady(
            "No run has read the application's code yet.",
            where=str(folder or folders.runs_home()),
            why="The code is looked for beside the source: a folder with a package.json or an .env.",
            next_step="Read it and try its queries: zenni-tui rehearse",
        )
    data = path.read_bytes()
    print(data.decode() if options.json else in_lines(from_json(data, Analysis)))
    return int(ExitCode.PASSED)


def _read_by() -> Path | None:
    found = (Path(run.folder) for run in client.runs())
    return next((f for f in found if (f / QUERIES).exists()), None)
