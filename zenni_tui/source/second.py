"""The second copy of the snapshot, in a place of the operator's: proven by its hash and by opening it."""

import asyncio
import os
import shutil
from pathlib import Path

from zenni_tui.errors import StepFailed

from . import snapshot


async def keep(original: Path, folder: Path, name: str, digest: str) -> Path:
    """Copy the snapshot to `folder/name`, read it back, and let SQLite check what was read; returns its place.

    Raises StepFailed when it can't be written or isn't the same, NotReady when SQLite finds it damaged.
    """
    place = folder / name
    scratch = place.with_name(f"{name}.new")
    try:
        await asyncio.to_thread(_write, original, scratch)
        back = await asyncio.to_thread(snapshot.sha256, scratch)
        if back != digest:
            raise StepFailed(
                "The second copy is not the same as the first.",
                where=str(scratch),
                why=f"Read back, its SHA-256 is {back}; the snapshot's is {digest}.",
                next_step="Don't trust that disk: name another folder in [source] second_copy, then resume.",
            )
        await snapshot.integrity(scratch)
        await asyncio.to_thread(scratch.replace, place)
    except OSError as error:
        raise StepFailed(
            "The second copy could not be written.",
            where=str(place),
            why=error.strerror or str(error),
            next_step="Free some space there or name another folder in [source] second_copy, then resume.",
        ) from error
    return place


def _write(original: Path, scratch: Path) -> None:
    scratch.unlink(missing_ok=True)
    with (
        original.open("rb") as source,
        open(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as sink,  # noqa: PTH123 - a mode is needed
    ):
        shutil.copyfileobj(source, sink, 1 << 20)
        sink.flush()
        os.fsync(sink.fileno())
