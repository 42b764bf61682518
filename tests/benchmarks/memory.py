"""The peak memory of engine and workers as rows and single values grow.

Each size is a whole run, `rehearse` without its undo. What counts is the largest VmHWM that any process of a kind
reached. "Beyond the largest row" takes the bytes of the largest single value off.
"""

from functools import partial
from pathlib import Path

from large import large_value

from .figures import Claim
from .ground import Ground, Prepared
from .peaks import MB, Peaks

_LIMIT = 200.0
_ROWS, _LARGE_ROWS = (100_000, 1_000_000), (10_000_000,)
_VALUES, _LARGE_VALUES = (12_000_000,), (100_000_000,)


def measure(ground: Ground) -> list[Claim]:
    """Run each size once: a peak is not a matter of luck."""
    claims = []
    for rows in _sizes(ground):
        peaks = _run(ground, ground.bookings(rows))
        print(f"  {rows:,} bookings: {peaks}", flush=True)
        claims.append(Claim(f"MB of the largest process, {rows:,} rows", max(peaks.engine, peaks.worker), _LIMIT))
    for size in (*_VALUES, *(_LARGE_VALUES if ground.large else ())):
        for kind in ("BLOB", "TEXT"):
            peaks = _run(ground, ground.made(f"{kind.lower()}-{size}", partial(large_value, kind=kind, size=size)))
            beyond = max(peaks.engine, peaks.worker) - size / MB
            print(f"  one {kind} of {size / MB:.0f} MB: {peaks}", flush=True)
            claims.append(Claim(f"MB beyond the largest row, one {kind} of {size / MB:.0f} MB", beyond, _LIMIT))
    return claims


def _sizes(ground: Ground) -> tuple[int, ...]:
    asked = tuple(r for r in _ROWS if r <= max(ground.rows, _ROWS[0]))
    return (*asked, *(_LARGE_ROWS if ground.large else ()))


def _run(ground: Ground, source: Path) -> Peaks:
    peaks = Peaks()
    prepared = Prepared(ground, source, look=peaks.look)
    with ground.database() as database:
        prepared.trial(database).end(peaks.look)
    prepared.remove()
    return peaks
