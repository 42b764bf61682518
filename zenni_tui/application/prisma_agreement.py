"""Whether Prisma finds in the target what its schema says: every point in which a plan and a schema's own differ."""

from collections.abc import Iterator

from zenni_tui.model.plan import ColumnPlan, IndexPlan, Plan, TablePlan


def disagreements(wanted: Plan, plan: Plan) -> Iterator[str]:
    """Yield a sentence for each difference that `prisma migrate diff` would see; `wanted` is the schema's own plan."""
    theirs, ours = {t.name: t for t in wanted.tables}, {t.name: t for t in plan.tables}
    for name in theirs.keys() - ours.keys():
        yield f'schema.prisma declares the table "{name}", which the plan does not make.'
    for name in ours.keys() - theirs.keys():
        yield f'The table "{name}" has no model: Prisma would drop it. `npx prisma db pull` shows one for it.'
    for name in (n for n in theirs if n in ours):
        yield from _table(theirs[name], ours[name])
    yield from _enums(wanted, plan)
    yield from _indexes(wanted, plan)
    known = {k.name: (k.columns, k.parent, k.parent_columns, k.on_delete, k.on_update) for k in wanted.foreign_keys}
    made = {k.name: (k.columns, k.parent, k.parent_columns, k.on_delete, k.on_update) for k in plan.foreign_keys}
    for name in (n for n in known if known[n] != made.get(n)):
        yield f'The foreign key "{name}" is left out or made otherwise, and Prisma will miss it.'
    for key in (k for k in plan.foreign_keys if k.name not in known and k.table in theirs):
        yield f'The foreign key "{key.name}" is not in schema.prisma: Prisma would drop it.'


def _table(theirs: TablePlan, ours: TablePlan) -> Iterator[str]:
    wanted, made = {c.name: c for c in theirs.columns}, {c.name: c for c in ours.columns}
    for name in (*wanted, *(n for n in made if n not in wanted)):
        one, other = wanted.get(name), made.get(name)
        if _said(one) != _said(other):
            yield f'"{ours.name}"."{name}" is {_said(one)} in schema.prisma and {_said(other)} in the plan.'
    if theirs.key != ours.key:
        yield f'The primary key of "{ours.name}" is left out or made otherwise.'


def _said(column: ColumnPlan | None) -> str:
    if column is None:
        return "not there"
    parts = [str(column.type), "NOT NULL" if column.not_null else "", column.counter or ""]
    parts += [f"DEFAULT {column.default.text or column.default.kind}"] if column.default else []
    return " ".join(p for p in parts if p)


def _enums(wanted: Plan, plan: Plan) -> Iterator[str]:
    labels = {e.name: e.labels for e in wanted.enums}
    for enum in plan.enums:
        if labels.get(enum.name) != enum.labels:
            yield f'The enum "{enum.name}" is not the one of schema.prisma.'


def _indexes(wanted: Plan, plan: Plan) -> Iterator[str]:
    modelled = {t.name for t in wanted.tables}
    known, made = {i.name: _shape(i) for i in wanted.indexes}, {i.name: _shape(i) for i in plan.indexes}
    for name in (n for n in known if n not in made):
        yield f'The index "{name}" is left out, and Prisma will miss it.'
    for index in (i for i in plan.indexes if i.table in modelled and known.get(i.name) != made[i.name]):
        yield f'The index "{index.name}" has no words in schema.prisma, or others: Prisma may drop it.'


def _shape(index: IndexPlan) -> tuple[object, ...]:
    descending = index.descending or (False,) * len(index.columns)
    return (index.table, index.columns, index.unique, descending, any(index.expressions), index.where)
