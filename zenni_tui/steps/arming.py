"""What a run knows of its own arming of the source, and what the source declares at this moment."""

import sqlite3

from zenni_tui.model.record import Record
from zenni_tui.model.schema import SourceSchema
from zenni_tui.source import database, inspect

from .run import Run

_ARMED = "armed.json"


class Armed(Record, frozen=True):
    """The arming that a run relies on: its token, which a snapshot taken afterwards bears as well."""

    token: str


def token(run: Run) -> str:
    """Return the token of the arming that this run relies on, empty before it."""
    return run.load(_ARMED, Armed).token if (run.folder / _ARMED).exists() else ""


def keep(run: Run, token: str) -> None:
    """Keep the token of an arming."""
    run.save(_ARMED, Armed(token))


async def declared(run: Run, *, counted: bool = True) -> SourceSchema:
    """Return what the application's own file declares now, as `inspect.read_schema` does; raises NotReady."""
    try:
        connection = await database.connect_live(run.source)
        try:
            return await inspect.read_schema(connection, counted=counted)
        finally:
            await connection.close()
    except sqlite3.Error as error:
        raise database.unreadable(run.source, error) from error
