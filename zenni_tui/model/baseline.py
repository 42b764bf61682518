"""What the queries of `[queries]` took when they were rehearsed: what the watch compares with after go-live."""

from .record import Record


class Timing(Record, frozen=True):
    """One query: its name, its PostgreSQL form, and the median of its planning and execution in milliseconds.

    The times are the server's own, as EXPLAIN (ANALYZE, TIMING OFF) gives them, so that no line's length counts.
    """

    name: str
    sql: str
    median_ms: float


class Baseline(Record, frozen=True):
    """The timings of one rehearsal; `at` in seconds since 1970 UTC."""

    run_id: str
    at: float
    timings: tuple[Timing, ...]
