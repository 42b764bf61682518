"""The tables and what refers to what: as a drawing in layers, and as Mermaid's entity-relationship diagram."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from zenni_tui.model.plan import ColumnPlan, ForeignKeyPlan, Kind, Plan, TablePlan
from zenni_tui.report.document import Code, Picture
from zenni_tui.report.markup import element

MOST = 60
"""More tables than these are no picture any more; the largest groups of related ones are drawn."""
_LINE, _PAD, _GAP_X, _GAP_Y, _LETTER, _SHOWN, _LONGEST = 18, 8, 70, 24, 6.9, 12, 28
_SWEEPS = 4
_PAGE = 1000.0
_SHORT = {Kind.TIMESTAMP: "timestamp", Kind.TIMESTAMPTZ: "timestamptz", Kind.DOUBLE: "double", Kind.VARCHAR: "varchar"}


@dataclass(frozen=True)
class _Box:
    table: TablePlan
    lines: tuple[tuple[str, str, str], ...]
    """Mark, name and type of each column that is drawn."""
    x: float = 0.0
    y: float = 0.0

    @property
    def width(self) -> float:
        longest = max([len(_cut(self.table.name)) + 2, *(len(m + _cut(n) + t) + 2 for m, n, t in self.lines)])
        return longest * _LETTER + 2 * _PAD

    @property
    def height(self) -> float:
        return _LINE * (len(self.lines) + 1) + 6.0


def picture(plan: Plan) -> Picture:
    """Return the diagram of a plan."""
    tables = _drawn(plan)
    left = len(plan.tables) - len(tables)
    words = "Tables and references; a line leads from a column to the table it refers to."
    more = f" {left} more tables are not drawn." if left else ""
    return Picture(_drawing(tables, plan.foreign_keys), words + more, Code(mermaid(plan), "mermaid"))


def _drawn(plan: Plan) -> tuple[TablePlan, ...]:
    if len(plan.tables) <= MOST:
        return plan.tables
    weight: dict[str, int] = {}
    for key in plan.foreign_keys:
        for name in (key.table, key.parent):
            weight[name] = weight.get(name, 0) + 1
    heavy = sorted(plan.tables, key=lambda t: -weight.get(t.name, 0))[:MOST]
    chosen = {t.name for t in heavy}
    return tuple(t for t in plan.tables if t.name in chosen)


def layers(names: Sequence[str], edges: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Return each table's layer: one more than the deepest table that it refers to.

    `edges` are pairs of a table and the one it refers to; of those that form a ring one counts not.
    """
    parents: dict[str, list[str]] = {name: [] for name in names}
    for child, parent in edges:
        if child in parents and parent in parents and child != parent:
            parents[child].append(parent)
    found: dict[str, int] = {}
    for name in names:
        _place(name, parents, found)
    return found


def _place(start: str, parents: Mapping[str, Sequence[str]], found: dict[str, int]) -> None:
    """Give a table and all it refers to their layers, without recursion: chains may be long."""
    stack, open_ = [start], {start}
    while stack:
        name = stack[-1]
        waiting = next((p for p in parents[name] if p not in found and p not in open_), None)
        if waiting is not None:
            stack.append(waiting)
            open_.add(waiting)
            continue
        found.setdefault(name, 1 + max((found[p] for p in parents[name] if p in found), default=-1))
        open_.discard(name)
        stack.pop()


def _drawing(tables: Sequence[TablePlan], keys: Sequence[ForeignKeyPlan]) -> Element:
    names = [t.name for t in tables]
    there = [k for k in keys if k.table in names and k.parent in names]
    pairs = [(k.table, k.parent) for k in there]
    alone = [t for t in tables if all(t.name not in pair for pair in pairs)]
    boxes = {t.name: _box(t, keys) for t in tables}
    ordered = _ordered(layers([n for n in names if n not in {t.name for t in alone}], pairs), pairs)
    placed, width, height = _columns(ordered, boxes)
    rest, width, height = _grid([boxes[t.name] for t in alone], width, height)
    placed |= rest
    parts = [_edge(k, placed) for k in there]
    parts += [part for box in placed.values() for part in _drawn_box(box)]
    size = {"width": f"{width:.0f}", "height": f"{height:.0f}"}
    return element(
        "svg", *parts, viewBox=f"0 0 {width:.0f} {height:.0f}", role="img", aria_label="Diagram of the tables", **size
    )


def _box(table: TablePlan, keys: Sequence[ForeignKeyPlan]) -> _Box:
    key = table.key.columns if table.key else ()
    foreign = {c for k in keys if k.table == table.name for c in k.columns}
    first = sorted(table.columns, key=lambda c: (c.name not in key, c.name not in foreign))
    lines = tuple((_mark(c.name, key, foreign), c.name, _short(c)) for c in first[:_SHOWN])
    left = len(table.columns) - _SHOWN
    return _Box(table, (*lines, ("", f"… {left} more", "")) if left > 0 else lines)


def _mark(name: str, key: Iterable[str], foreign: Iterable[str]) -> str:
    return ("# " if name in key else "") + ("→ " if name in foreign else "")


