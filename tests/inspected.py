"""A file's schema as the program inspects it, for tests of what builds on it."""

import asyncio
from pathlib import Path

from zenni_tui.model.schema import SourceSchema
from zenni_tui.source import inspect
from zenni_tui.source.database import connect_frozen


def schema_of(path: Path) -> SourceSchema:
    """Return the schema of a file that nobody writes."""
    return asyncio.run(_read(path))


async def _read(path: Path) -> SourceSchema:
    database = await connect_frozen(path)
    try:
        return await inspect.read_schema(database)
    finally:
        await database.close()
