"""Our schema in the target: leases, fences, checkpoints; and loading under them."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest

from zenni_tui.convert import encode
from zenni_tui.convert.unfit import Unfit
from zenni_tui.errors import Occupied, StepFailed
from zenni_tui.model.plan import ColumnPlan, Kind, Plan, Span, TablePlan, TargetType
from zenni_tui.model.schema import Value
from zenni_tui.target import bookkeeping, load
from zenni_tui.target.connect import Target as Place

Target = psycopg.Connection[tuple[Any, ...]]
TABLE = TablePlan(
    "t",
    "T %s",
    (ColumnPlan("id", "id", TargetType(Kind.INTEGER)), ColumnPlan("v", 'v "w"', TargetType(Kind.TEXT))),
    rows=3,
)
ROWS: list[tuple[Value, ...]] = [(1, "a"), (2, None), (3, "ä\n")]


@pytest.fixture
def place(database: dict[str, str]) -> Place:
    """Return the test's own database as a target."""
    return Place(database, database.get("password"), name="tests")


@pytest.fixture
def target(place: Place) -> Iterator[Target]:
    """Yield a session in the test's own database, with a table to load into."""
    with place.connect() as connection:
        connection.execute('CREATE TABLE "T %s" (id integer, "v ""w""" text)')
        yield connection


def entry(run: str, **changes: str) -> bookkeeping.RunRow:
    """Return a run's row."""
    return bookkeeping.RunRow(
        run,
        "migrate",
        "public",
        changes.get("sha256", "s"),
        changes.get("plan_hash", "p"),
        changes.get("fingerprint", "f"),
    )


def expire(target: Target) -> None:
    """Let the lease be over, as if its engine had died half a minute ago."""
    target.execute("UPDATE zenni_tui.lease SET expires = now() - interval '1 second'")


async def renewed(place: Place, fence: int) -> bool:
    """Renew the lease as the engine does."""
    connection = await place.connect_async()
    try:
        return await bookkeeping.renew(connection, fence)
    finally:
        await connection.close()


async def test_a_lease_is_taken_held_and_given_back(target: Target, place: Place) -> None:
    """While it holds, others learn by whom it is held and are refused; afterwards the next one gets it."""
    assert not bookkeeping.exists(target)
    assert bookkeeping.holder(target, "two") is None
    fence = bookkeeping.begin(target, entry("one"), "ann@here")
    assert "run one of ann@here" in (bookkeeping.holder(target, "two") or "")
    assert bookkeeping.holder(target, "one") is None
    with pytest.raises(Occupied, match="Another run"):
        bookkeeping.begin(target, entry("two"), "bob@there")
    assert bookkeeping.find(target, "two") is None
    assert await renewed(place, fence)
    bookkeeping.release(target, fence - 1)
    assert "run one of ann@here" in (bookkeeping.holder(target, "two") or "")
    bookkeeping.release(target, fence)
    assert bookkeeping.begin(target, entry("two"), "bob@there") > fence


async def test_renewing_puts_the_end_off(target: Target, place: Place) -> None:
    """A lease about to expire lives half a minute longer once it is renewed."""
    fence = bookkeeping.begin(target, entry("one"), "ann@here")
    expire(target)
    assert bookkeeping.holder(target, "two") is None
    assert await renewed(place, fence)
    left = target.execute("SELECT extract(epoch FROM expires - now()) FROM zenni_tui.lease").fetchone()
    assert left is not None
    assert bookkeeping.LEASE_SECONDS - 5 < left[0] <= bookkeeping.LEASE_SECONDS


async def test_a_lease_taken_over_fences_the_old_engine(target: Target, place: Place) -> None:
    """After its expiry another engine has it: the old one can neither renew nor write."""
    old = bookkeeping.begin(target, entry("one"), "ann@here")
    expire(target)
    new = bookkeeping.begin(target, entry("two"), "bob@there")
    assert new > old
    assert not await renewed(place, old)
    with pytest.raises(Occupied):
        arrive(target, load.Ticket("one", old), Span(0, 3), data)
    assert bookkeeping.checkpoints(target, "one") == {}
    assert target.execute('SELECT count(*) FROM "T %s"').fetchone() == (0,)
    assert arrive(target, load.Ticket("two", new), Span(0, 3), data).rows == 3


