"""What the watch makes of figures: raised once, cleared once, nothing flickers, nothing is judged unseen."""

import msgspec
import pytest

from zenni_tui.model import statistics as s
from zenni_tui.model.baseline import Timing
from zenni_tui.model.vitals import Alert, Limits, Sign, Vital
from zenni_tui.target.remedies import remedies
from zenni_tui.watch import judge, outside, rules, sessions, storage, work

DAY = 86_400.0
SERVER = s.ServerFacts(
    170000,
    "app",
    100,
    -1,
    monitor=True,
    standby=False,
    read_only=False,
    autovacuum=True,
    bytes=10_000_000,
    counted=-1,
    wraparound=1000,
    statements="",
    supabase=False,
)
FACTS = s.Facts(10 * DAY, SERVER)


def facts(**parts: object) -> s.Facts:
    """Return facts with some parts changed."""
    return msgspec.structs.replace(FACTS, **parts)


def session(pid: int, **parts: object) -> s.SessionFacts:
    """Return an idle session of the application's."""
    idle = s.SessionFacts(
        pid,
        f"start {pid}",
        "app",
        "web",
        here=True,
        seen=True,
        state="idle",
        running=0,
        transaction=0,
        idle=1,
        query="",
    )
    return msgspec.structs.replace(idle, **parts)


def full(part: float, *, asleep: bool = False) -> Vital:
    """Return a vital with one sign, raised from 0.8 on and cleared below 0.7."""
    return Vital("pool", "pool", "", signs=(Sign("watch_pool", "app", part, 0.8, 0.7, "full", asleep=asleep),))


def keys(alerts: tuple[Alert, ...]) -> list[tuple[str, float]]:
    """Return codes and when they were raised."""
    return [(a.code, a.since) for a in alerts]


def test_nothing_flickers_between_two_limits() -> None:
    """Raised at 0.8, kept at 0.75, cleared at 0.69, not raised again at 0.75."""
    raised: tuple[Alert, ...] = ()
    story = []
    for at, part in enumerate((0.75, 0.8, 0.75, 0.9, 0.69, 0.75)):
        new = judge.settle([full(part)], raised, float(at))
        story.append(tuple(len(side) for side in judge.changed(raised, new)))
        raised = new
    assert story == [(0, 0), (1, 0), (0, 0), (0, 0), (0, 1), (0, 0)]


def test_an_alert_keeps_its_beginning() -> None:
    """The time at which something was raised stays while its words are renewed."""
    first = judge.settle([full(0.9)], (), 1.0)
    later = judge.settle([full(0.95)], first, 2.0)
    assert keys(later) == [("watch_pool", 1.0)]
    assert (later[0].value, later[0].seen) == (0.95, 2.0)


def test_what_is_not_seen_is_not_cleared() -> None:
    """A vital that is blind, or missing since the target is away, leaves its alerts as they were."""
    raised = judge.settle([full(0.9)], (), 1.0)
    assert keys(judge.settle([Vital("pool", "pool", "", blind=True)], raised, 2.0)) == [("watch_pool", 1.0)]
    assert keys(judge.settle([Vital("reach", "reach", "")], raised, 2.0)) == [("watch_pool", 1.0)]
    assert judge.settle([Vital("pool", "pool", "")], raised, 2.0) == ()


def test_sessions_that_can_not_be_read_clear_nothing() -> None:
    """When pg_stat_activity does not answer, nobody is said to have let go of a lock."""
    unread = facts(unseen={"sessions": "No answer."})
    seen = judge.vitals(unread, None, Limits())
    assert [v.id for v in seen if v.blind] == [
        "connections",
        "pool",
        "queries",
        "locks",
        "transactions",
        "cache",
        "counters",
    ]


def test_what_sleeps_stays_for_an_hour() -> None:
    """A sign without news neither raises nor clears; an hour after the last news it clears."""
    assert judge.settle([full(0.9, asleep=True)], (), 1.0) == ()
    raised = judge.settle([full(0.9)], (), 1.0)
    assert keys(judge.settle([full(0.0, asleep=True)], raised, 3000.0)) == [("watch_pool", 1.0)]
    assert judge.settle([full(0.0, asleep=True)], raised, 3602.0) == ()


def test_what_is_known_and_accepted_is_not_raised() -> None:
    """An alert that the config names, by its code or by code and subject, is not raised, and clears when it was."""
    raised = judge.settle([full(0.9)], (), 1.0)
    for known in ("watch_pool", "watch_pool/app", "watch_*/a*"):
        assert judge.settle([full(0.9)], raised, 2.0, (known,)) == ()
    assert keys(judge.settle([full(0.9)], (), 1.0, ("watch_pool/other",))) == [("watch_pool", 1.0)]


def test_the_root_of_a_chain_of_waiting_is_named() -> None:
    """Two wait for one who waits for a third, who holds: one alert, the third's; a circle has no root."""
    chain = (
        session(1, blockers=(2,), waiting=9.0, relation="public.t"),
        session(4, blockers=(2,), waiting=7.0, relation="public.t"),
        session(2, blockers=(3,), waiting=8.0, relation="public.t"),
        session(3, state="idle in transaction"),
    )
    (sign,) = sessions.locks(facts(sessions=chain), Limits()).signs
    assert sign.names == ("3", "start 3", "idle in transaction")
    assert (sign.value, sign.raise_at) == (9.0, 5.0)
    assert "3 sessions wait up to 9.0 s for a lock on public.t: pid 3" in sign.text
    circle = (session(1, blockers=(2,), waiting=9.0), session(2, blockers=(1,), waiting=9.0))
    assert sessions.locks(facts(sessions=circle), Limits()).signs == ()


