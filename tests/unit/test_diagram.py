"""The diagram of tables: layers, no two boxes on one place, and Mermaid's terms for any name."""

import re
from itertools import combinations, pairwise

import pytest
from pages import Page

from zenni_tui.model.plan import ColumnPlan, ForeignKeyPlan, IndexPlan, KeyPlan, Kind, Plan, TablePlan, TargetType
from zenni_tui.report.document import Heading
from zenni_tui.report.documents.diagram import MOST, layers, mermaid, picture
from zenni_tui.report.markup import page

_TEXT = TargetType(Kind.TEXT)


def _plan(references: dict[str, tuple[str, ...]], width: int = 3) -> Plan:
    tables, keys = [], []
    for name, parents in references.items():
        own = [ColumnPlan("id", "id", _TEXT, not_null=True)]
        own += [ColumnPlan(p, f"{p} id", _TEXT) for p in parents]
        own += [ColumnPlan(None, f"c{n}", TargetType(Kind.TIMESTAMP, 3)) for n in range(width)]
        tables.append(TablePlan(name, name, tuple(own), KeyPlan(f"{name}_pkey", ("id",))))
        keys += [ForeignKeyPlan(f"{name}_{p}", name, (f"{p} id",), p, ("id",)) for p in parents]
    return Plan("public", tuple(tables), foreign_keys=tuple(keys))


SHOP = _plan({"A": (), "B": ("A",), "C": ("A", "B"), "D": ("C", "D"), "E": (), "F": ("G",), "G": ("F",), "H": ("A",)})


def test_a_table_stands_one_layer_beyond_all_it_refers_to() -> None:
    """References to itself and one of a ring are passed over; a chain of any length needs no recursion."""
    edges = [(k.table, k.parent) for k in SHOP.foreign_keys]
    found = layers([t.name for t in SHOP.tables], edges)
    assert [found[n] for n in "ABCDE"] == [0, 1, 2, 3, 0]
    assert {found["F"], found["G"]} == {0, 1}
    chain = [str(n) for n in range(5000)]
    assert layers(chain, [(b, a) for a, b in pairwise(chain)])["4999"] == 4999
    assert layers(chain, list(pairwise(chain)))["0"] == 4999


@pytest.mark.parametrize("width", [0, 4, 40])
def test_no_two_boxes_share_a_place_and_all_lie_on_the_drawing(width: int) -> None:
    """Every table has its box within the drawing, and every reference its line."""
    plan = _plan({t.name: tuple(k.parent for k in SHOP.foreign_keys if k.table == t.name) for t in SHOP.tables}, width)
    drawing = picture(plan).drawing
    boxes = [r for r in drawing.iter("rect") if r.get("class") == "box"]
    places = [tuple(float(r.get(n) or "") for n in ("x", "y", "width", "height")) for r in boxes]
    assert len(places) == len(plan.tables)
    for (x, y, w, h), (u, v, p, q) in combinations(places, 2):
        assert x + w <= u or u + p <= x or y + h <= v or v + q <= y
    _, _, wide, tall = map(float, (drawing.get("viewBox") or "").split())
    assert all(x >= 0 and y >= 0 and x + w <= wide and y + h <= tall for x, y, w, h in places)
    assert len(list(drawing.iter("path"))) == len(plan.foreign_keys)


def test_mermaid_names_every_column_and_how_many_rows_meet() -> None:
    """A key that is the whole reference, or unique, makes it one to one; NULL allowed makes it optional."""
    text = mermaid(SHOP)
    assert all(f'    "{t.name}" {{' in text for t in SHOP.tables)
    assert '        text A_id FK "A id"' in text
    assert '    "A" |o--o{ "B" : "A id"' in text
    unique = Plan(
        "public", SHOP.tables, indexes=(IndexPlan("u", "B", ("A id",), unique=True),), foreign_keys=SHOP.foreign_keys
    )
    assert '    "A" |o--o| "B" : "A id"' in mermaid(unique)


def test_hostile_names_neither_break_the_diagram_nor_the_page() -> None:
    """Quotes, line ends, braces and tags in names stay names."""
    names = ('a"b', "line\nend", "}}--||", "<script>", "日本", "", "%%{init}%%")
    plan = _plan(dict.fromkeys(names, names[:1]))
    lines = mermaid(plan).splitlines()
    entity = re.compile(r'    "[^"\n]+" \{')
    attribute = re.compile(r'        [A-Za-z]\w* [A-Za-z]\w*( (PK|FK)(, FK)?)?( "[^"\n]+")?', re.ASCII)
    relation = re.compile(r'    "[^"\n]+" (\|\||\|o)--(o\||o\{) "[^"\n]+" : "[^"\n]+"')
    assert all(line == "    }" or any(p.fullmatch(line) for p in (entity, attribute, relation)) for line in lines[1:])
    made = Page(page("diagram", (Heading(1, "diagram"), picture(plan))).decode())
    assert made.wrong == []
    assert made.tags.count("rect") == 2 * len(names)


def test_of_very_many_tables_the_related_ones_are_drawn_and_the_rest_is_told() -> None:
    """A thousand tables are no picture; Mermaid's text has them all."""
    many = _plan({f"t{n}": (f"t{n - 1}",) if n > 900 else () for n in range(1000)}, 0)
    drawn = picture(many)
    assert len([r for r in drawn.drawing.iter("rect") if r.get("class") == "box"]) == MOST
    assert f"{1000 - MOST} more tables are not drawn" in drawn.words
    assert drawn.instead is not None
    assert drawn.instead.text.count("{\n") == 1000
