"""What would help against an alert, as SQL with every name quoted by the driver; `deeds` does it.

Facts: https://www.postgresql.org/docs/current/sql-createindex.html (CONCURRENTLY), /docs/current/explicit-locking.html.
"""

from collections.abc import Callable

from psycopg import sql

from zenni_tui.model.vitals import Alert, Remedy

_NAME_BYTES = 63
Names = tuple[str, ...]


def _sql(text: str, *names: sql.Composable) -> str:
    return sql.SQL(text).format(*names).as_string()


def _id(*names: str) -> sql.Identifier:
    return sql.Identifier(*names)


def _foreign_key_index(names: Names) -> tuple[Remedy, ...]:
    schema, table, *columns = names
    name = "_".join((table, *columns, "idx")).encode()[:_NAME_BYTES].decode(errors="ignore")
    made = _sql(
        "CREATE INDEX CONCURRENTLY {} ON {} ({})", _id(name), _id(schema, table), sql.SQL(", ").join(map(_id, columns))
    )
    effect = "Reads the table twice beside the application, which goes on writing; waits for open transactions to end."
    return (Remedy("make the index", (made,), effect, alone=True, patient=True),)


def _dead_rows(names: Names) -> tuple[Remedy, ...]:
    schema, table, off = names
    vacuum = _sql("VACUUM (ANALYZE) {}", _id(schema, table))
    effect = "Clears dead rows away beside the application. Rows that an old transaction may still see stay."
    found = [Remedy("vacuum the table", (vacuum,), effect, alone=True)]
    if off:
        on = _sql("ALTER TABLE {} RESET (autovacuum_enabled)", _id(schema, table))
        found += [Remedy("let autovacuum mind it again", (on,), "Nobody waits for it.")]
    return tuple(found)


def _bloat(names: Names) -> tuple[Remedy, ...]:
    whole = _sql("VACUUM (FULL, ANALYZE) {}", _id(*names))
    effect = "Writes the table anew. LOCKS it against all reads and writes meanwhile, and needs room for a copy."
    return (Remedy("write the table anew", (whole,), effect, "VACUUM FULL", alone=True),)


def _unused_index(names: Names) -> tuple[Remedy, ...]:
    dropped = _sql("DROP INDEX CONCURRENTLY {}", _id(*names))
    effect = "The index is gone; its definition is kept in zenni_tui.deed, to make it again."
    return (Remedy("drop the index", (dropped,), effect, "DROP", alone=True, patient=True),)


def _invalid_index(names: Names) -> tuple[Remedy, ...]:
    again = _sql("REINDEX INDEX CONCURRENTLY {}", _id(*names))
    dropped = _sql("DROP INDEX CONCURRENTLY {}", _id(*names))
    return (
        Remedy(
            "build it again", (again,), "Beside the application; waits for open transactions.", alone=True, patient=True
        ),
        Remedy("drop it", (dropped,), "Nobody could use it anyhow.", "DROP", alone=True, patient=True),
    )


def _not_valid(names: Names) -> tuple[Remedy, ...]:
    schema, table, name = names
    checked = _sql("ALTER TABLE {} VALIDATE CONSTRAINT {}", _id(schema, table), _id(name))
    effect = "Reads the table beside the application; fails if a row breaks it."
    return (Remedy("check the old rows", (checked,), effect, reshapes=True),)


def _sequence(names: Names) -> tuple[Remedy, ...]:
    schema, name, table, column, kind = names
    # The column's table lies in the sequence's schema when the sequence is its own, as PostgreSQL demands.
    widened = _sql("ALTER TABLE {} ALTER COLUMN {} TYPE bigint", _id(schema, table), _id(column)) if table else ""
    counter = _sql("ALTER SEQUENCE {} AS bigint NO MAXVALUE", _id(schema, name))
    if kind in {"int2", "int4"}:
        effect = (
            "Writes the table anew and LOCKS it meanwhile. Foreign keys that refer to it keep their own type, and"
            " schema.prisma must say BigInt."
        )
        return (Remedy("widen column and sequence", (widened, counter), effect, "REWRITE", reshapes=True),)
    return (Remedy("widen the sequence", (counter,), "At once; writers wait for a moment."),)


