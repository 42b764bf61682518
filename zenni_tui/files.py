"""Files that only their owner can read, written whole or not at all."""

import os
from pathlib import Path


def write_private(path: Path, data: bytes) -> None:
    """Write a file of mode 0600 beside its place, on the disk, and move it there; raises OSError that names it."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:  # noqa: PTH123 - a mode is needed
            stream.write(data)
            stream.flush()
            # Without this a power cut after the rename can leave an empty file in the old one's place.
            os.fsync(stream.fileno())
        scratch.replace(path)
    except BaseException as error:
        scratch.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)
        raise
