"""Private files are there whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from zenni_tui.files import write_private


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """A file that is replaced is never half there, and its mode is the owner's whatever the umask."""
    path = tmp_path / "request.json"
    before = os.umask(0)
    try:
        write_private(path, b"one")
        write_private(path, b"two")
    finally:
        os.umask(before)
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [f.name for f in tmp_path.iterdir()] == ["request.json"]


def test_what_could_not_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    """A failed write keeps the old file and takes its half-made one away, which would fill the disk for good."""
    (tmp_path / "place").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_private(tmp_path / "place", b"data")
    assert [p.name for p in tmp_path.iterdir()] == ["place"]