def _short(column: ColumnPlan) -> str:
    return _cut(_SHORT.get(column.type.kind, str(column.type)))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _ordered(layer_of: Mapping[str, int], pairs: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Return the layers, each ordered so that related tables lie side by side: by the mean place of their relatives."""
    order = [
        [n for n, at in layer_of.items() if at == layer] for layer in range(max(layer_of.values(), default=-1) + 1)
    ]
    for _ in range(_SWEEPS):
        for names in order:
            where = {name: at for layer in order for at, name in enumerate(layer)}
            near = {n: [where[b if a == n else a] for a, b in pairs if n in (a, b) and a != b] for n in names}
            names.sort(key=lambda n: sum(near[n]) / len(near[n]) if near[n] else where[n])
    return order


def _columns(ordered: Sequence[Sequence[str]], boxes: Mapping[str, _Box]) -> tuple[dict[str, _Box], float, float]:
    placed: dict[str, _Box] = {}
    tall = max((sum(boxes[n].height + _GAP_Y for n in names) for names in ordered), default=0.0)
    x = 1.0
    for names in ordered:
        y = 1.0 + (tall - sum(boxes[n].height + _GAP_Y for n in names)) / 2
        for name in names:
            placed[name] = _Box(boxes[name].table, boxes[name].lines, x, y)
            y += boxes[name].height + _GAP_Y
        x += max(boxes[n].width for n in names) + _GAP_X
    return placed, max(x - _GAP_X, 1.0) + 1, tall


def _grid(boxes: Sequence[_Box], width: float, top: float) -> tuple[dict[str, _Box], float, float]:
    """Place the tables without references below the others, in rows as wide as the page."""
    placed: dict[str, _Box] = {}
    x, y, row, wide = 1.0, top + (_GAP_Y if top and boxes else 1.0), 0.0, max(width, _PAGE)
    for box in boxes:
        if x > 1.0 and x + box.width > wide:
            x, y, row = 1.0, y + row + _GAP_Y, 0.0
        placed[box.table.name] = _Box(box.table, box.lines, x, y)
        x, row = x + box.width + _GAP_X / 2, max(row, box.height)
        width = max(width, x - _GAP_X / 2 + 1)
    return placed, width, max(top, y + row) + 2


def _edge(key: ForeignKeyPlan, placed: Mapping[str, _Box]) -> Element:
    child, parent = placed[key.table], placed[key.parent]
    y = child.y + _row_of(child, key.columns[0])
    end = parent.y + _LINE / 2 + 3
    if parent.x + parent.width <= child.x:
        start_x, out = child.x, -1
    else:
        start_x, out = child.x + child.width, 1
    end_x = parent.x + parent.width
    bend = _GAP_X / 2
    ends = f"{start_x + out * bend:.1f},{y:.1f} {end_x + bend:.1f},{end:.1f} {end_x:.1f},{end:.1f}"
    curve = f"M{start_x:.1f},{y:.1f} C{ends}"
    return element("path", element("title", f"{key.table} → {key.parent}"), class_="edge", d=curve)


def _row_of(box: _Box, column: str) -> float:
    at = next((i for i, (_, name, _) in enumerate(box.lines) if name == column), len(box.lines) - 1)
    return _LINE * (at + 1) + _LINE / 2 + 3


def _drawn_box(box: _Box) -> Iterable[Element]:
    x, y, right = box.x, box.y, box.x + box.width
    size = {"x": f"{x:.1f}", "width": f"{box.width:.1f}"}
    yield element("rect", class_="box", y=f"{y:.1f}", height=f"{box.height:.1f}", **size)
    yield element("rect", class_="caption", y=f"{y:.1f}", height=_LINE + 2, **size)
    yield element("text", _cut(box.table.name), class_="title", x=f"{x + _PAD:.1f}", y=f"{y + 15:.1f}")
    for at, (mark, name, kind) in enumerate(box.lines):
        line = f"{y + _LINE * (at + 1) + 16:.1f}"
        yield element("text", f"{mark}{_cut(name)}", x=f"{x + _PAD:.1f}", y=line)
        yield element("text", kind, class_="dim end", x=f"{right - _PAD:.1f}", y=line)


def mermaid(plan: Plan) -> str:
    """Return the diagram in Mermaid's terms (https://mermaid.js.org/syntax/entityRelationshipDiagram.html)."""
    lines = ["erDiagram"]
    foreign = {(key.table, column) for key in plan.foreign_keys for column in key.columns}
    for table in plan.tables:
        lines.append(f'    "{_said(table.name)}" {{')
        lines += [f"        {_attribute(c, table, (table.name, c.name) in foreign)}" for c in table.columns]
        lines.append("    }")
    lines += [_relation(key, plan) for key in plan.foreign_keys]
    return "\n".join(lines)


def _attribute(column: ColumnPlan, table: TablePlan, foreign: bool) -> str:  # noqa: FBT001 - one of its two marks
    marks = ["PK"] if table.key and column.name in table.key.columns else []
    marks += ["FK"] if foreign else []
    plain = _word(column.name)
    note = f' "{_said(column.name)}"' if plain != column.name else ""
    return f"{_word(str(column.type))} {plain} {', '.join(marks)}".rstrip() + note


def _relation(key: ForeignKeyPlan, plan: Plan) -> str:
    child = plan.table(key.table)
    some = all(child.column(c).not_null for c in key.columns)
    alone = (child.key is not None and set(child.key.columns) == set(key.columns)) or any(
        i.unique and i.where is None and set(i.columns) == set(key.columns) for i in plan.indexes_of(child.name)
    )
    marks = f"{'||' if some else '|o'}--{'o|' if alone else 'o{'}"
    label = _said(", ".join(key.columns))
    return f'    "{_said(key.parent)}" {marks} "{_said(key.table)}" : "{label}"'


def _word(text: str) -> str:
    """Return a text as a word of Mermaid's, which begins with a letter."""
    plain = re.sub(r"[^A-Za-z0-9_]+", "_", text).strip("_") or "x"
    return plain if plain[0].isalpha() else f"x_{plain}"


def _said(text: str) -> str:
    """Return a text for between Mermaid's quotes, which know no escape."""
    return " ".join(text.replace('"', "'").split()) or "_"
