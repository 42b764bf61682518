"""Keeps what queries took in the last rehearsal, by source: its target is seldom the one that goes live."""

import hashlib
from pathlib import Path

from zenni_tui.files import write_private
from zenni_tui.model.baseline import Baseline
from zenni_tui.model.record import from_json, to_json

from . import folders


def _file(source: str) -> Path:
    name = hashlib.sha256(str(Path(source).absolute()).encode()).hexdigest()[:16]
    return folders.private(folders.state_home() / "baselines") / f"{name}.json"


def keep(source: str, baseline: Baseline) -> None:
    """Remember the timings of a rehearsal of this source in place of the last one's; raises OSError."""
    write_private(_file(source), to_json(baseline))


def known(source: str) -> Baseline | None:
    """Return the timings of the last rehearsal of this source; raises msgspec.ValidationError for a damaged file."""
    path = _file(source)
    return from_json(path.read_bytes(), Baseline) if path.exists() else None