def _end_session(names: Names) -> tuple[Remedy, ...]:
    """Return what frees others of a session: its number, its start and, where it is known, its state."""
    if not names:
        return ()
    pid, started, *state = names
    who = "FROM pg_stat_activity WHERE pid = {} AND backend_start = {}"
    one = sql.Literal(int(pid)), sql.Literal(started)
    ended = _sql(f"SELECT pg_terminate_backend(pid, 5000) {who}", *one)
    lost = "Its transaction is rolled back; its application sees a lost connection."
    found = [Remedy("end the session", (ended,), lost, "END")]
    if not any(word.startswith("idle") for word in state):
        cancelled = _sql(f"SELECT pg_cancel_backend(pid) {who}", *one)
        found.insert(0, Remedy("cancel its query", (cancelled,), "The query fails in its application.", "CANCEL"))
    return tuple(found)


def _idle(names: Names) -> tuple[Remedy, ...]:
    limit = _sql("ALTER ROLE {} SET idle_in_transaction_session_timeout = '5min'", _id(names[2]))
    bound = Remedy("bound it for this role", (limit,), "New sessions of the role that idle so long are ended.")
    return (*_end_session((*names[:2], "idle")), bound)


def _connections(names: Names) -> tuple[Remedy, ...]:
    return tuple(
        Remedy(
            f"let idle sessions of {role} end",
            (_sql("ALTER ROLE {} SET idle_session_timeout = '10min'", _id(role)),),
            "New sessions of the role that idle for ten minutes are ended; a pool opens others when it needs them.",
        )
        for role in names
        if role
    )


def _pool(names: Names) -> tuple[Remedy, ...]:
    free = _sql("ALTER ROLE {} CONNECTION LIMIT -1", _id(names[0]))
    lifted = Remedy("lift the role's own limit", (free,), "Other roles may then find no connection left.", "LIFT")
    return (*_connections(names), lifted)


def _temp_files(names: Names) -> tuple[Remedy, ...]:
    more = _sql("ALTER ROLE {} SET work_mem = '16MB'", _id(names[0]))
    return (
        Remedy("more memory for sorting", (more,), "Each sort or hash of the role's new sessions may take so much."),
    )


def _slot(names: Names) -> tuple[Remedy, ...]:
    dropped = _sql("SELECT pg_drop_replication_slot({})", sql.Literal(names[0]))
    return (Remedy("drop the slot", (dropped,), "Whoever reads it must start anew from a copy.", "DROP SLOT"),)


def _row_security(names: Names) -> tuple[Remedy, ...]:
    secured = _sql("ALTER TABLE {} ENABLE ROW LEVEL SECURITY", _id(*names))
    revoked = _sql("REVOKE ALL ON {} FROM anon, authenticated", _id(*names))
    return (
        Remedy("switch row security on", (secured,), "LOCKS the table for a moment. Roles other than its owner see"
               " no row until a policy lets them.", "SECURE"),
        Remedy("take the Data API's rights", (revoked,), "The Data API no longer reaches the table."),
    )  # fmt: skip


_REMEDIES: dict[str, Callable[[Names], tuple[Remedy, ...]]] = {
    "watch_foreign_key_index": _foreign_key_index,
    "watch_dead_rows": _dead_rows,
    "watch_bloat": _bloat,
    "watch_unused_index": _unused_index,
    "watch_invalid_index": _invalid_index,
    "watch_not_valid": _not_valid,
    "watch_sequence": _sequence,
    "watch_lock_wait": _end_session,
    "watch_slow_query": _end_session,
    "watch_long_transaction": lambda names: _end_session(names[:2]),
    "watch_idle_in_transaction": _idle,
    "watch_connections": _connections,
    "watch_pool": _pool,
    "watch_temp_files": _temp_files,
    "watch_slot": _slot,
    "watch_open_to_api": _row_security,
}


def remedies(alert: Alert) -> tuple[Remedy, ...]:
    """Return what would help against an alert; none where SQL can't."""
    make = _REMEDIES.get(alert.code)
    return make(alert.names) if make and alert.names else ()