def test_an_index_is_called_unused_after_a_week_only() -> None:
    """What nobody reads is raised when the watch and the statistics are a week old, unless a rule rests on it."""
    unused = s.IndexFacts("public", "t", "i", 0, 20_000_000, rule=False, valid=True, building=False)
    rule = msgspec.structs.replace(unused, name="key", rule=True)
    found, old, new = facts(indexes=(unused, rule)), s.Before(9 * DAY, 1 * DAY), s.Before(9 * DAY, 4 * DAY)
    assert [x.code for x in rules.indexes(found, old, Limits()).signs] == ["watch_unused_index"]
    assert rules.indexes(found, new, Limits()).signs == ()
    assert rules.indexes(found, None, Limits()).signs == ()
    reset = msgspec.structs.replace(found, server=msgspec.structs.replace(SERVER, counted=DAY))
    assert rules.indexes(reset, old, Limits()).signs == ()


def test_an_index_that_is_being_built_is_not_invalid() -> None:
    """CREATE INDEX CONCURRENTLY shows an invalid index until it is done."""
    made = s.IndexFacts("public", "t", "i", 0, 0, rule=False, valid=False, building=True)
    assert rules.indexes(facts(indexes=(made,)), None, Limits()).signs == ()


def test_statistics_that_were_reset_begin_anew() -> None:
    """After a reset of pg_stat_statements the calls since then count, not a negative number."""
    before = s.Before(1.0, 1.0, None, {"1/10": (500, 1000.0)})
    now = facts(statements=(s.StatementFacts("1/10", 5, 5000.0, "SELECT 1"),))
    (sign,) = work.queries(now, before, Limits()).signs
    assert (sign.value, sign.asleep) == (1000.0, False)


def test_the_same_query_with_other_values_is_one_alert() -> None:
    """Two runs of one query differ in values and pid, and are one subject."""
    one = session(1, state="active", running=99.0, query="SELECT * FROM t WHERE a = 12 AND b = 'it''s'")
    two = session(2, state="active", running=98.0, query="SELECT *  FROM t WHERE a = 9 AND b = 'x'")
    signs = work.queries(facts(sessions=(one, two)), None, Limits()).signs
    assert len({x.subject for x in signs}) == 1
    (alert,) = judge.settle([Vital("queries", "", "", signs=signs)], (), 1.0)
    assert alert.names == ("1", "start 1")


def test_bloat_and_old_transaction_ids() -> None:
    """A table that is mostly empty is raised from a size on; transaction ids at half of what there are."""
    size = {"bytes": 300_000_000, "index_bytes": 0, "wasted": 200_000_000}
    wasted = s.TableFacts("public", "t", 10, 0, vacuumed=1, kept=True, scans=0, lookups=0, exposed=False, **size)
    seen = storage.bloat(facts(tables=(wasted,)), Limits())
    (sign,) = seen.signs
    assert sign.value >= sign.raise_at
    old = msgspec.structs.replace(SERVER, wraparound=1_200_000_000)
    signs = storage.disk(facts(server=old), Limits()).signs
    assert [x.code for x in signs if x.value >= x.raise_at] == ["watch_wraparound"]


def test_a_standby_that_is_behind() -> None:
    """Seconds behind are raised; a slot that is read is none of our business."""
    standbys = (
        s.StandbyFacts("replica", "standby", "streaming", 90.0, 10),
        s.StandbyFacts("read", "slot", "active", -1.0, 5_000_000_000),
    )
    signs = storage.replication(facts(standbys=standbys), Limits()).signs
    assert [(x.code, x.value >= x.raise_at) for x in signs] == [("watch_replication", True)]


def test_one_slow_time_of_a_query_is_weather() -> None:
    """A query is slower than rehearsed when all of its last three times are, by factor and by milliseconds."""
    baseline = (Timing("week", "SELECT 1", 10.0),)
    for taken, slow in (
        ((100.0, 100.0), False),
        ((100.0, 12.0, 100.0), False),
        ((100.0, 90.0, 95.0), True),
        ((31.0, 29.0, 29.0), False),
    ):
        signs = outside.timings(baseline, {"week": taken}, Limits()).signs
        assert any(x.value >= x.raise_at for x in signs) is slow


@pytest.mark.parametrize(
    ("code", "names", "sql", "word"),
    [
        ("watch_sequence", ("public", "s", "T", "id", "int8"), 'ALTER SEQUENCE "public"."s" AS bigint NO MAXVALUE', ""),
        ("watch_bloat", ("public", 'a"b'), 'VACUUM (FULL, ANALYZE) "public"."a""b"', "VACUUM FULL"),
        ("watch_slot", ("it's",), "SELECT pg_drop_replication_slot('it''s')", "DROP SLOT"),
        ("watch_connections", ("App",), "ALTER ROLE \"App\" SET idle_session_timeout = '10min'", ""),
        ("watch_temp_files", ("App",), "ALTER ROLE \"App\" SET work_mem = '16MB'", ""),
    ],
)
def test_remedies_quote_every_name(code: str, names: tuple[str, ...], sql: str, word: str) -> None:
    """Names come into the SQL by the driver's quoting; what locks or loses something wants a word."""
    remedy = remedies(Alert(code, "", "", "", 0, 0, 0, names))[0]
    assert (remedy.sql, remedy.word) == ((sql,), word)


def test_a_long_name_of_an_index_is_cut_between_characters() -> None:
    """PostgreSQL keeps 63 bytes of a name: ours is cut there, and never within a character."""
    names = ("public", "t" * 50, "ä" * 20)
    (remedy,) = remedies(Alert("watch_foreign_key_index", "", "", "", 0, 0, 0, names))
    name = remedy.sql[0].split('"')[1]
    assert len(name.encode()) <= 63
    assert name == "t" * 50 + "_" + "ä" * 6
