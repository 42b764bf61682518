"""What the target keeps of a run's directory, so that a run outlives it."""

import base64
import json
import zlib
from pathlib import Path

_NAMES = (
    "request.json",
    "schema.json",
    "profiles.json",
    "decided.json",
    "choices.json",
    "plan.json",
    "schema.sql",
    "events.jsonl",
)
"""All that a later engine needs but the snapshot, which is as large as the source; none of it holds a secret."""


def packed(folder: Path) -> bytes:
    """Return the papers of a run directory in one compressed piece."""
    there = [n for n in _NAMES if (folder / n).exists()]
    papers = {n: base64.b85encode((folder / n).read_bytes()).decode() for n in there}
    return zlib.compress(json.dumps(papers).encode())


def unpacked(papers: bytes) -> dict[str, bytes]:
    """Return papers by name; names that are none of ours are passed over."""
    found = json.loads(zlib.decompress(papers))
    return {name: base64.b85decode(text) for name, text in found.items() if name in _NAMES}
