"""Vitals that the server's statistics don't tell: the application's error rate, queries against their rehearsal."""

import asyncio
from collections.abc import Mapping, Sequence

from zenni_tui.application import figures
from zenni_tui.engine import folders
from zenni_tui.errors import StepFailed
from zenni_tui.model.baseline import Timing
from zenni_tui.model.vitals import Limits, Sign, Vital

from .signs import LOWER, beyond, there
from .words import share, things

_PATIENCE = 10.0
TIMES = 3
"""As many times of a query are kept."""


async def error_rate(limits: Limits) -> Vital:
    """Return the error rate that the application tells; that it can't be read is an alarm of its own."""
    if not (limits.error_rate or limits.error_url):
        words = "not asked: [watch] error_rate or error_url"
        return Vital("error_rate", "error rate", words)
    try:
        rate = await _asked(limits)
    except StepFailed as error:
        sign = there("watch_figure", "error rate", f"{error.what} {error.where}: {error.why}.")
        return Vital(
            "error_rate", "error rate", f"unread: {error.why}", unseen=error.next_step, blind=True, signs=(sign,)
        )
    text = f"The application reports an error rate of {share(rate)}; [watch] errors allows {share(limits.errors)}."
    sign = beyond("watch_error_rate", "application", rate, limits.errors, text)
    return Vital("error_rate", "error rate", share(rate), rate, signs=(sign,))


async def _asked(limits: Limits) -> float:
    if limits.error_rate:
        return await figures.printed(limits.error_rate, limits.error_field, folders.state_home(), _PATIENCE)
    return await asyncio.to_thread(figures.served, limits.error_url, limits.error_field, _PATIENCE)


def timings(baseline: Sequence[Timing], taken: Mapping[str, Sequence[float]], limits: Limits) -> Vital:
    """Return how long the queries of the rehearsal take now; `taken` holds each one's last milliseconds.

    A query is slower when all of its last times are: one slow time is weather.
    """
    if not baseline:
        return Vital("timings", "query timings", "no baseline: [queries], and a rehearsal with them")
    signs = tuple(_slower(q, taken[q.name], limits) for q in baseline if len(taken.get(q.name, ())) >= TIMES)
    slow = [s for s in signs if s.value >= s.raise_at]
    rows = tuple(
        (q.name, f"{q.median_ms:.1f} ms", f"{last[-1]:.1f} ms" if (last := taken.get(q.name)) else "not yet", q.sql)
        for q in baseline
    )
    words = f"{things(len(slow), 'query', 'queries')} slower than rehearsed" if slow else "as rehearsed"
    worst = max((s.value for s in signs), default=None)
    columns = ("query", "rehearsed", "now", "SQL")
    return Vital("timings", "query timings", f"{words}, of {len(baseline)}", worst, columns, rows, signs=signs)


def _slower(query: Timing, taken: Sequence[float], limits: Limits) -> Sign:
    least = min(taken)
    factor = least / max(query.median_ms, 0.001)
    text = (
        f"Query {query.name} of [queries] takes {least:.0f} ms, {factor:.1f} times the {query.median_ms:.1f} ms of the"
    )
    text += " rehearsal."
    # A factor of next to nothing is nothing.
    most = limits.query_factor if least - query.median_ms >= limits.query_ms else float("inf")
    return Sign("watch_query_slower", query.name, factor, most, limits.query_factor * LOWER, text)