def test_the_same_run_takes_its_own_lease_over_at_once(target: Target) -> None:
    """A resumed engine needn't wait for its dead predecessor's lease, and the predecessor is fenced."""
    old = bookkeeping.begin(target, entry("one"), "ann@here")
    new = bookkeeping.begin(target, entry("one"), "ann@here")
    assert new > old
    with target.transaction(), pytest.raises(Occupied):
        bookkeeping.fenced(target, old)
    with target.transaction():
        bookkeeping.fenced(target, new)


def test_no_fencing_number_is_given_twice(target: Target) -> None:
    """Even when our schema was dropped and made anew in between, a zombie's number lets nobody in."""
    zombie = bookkeeping.begin(target, entry("one"), "ann@here")
    with target.transaction():
        bookkeeping.leave(target, "one")
    assert not bookkeeping.exists(target)
    assert bookkeeping.begin(target, entry("two"), "bob@there") > zombie
    with target.transaction(), pytest.raises(Occupied):
        bookkeeping.fenced(target, zombie)


def test_a_transaction_in_progress_holds_the_takeover_up(target: Target, place: Place) -> None:
    """Who has checked the fence keeps its place until its transaction ends; only then another engine gets the lease."""
    fence = bookkeeping.begin(target, entry("one"), "ann@here")
    expire(target)
    taken: list[float] = []

    def take() -> None:
        with place.connect() as other:
            bookkeeping.begin(other, entry("two"), "bob@there")
            taken.append(time.monotonic())

    thread = threading.Thread(target=take)
    with target.transaction():
        bookkeeping.fenced(target, fence)
        thread.start()
        time.sleep(0.4)
        assert taken == []
        ended = time.monotonic()
    thread.join(10)
    assert taken
    assert taken[0] > ended


