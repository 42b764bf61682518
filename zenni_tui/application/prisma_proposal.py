"""The change to schema.prisma that the operator's decisions ask for, so that Prisma finds in PostgreSQL what it says.

Native types: https://www.prisma.io/docs/orm/reference/prisma-schema-reference#model-field-scalar-types.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from zenni_tui.model.plan import ColumnPlan, DefaultKind, EnumPlan, IndexPlan, Kind, Plan, TablePlan, TargetType

from . import prisma_names as names
from .prisma import texts
from .prisma_plan import target_plan
from .prisma_records import PrismaColumn, PrismaModel, PrismaSchema

_SCALARS = {
    Kind.TEXT: "String",
    Kind.VARCHAR: "String",
    Kind.CHAR: "String",
    Kind.UUID: "String",
    Kind.SMALLINT: "Int",
    Kind.INTEGER: "Int",
    Kind.BIGINT: "BigInt",
    Kind.REAL: "Float",
    Kind.DOUBLE: "Float",
    Kind.NUMERIC: "Decimal",
    Kind.BOOLEAN: "Boolean",
    Kind.BYTEA: "Bytes",
    Kind.JSON: "Json",
    Kind.JSONB: "Json",
    Kind.TIMESTAMP: "DateTime",
    Kind.TIMESTAMPTZ: "DateTime",
    Kind.DATE: "DateTime",
    Kind.TIME: "DateTime",
}
_NATIVE = {
    Kind.VARCHAR: "VarChar",
    Kind.CHAR: "Char",
    Kind.UUID: "Uuid",
    Kind.SMALLINT: "SmallInt",
    Kind.REAL: "Real",
    Kind.NUMERIC: "Decimal",
    Kind.JSON: "Json",
    Kind.TIMESTAMP: "Timestamp",
    Kind.TIMESTAMPTZ: "Timestamptz",
    Kind.DATE: "Date",
    Kind.TIME: "Time",
}
_USUAL = (TargetType(Kind.NUMERIC, 65, 30), TargetType(Kind.TIMESTAMP, 3))
_FIELD = re.compile(r"(\s*\w+\s+)\w+(\[\]|\?)?(.*)", re.DOTALL)
_NATIVE_WORD = re.compile(r"\s*@\w+\.\w+(?:\([^)]*\))?")
_DEFAULT = re.compile(r'@default\(\s*("(?:[^"\\]|\\.)*")\s*\)')
_SOURCE = re.compile(r"^\s*datasource\s+(\w+)", re.MULTILINE)
_PROVIDER = re.compile(r'^(\s*datasource\s+\w+\s*\{[^}]*?^\s*provider\s*=\s*)"sqlite"', re.MULTILINE)
_WORD = re.compile(r"[A-Za-z]\w*", re.ASCII)


def difference(path: Path, schema: PrismaSchema, plan: Plan) -> str:
    """Return a unified diff of the schema's files, empty when the plan is what they say; `path` is what was read.

    The provider becomes PostgreSQL with it. What the schema's language has no words for is told in lines before it.
    """
    before = texts(path)
    after = dict(before)
    wanted = target_plan(schema, namespace=plan.schema)
    _Change(schema, wanted, plan, after).make()
    notes = "".join(f"# {note}\n" for note in _unsaid(schema, wanted, plan))
    if after == before:
        return notes
    after = {file: _PROVIDER.sub(r'\1"postgresql"', text) for file, text in after.items()}
    lines = (
        line
        for file, text in before.items()
        for line in difflib.unified_diff(
            text.splitlines(keepends=True), after[file].splitlines(keepends=True), file, file
        )
    )
    return notes + "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def proposed(path: Path, schema: PrismaSchema, plan: Plan) -> dict[str, str]:
    """Return the schema's files as they should read, by path; the provider is left as it is."""
    after = texts(path)
    _Change(schema, target_plan(schema, namespace=plan.schema), plan, after).make()
    return after


def _unsaid(schema: PrismaSchema, wanted: Plan, plan: Plan) -> Iterator[str]:
    carried = {t.name for t in plan.tables}
    models = {m.table for m in schema.models}
    kept = {i.name for i in plan.indexes} | {k.name for k in plan.foreign_keys}
    for index in wanted.indexes:
        if index.table in carried and index.name not in kept:
            yield f'The index "{index.name}" is left out, and Prisma will miss it.'
    for key in wanted.foreign_keys:
        if key.table in carried and key.name not in kept:
            yield f'The foreign key "{key.name}" is left out, and Prisma will miss it.'
    known = {i.name for i in wanted.indexes}
    for index in plan.indexes:
        plain = all(index.columns) and index.where is None
        if index.name not in known and not (index.table in models and plain):
            yield f'The index "{index.name}" has no words in schema.prisma.'


