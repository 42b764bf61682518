"""The ninth rung: how far and how wide is the line, and so how long the copy takes at least."""

import statistics
import time

import asyncpg

from .ground import Ground, Rung

_ROUNDS = 5
_FIRST = 4 * 1024
_MOST = 8 * 1024 * 1024
_LONG_ENOUGH = 0.5
_MEGA = 1e6
_MINUTE = 60


async def look(ground: Ground) -> Rung:
    """Time empty questions, then questions with a long value that the server only counts; nothing is written."""
    link = await ground.link()
    trip = await _trip(ground, link)
    rate = ground.rate = await _rate(ground, link, trip)
    text = f"round trip {trip * 1000:.1f} ms, upload {rate / _MEGA:.1f} MB/s"
    if ground.load:
        text += f"; {ground.load:,} bytes take at least {_span(ground.load / rate)}"
    return Rung(f"{_ROUNDS} empty questions, then values up to {_MOST // 2**20} MB that the server only counts", text)


async def _trip(ground: Ground, link: "asyncpg.Connection[asyncpg.Record]") -> float:
    times = []
    for _ in range(_ROUNDS):
        started = time.monotonic()
        await ground.bounded(link.execute("SELECT 1"))
        times.append(time.monotonic() - started)
    return statistics.median(times)


async def _rate(ground: Ground, link: "asyncpg.Connection[asyncpg.Record]", trip: float) -> float:
    """Return bytes per second; what is sent doubles until it takes long enough to be told from the round trip."""
    with ground.guarded():
        async with link.transaction(readonly=True):
            return await _widened(ground, link, trip)


async def _widened(ground: Ground, link: "asyncpg.Connection[asyncpg.Record]", trip: float) -> float:
    size = _FIRST
    await ground.bounded(link.fetchval("SELECT octet_length($1::bytea)", b""))
    while True:
        started = time.monotonic()
        await ground.bounded(link.fetchval("SELECT octet_length($1::bytea)", bytes(size)))
        seconds = time.monotonic() - started
        if seconds >= _LONG_ENOUGH or size >= _MOST:
            return size / max(seconds - 2 * trip, seconds / 4)
        size = min(size * 4, _MOST)


def _span(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{max(seconds, 0.1):.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    return f"{minutes // _MINUTE} h {minutes % _MINUTE} min" if minutes >= _MINUTE else f"{minutes} min {rest} s"