def test_of_two_engines_at_the_same_moment_one_wins(place: Place) -> None:
    """Eight engines begin at once in a target without our schema: one has the lease, seven are told by whom."""
    barrier = threading.Barrier(8)
    won: list[int] = []
    lost: list[str] = []

    def begin(connection: Target, number: int) -> None:
        barrier.wait()
        try:
            won.append(bookkeeping.begin(connection, entry(f"run{number}"), f"engine{number}"))
        except Occupied as occupied:
            lost.append(occupied.why)

    with ExitStack() as stack:
        connections = [stack.enter_context(place.connect()) for _ in range(8)]
        threads = [threading.Thread(target=begin, args=(c, n)) for n, c in enumerate(connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert len(won) == 1
        assert len(lost) == 7
        assert all("engine" in why for why in lost)
        assert connections[0].execute("SELECT count(*) FROM zenni_tui.run").fetchone() == (1,)


@pytest.mark.parametrize("changed", ["sha256", "plan_hash"])
def test_a_run_goes_on_only_with_what_it_began_with(target: Target, changed: str) -> None:
    """Another snapshot or another plan under the same run is refused, and the lease is not taken."""
    bookkeeping.begin(target, entry("one"), "ann@here")
    expire(target)
    with pytest.raises(StepFailed, match="can't go on"):
        bookkeeping.begin(target, entry("one", **{changed: "other"}), "ann@here")
    assert bookkeeping.holder(target, "two") is None
    bookkeeping.begin(target, entry("one", fingerprint="later"), "ann@here")
    found = bookkeeping.find(target, "one")
    assert found is not None
    assert found.fingerprint == "f"


def test_leaving_removes_our_schema_with_the_last_run(target: Target) -> None:
    """Another run's rows keep the schema; the last one to leave takes it along, and nothing else."""
    fence = bookkeeping.begin(target, entry("one"), "ann@here")
    bookkeeping.note_made(target, "one", [("table", "a"), ("table", 'b"')])
    assert bookkeeping.made(target, "one") == [("table", 'b"'), ("table", "a")]
    bookkeeping.release(target, fence)
    bookkeeping.begin(target, entry("two"), "bob@there")
    with target.transaction():
        bookkeeping.leave(target, "one")
    assert bookkeeping.exists(target)
    assert bookkeeping.find(target, "one") is None
    assert bookkeeping.made(target, "one") == []
    assert "run two" in (bookkeeping.holder(target, "three") or "")
    with target.transaction():
        bookkeeping.leave(target, "two")
    assert not bookkeeping.exists(target)
    assert target.execute("SELECT to_regnamespace('zenni_tui')").fetchone() == (None,)
    assert target.execute('SELECT count(*) FROM "T %s"').fetchone() == (0,)


def test_a_run_that_enters_while_the_last_one_leaves_is_kept(target: Target, place: Place) -> None:
    """The drop of our schema never takes a row along that another engine is just writing."""
    fence = bookkeeping.begin(target, entry("one"), "ann@here")
    bookkeeping.release(target, fence)
    entered = threading.Event()

    def enter() -> None:
        with place.connect() as other:
            bookkeeping.begin(other, entry("two"), "bob@there")
            entered.set()

    thread = threading.Thread(target=enter)
    with target.transaction():
        bookkeeping.leave(target, "one")
        thread.start()
        assert not entered.wait(0.4)
    thread.join(10)
    assert bookkeeping.find(target, "two") is not None


def data() -> Iterator[bytes]:
    """Yield the three rows as COPY data, in two blocks."""
    encoder = encode.rows_encoder(TABLE, Plan("public", (TABLE,)))
    yield encode.HEADER
    yield encoder(ROWS[:2])
    yield encoder(ROWS[2:])
    yield encode.TRAILER


def arrive(
    target: Target, ticket: load.Ticket, span: Span, blocks: Callable[[], Iterable[bytes | memoryview]]
) -> load.Loaded:
    """Load one span of the table in a transaction of its own."""
    return together(target, ticket, [span], blocks)[0]


def together(
    target: Target,
    ticket: load.Ticket,
    spans: Sequence[Span],
    blocks: Callable[[], Iterable[bytes | memoryview]] = data,
) -> list[load.Loaded]:
    """Load several spans of the table in one transaction."""
    with load.shipment(target, ticket, "public", [bookkeeping.Part(TABLE.name, span) for span in spans]) as arriving:
        return [arriving.take(TABLE, span, blocks) for span in spans]


def count(target: Target) -> int:
    """Count the rows that have arrived."""
    row = target.execute('SELECT count(*) FROM "T %s"').fetchone()
    assert row is not None
    return int(row[0])


def test_a_span_is_loaded_once(target: Target) -> None:
    """The checkpoint makes a second load a no-op that says so, and its figures are kept."""
    ticket = load.Ticket("one", bookkeeping.begin(target, entry("one"), "ann@here"))
    first = arrive(target, ticket, Span(0, 3), data)
    size = sum(map(len, data()))
    assert (first.rows, first.bytes, first.before) == (3, size, False)
    again = arrive(target, ticket, Span(0, 3), lambda: pytest.fail("read for nothing"))
    assert (again.rows, again.before) == (3, True)
    assert bookkeeping.checkpoints(target, "one") == {("T %s", 0): (3, size, bookkeeping.END)}
    assert target.execute('SELECT * FROM "T %s" ORDER BY 1').fetchall() == ROWS


def test_several_spans_arrive_together(target: Target) -> None:
    """One transaction carries several; what had arrived before is passed over, and each has a checkpoint of its own."""
    ticket = load.Ticket("one", bookkeeping.begin(target, entry("one"), "ann@here"))
    spans = [Span(number, 3) for number in range(3)]
    arrive(target, ticket, spans[1], data)
    assert [loaded.before for loaded in together(target, ticket, spans)] == [False, True, False]
    size = sum(map(len, data()))
    assert bookkeeping.checkpoints(target, "one") == {("T %s", n): (3, size, bookkeeping.END) for n in range(3)}
    assert count(target) == 9


def test_a_span_arrives_in_parts(target: Target) -> None:
    """Each part goes on from where the last one ended, once; what doesn't is passed over, whatever its size."""
    ticket = load.Ticket("one", bookkeeping.begin(target, entry("one"), "ann@here"))

    def bring(span: Span, *, goes_on: bool) -> bool:
        part = bookkeeping.Part(TABLE.name, span, goes_on)
        with load.shipment(target, ticket, "public", [part]) as arriving:
            return not arriving.take(TABLE, span, data).before

    assert bring(Span(7, 3, 100, 130), goes_on=False)
    assert not bring(Span(7, 3, 100, 130), goes_on=False)
    assert not bring(Span(7, 3, 100, 110), goes_on=False)
    assert not bring(Span(7, 6, 100, 200), goes_on=False)
    assert not bring(Span(7, 3, 110, 140), goes_on=True)
    assert bring(Span(7, 3, 130, 140), goes_on=True)
    assert not bring(Span(7, 3, 130, 200), goes_on=True)
    assert bring(Span(7, 3, 140, None), goes_on=True)
    size = sum(map(len, data()))
    assert bookkeeping.checkpoints(target, "one") == {("T %s", 7): (9, 3 * size, bookkeeping.END)}
    assert count(target) == 9


def test_a_part_waits_for_another_of_its_span(target: Target, database: dict[str, str]) -> None:
    """A session that lives on from before with a smaller part is waited for; what it brings is not brought again."""
    ticket = load.Ticket("one", bookkeeping.begin(target, entry("one"), "ann@here"))
    small, whole = Span(0, 3, None, 30), Span(0, 9, None, None)
    ended = threading.Event()
    found: list[bool] = []

    def bring_all() -> None:
        with psycopg.connect(**database, autocommit=True) as other:
            found.append(arrive(other, ticket, whole, lambda: pytest.fail("read for nothing")).before)
            ended.set()

    thread = threading.Thread(target=bring_all)
    with load.shipment(target, ticket, "public", [bookkeeping.Part(TABLE.name, small)]) as arriving:
        arriving.take(TABLE, small, data)
        thread.start()
        assert not ended.wait(0.4)
    thread.join(10)
    assert found == [True]
    assert bookkeeping.checkpoints(target, "one")["T %s", 0].upto == 30
    assert count(target) == 3


def test_spans_that_travel_together_share_their_fate(target: Target) -> None:
    """When one of them can't be loaded none has arrived, and each can be loaded afterwards."""
    ticket = load.Ticket("one", bookkeeping.begin(target, entry("one"), "ann@here"))
    with pytest.raises(StepFailed, match="another number of rows"):
        together(target, ticket, [Span(0, 3), Span(1, 4)])
    assert (count(target), bookkeeping.checkpoints(target, "one")) == (0, {})
    assert arrive(target, ticket, Span(0, 3), data).rows == 3


@pytest.mark.parametrize("failure", [Unfit("text_nul", "it holds NUL"), RuntimeError("the disk"), KeyboardInterrupt()])
def test_a_failure_in_the_middle_leaves_nothing(target: Target, failure: BaseException) -> None:
    """Whatever is raised while rows are read: no row and no checkpoint stays, and the connection can go on."""
    ticket = load.Ticket("one", bookkeeping.begin(target, entry("one"), "ann@here"))

    def broken() -> Iterator[bytes]:
        blocks = list(data())
        yield from blocks[:-1]
        yield from blocks[1:2] * 2000
        raise failure

    with pytest.raises(type(failure)):
        arrive(target, ticket, Span(0, 3), broken)
    assert (count(target), bookkeeping.checkpoints(target, "one")) == (0, {})
    assert arrive(target, ticket, Span(0, 3), data).rows == 3


@pytest.mark.parametrize("planned", [2, 4])
def test_another_number_of_rows_is_refused(target: Target, planned: int) -> None:
    """Rows that nobody planned, or that are missing, undo the whole span."""
    ticket = load.Ticket("one", bookkeeping.begin(target, entry("one"), "ann@here"))
    with pytest.raises(StepFailed, match="another number of rows") as raised:
        arrive(target, ticket, Span(7, planned), data)
    assert f"{planned} were planned, 3 arrived" in raised.value.why
    assert (count(target), bookkeeping.checkpoints(target, "one")) == (0, {})


def test_a_row_that_the_server_refuses_leaves_nothing(target: Target) -> None:
    """An error of the server's, told only after all was sent, undoes rows and checkpoint."""
    target.execute('ALTER TABLE "T %s" ADD CHECK (id <> 3)')
    ticket = load.Ticket("one", bookkeeping.begin(target, entry("one"), "ann@here"))
    with pytest.raises(psycopg.errors.CheckViolation):
        arrive(target, ticket, Span(0, 3), data)
    assert (count(target), bookkeeping.checkpoints(target, "one")) == (0, {})


def test_a_second_attempt_waits_for_the_first(target: Target, place: Place) -> None:
    """While a zombie session's span is open the retry waits, and learns of its commit: no row comes twice."""
    ticket = load.Ticket("one", bookkeeping.begin(target, entry("one"), "ann@here"))
    half, finish = threading.Event(), threading.Event()
    results: list[load.Loaded] = []

    def slow() -> Iterator[bytes]:
        blocks = list(data())
        yield blocks[0]
        half.set()
        finish.wait(10)
        yield from blocks[1:]

    def first() -> None:
        with place.connect() as zombie:
            arrive(zombie, ticket, Span(0, 3), slow)

    def second() -> None:
        results.append(arrive(target, ticket, Span(0, 3), data))

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert half.wait(10)
    threads[1].start()
    time.sleep(0.3)
    assert results == []
    finish.set()
    for thread in threads:
        thread.join(10)
    assert results[0].before
    assert count(target) == 3
