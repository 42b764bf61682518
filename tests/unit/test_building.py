"""In which order indexes are built."""

from zenni_tui.model.plan import ColumnPlan, IndexPlan, KeyPlan, Kind, Plan, TablePlan, TargetType
from zenni_tui.steps import building

COLUMNS = tuple(ColumnPlan(name, name, TargetType(Kind.TEXT), not_null=True) for name in "abc")
PLAN = Plan(
    "public",
    (
        TablePlan("small", "small", COLUMNS, rows=9),
        TablePlan("large", "large", COLUMNS, key=KeyPlan("large_pkey", ("a",)), rows=100_000),
        TablePlan("larger", "larger", COLUMNS, key=KeyPlan("larger_pkey", ("a",)), rows=200_000),
    ),
    indexes=(
        IndexPlan("small_i", "small", ("a",)),
        IndexPlan("large_b", "large", ("b",)),
        IndexPlan("large_bc", "large", ("b", "c")),
        IndexPlan("larger_c", "larger", ("c",)),
    ),
)


def test_what_takes_longest_is_begun_first() -> None:
    """Tables by their rows, and of one table the indexes over several columns before the others, one by one."""
    packs = building.largest_first(PLAN, building.work(PLAN).first)
    assert [[s.name for s in pack] for pack in packs] == [
        ["larger_pkey"],
        ["larger_c"],
        ["large_bc"],
        ["large_pkey"],
        ["large_b"],
        ["small_i"],
    ]


def test_a_key_is_attached_after_its_index_in_one_session() -> None:
    """However wide a table's indexes are, its key's index stands before the key that takes it over."""
    everything = building.work(PLAN)
    (queue,) = (q for q in building.by_table(PLAN, (*everything.first, *everything.then)) if q[0][0].table == "large")
    kinds = [(s.kind, s.name) for pack in queue for s in pack]
    assert kinds.index(("index", "large_pkey")) < kinds.index(("primary key", "large_pkey"))
