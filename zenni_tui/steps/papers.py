"""What the target keeps of a run's directory, so that a run outlives it."""

import zlib
from pathlib import Path

import msgspec

from zenni_tui.report import card
from zenni_tui.target import bookkeeping

from .actions import at_target
from .run import Run

_NAMES = (
    "request.json",
    "armed.json",
    "schema.json",
    "profiles.json",
    "decided.json",
    "choices.json",
    "plan.json",
    "schema.sql",
    "events.jsonl",
    "refused.version",
    "captured.fingerprint",
    "kept.db",
    card.CARD,
    card.FORWARD,
    card.SHUT,
    card.BACK,
)
"""All that a later engine needs but the snapshot, which is as large as the source; none of it holds a secret."""


def packed(folder: Path) -> bytes:
    """Return the papers of a run directory in one compressed piece."""
    there = [n for n in _NAMES if (folder / n).exists()]
    return zlib.compress(msgspec.msgpack.encode({n: (folder / n).read_bytes() for n in there}))


def unpacked(papers: bytes) -> dict[str, bytes]:
    """Return papers by name; names that are none of ours are passed over."""
    found = msgspec.msgpack.decode(zlib.decompress(papers), type=dict[str, bytes])
    return {name: data for name, data in found.items() if name in _NAMES}


async def renew(run: Run) -> None:
    """Keep the papers as they stand now, for an engine that finds the run's directory lost; raises ZenniError."""
    newest = packed(run.folder)
    await at_target(run, "the papers", lambda c: bookkeeping.keep_papers(c, run.request.run_id, newest))