class _Change:
    """The edits of the files' texts, line by line; lines that come anew are put in last, from the end."""

    def __init__(self, schema: PrismaSchema, wanted: Plan, plan: Plan, files: dict[str, str]) -> None:
        self._schema = schema
        self._wanted = wanted
        self._plan = plan
        self._files = files
        found = next((m for text in files.values() if (m := _SOURCE.search(text))), None)
        self._source = found[1] if found else "db"

    def make(self) -> None:
        """Change the texts of all models whose tables are otherwise planned than wanted."""
        planned = {t.name: t for t in self._plan.tables}
        for wanted in reversed(self._wanted.tables):
            model = next((m for m in self._schema.models if m.table == wanted.name and not m.view), None)
            if model is not None and wanted.name in planned:
                self._model(model, wanted, planned[wanted.name])
        known = {e.name for e in self._wanted.enums}
        used = {c.type.enum: t.name for t in self._plan.tables for c in t.columns if c.type.enum}
        for enum in (e for e in self._plan.enums if e.name not in known):
            model = next(m for m in self._schema.models if m.table == used[enum.name])
            self._files[model.place.file] = f"{self._files[model.place.file].rstrip()}\n\n{_enum_block(enum)}"

    def _model(self, model: PrismaModel, wanted: TablePlan, planned: TablePlan) -> None:
        fields = {c.name: c for c in model.columns}
        new = [
            f"  {c.name} {self._type(c.type)}?{self._native(c.type)}" for c in planned.columns if c.name not in fields
        ]
        known = {i.name for i in self._wanted.indexes}
        new += [
            _index_line(i, fields)
            for i in self._plan.indexes
            if i.table == planned.name
            and i.name not in known
            and all(c in fields for c in i.columns)
            and i.where is None
        ]
        lines = self._files[model.place.file].splitlines(keepends=True)
        for column in planned.columns:
            field = fields.get(column.name)
            if field is not None and column.type != wanted.column(column.name).type:
                at = field.place.line - 1
                lines[at] = self._field(lines[at], field, column)
        end = next(n for n in range(model.place.line, len(lines)) if lines[n].strip().startswith("}"))
        lines[end:end] = [f"{line}\n" for line in new]
        self._files[model.place.file] = "".join(lines)

    def _field(self, line: str, field: PrismaColumn, column: ColumnPlan) -> str:
        start = line.index(field.field, field.place.column - 1)
        match = _FIELD.fullmatch(line[start:])
        if match is None:
            return line
        rest = _DEFAULT.sub(self._default(column), _NATIVE_WORD.sub("", match[3]))
        body, comment, tail = rest.partition("//")
        padding = body[len(body.rstrip()) :]
        native = self._native(column.type)
        changed = f"{match[1]}{self._type(column.type)}{match[2] or ''}{body.rstrip()}{native}{padding}"
        return line[:start] + changed + comment + tail

    def _default(self, column: ColumnPlan) -> Callable[[re.Match[str]], str]:
        def made(match: re.Match[str]) -> str:
            if column.default is None or column.default.kind is not DefaultKind.LITERAL:
                return match[0]
            if column.type.kind is Kind.ENUM:
                enum = next(e for e in self._plan.enums if e.name == column.type.enum)
                return f"@default({dict(zip(enum.labels, _values(enum), strict=True))[column.default.text]})"
            if _SCALARS[column.type.kind] == "DateTime":
                quoted = column.default.text.replace("'", "''")
                return f"@default(dbgenerated(\"'{quoted}'\"))"
            return match[0]

        return made

    def _type(self, kind: TargetType) -> str:
        if kind.kind is not Kind.ENUM:
            return _SCALARS[kind.kind]
        theirs = next((e.name for e in self._schema.enums if e.type_name == kind.enum), None)
        return theirs or _identifier(kind.enum or "")

    def _native(self, kind: TargetType) -> str:
        name = _NATIVE.get(kind.kind)
        if name is None or kind in _USUAL:
            return ""
        sizes = ", ".join(str(n) for n in (kind.size, kind.scale) if n is not None)
        return f" @{self._source}.{name}{f'({sizes})' if sizes else ''}"


def _index_line(index: IndexPlan, fields: dict[str, PrismaColumn]) -> str:
    descending = index.descending or (False,) * len(index.columns)
    parts = (
        f"{fields[c].field}{'(sort: Desc)' if down else ''}" for c, down in zip(index.columns, descending, strict=True)
    )
    usual = names.index(index.table, index.columns, unique=index.unique) == index.name
    named = "" if usual else f', map: "{index.name}"'
    return f"  @@{'unique' if index.unique else 'index'}([{', '.join(parts)}]{named})"


def _enum_block(enum: EnumPlan) -> str:
    name = _identifier(enum.name)
    lines = [
        f"  {v}{'' if v == label else _mapped('@map', label)}"
        for v, label in zip(_values(enum), enum.labels, strict=True)
    ]
    lines += [] if name == enum.name else [f"\n  {_mapped('@@map', enum.name).strip()}"]
    return "\n".join([f"enum {name} {{", *lines, "}"]) + "\n"


def _mapped(word: str, label: str) -> str:
    escaped = label.replace("\\", "\\\\").replace('"', '\\"')
    return f' {word}("{escaped}")'


def _values(enum: EnumPlan) -> Iterable[str]:
    """Return the labels as Prisma's language lets values be called, each once."""
    made: list[str] = []
    for label in enum.labels:
        name = _identifier(label)
        while name in made:
            name += "_"
        made.append(name)
    return made


def _identifier(text: str) -> str:
    name = re.sub(r"\W", "_", text, flags=re.ASCII)
    return name if _WORD.fullmatch(name) else f"v_{name}"
