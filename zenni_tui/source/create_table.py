"""Reads the text of a CREATE TABLE.

The grammar is SQLite's own (https://sqlite.org/src/file/src/parse.y), which takes more than its documentation shows.
"""

import msgspec

from zenni_tui.model.schema import SourceCheck

from .create_index import parts
from .syntax import Reader
from .tokens import Is
from .written import ColumnText, ForeignKeyText, KeyText, PartText, TableText

_ENDS_TYPE = frozenset(
    ("CONSTRAINT", "DEFAULT", "NULL", "NOT", "PRIMARY", "UNIQUE", "CHECK", "REFERENCES", "DEFERRABLE", "COLLATE", "AS")
)
_BEGINS_RULE = ("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN")
_ACTIONS = (("SET", "NULL"), ("SET", "DEFAULT"), ("CASCADE",), ("RESTRICT",), ("NO", "ACTION"))


def parse_table(sql: str) -> TableText:
    """Read the text of a CREATE TABLE; raises Unparsable."""
    return _Table(Reader(sql)).read()


class _Table:
    """Reads one CREATE TABLE, gathering the rules of its columns and its own in the text's order."""

    def __init__(self, text: Reader) -> None:
        self.text = text
        self.columns: list[ColumnText] = []
        self.key: KeyText | None = None
        self.uniques: list[KeyText] = []
        self.checks: list[SourceCheck] = []
        self.foreign_keys: list[ForeignKeyText] = []

    def read(self) -> TableText:
        text = self.text
        text.must("CREATE")
        text.one_of("TEMP", "TEMPORARY")
        text.must("TABLE")
        text.has("IF", "NOT", "EXISTS")
        name = text.object_name()
        text.must_symbol("(")
        self._column()
        while not text.symbol(")"):
            if not text.symbol(",") and text.next.word not in _BEGINS_RULE:
                raise text.fail("',' or ')'")
            self._rule() if text.next.word in _BEGINS_RULE else self._column()
        options = self._options()
        return TableText(
            name,
            tuple(self.columns),
            self.key,
            tuple(self.uniques),
            tuple(self.checks),
            tuple(self.foreign_keys),
            without_rowid="WITHOUT ROWID" in options,
            strict="STRICT" in options,
        )

    def _options(self) -> set[str]:
        found: set[str] = set()
        while self.text.next.kind is Is.WORD:
            option = "WITHOUT ROWID" if self.text.has("WITHOUT", "ROWID") else self.text.one_of("STRICT")
            if option is None:
                raise self.text.fail("WITHOUT ROWID or STRICT")
            found.add(option)
            if not self.text.symbol(","):
                break
        self.text.ends()
        return found

    def _column(self) -> None:
        column = ColumnText(self.text.name(), self._type())
        name: str | None = None
        while not (self.text.sees(",") or self.text.sees(")")):
            if self.text.has("CONSTRAINT"):
                name = self.text.name()
                continue
            column, name = self._column_rule(column, name), None
        self.columns.append(column)

    def _type(self) -> str:
        text, start, last = self.text, self.text.next.start, None
        while text.next.kind in (Is.QUOTED, Is.STRING) or (text.next.word and not self._type_ends()):
            last = text.take().end
        if last is not None and text.sees("("):
            text.inside()
            last = text.before().end
        return text.sql[start:last] if last is not None else ""

    def _type_ends(self) -> bool:
        word = self.text.next.word
        return word in _ENDS_TYPE or (word == "GENERATED" and self.text.after().word == "ALWAYS")

    def _column_rule(self, column: ColumnText, name: str | None) -> ColumnText:
        text = self.text
        word = text.next.word
        if word in ("DEFAULT", "COLLATE", "GENERATED", "AS"):
            return self._value_rule(column)
        if word in ("NOT", "NULL"):
            return self._null_rule(column)
        if text.has("PRIMARY", "KEY"):
            return self._key_rule(column, name)
        if text.has("UNIQUE"):
            self.uniques.append(KeyText((PartText(column.name),), name, conflict=text.conflict()))
        elif word == "CHECK":
            self._check(name)
        elif text.has("REFERENCES"):
            self._reference((column.name,), name)
        elif word == "DEFERRABLE":
            self._deferral()
        else:
            raise text.fail("a rule")
        return column

    def _value_rule(self, column: ColumnText) -> ColumnText:
        text = self.text
        if text.has("DEFAULT"):
            return msgspec.structs.replace(column, default=self._default())
        if text.has("COLLATE"):
            return msgspec.structs.replace(column, collation=text.name())
        if text.has("GENERATED"):
            text.must("ALWAYS")
        text.must("AS")
        expression = text.inside()
        kind = text.one_of("STORED", "VIRTUAL") or "VIRTUAL"
        return msgspec.structs.replace(column, generated=kind.lower(), expression=expression)

    def _default(self) -> str:
        if self.text.sees("("):
            return self.text.inside()
        start = self.text.next.start
        _ = self.text.symbol("-") or self.text.symbol("+")
        if self.text.next.kind in (Is.SYMBOL, Is.END):
            raise self.text.fail("a value")
        return self.text.sql[start : self.text.take().end]

    def _null_rule(self, column: ColumnText) -> ColumnText:
        refuses = self.text.has("NOT")
        if refuses and self.text.next.word == "DEFERRABLE":
            self._deferral(never=True)
            return column
        self.text.must("NULL")
        way = self.text.conflict()
        return msgspec.structs.replace(column, not_null=True, null_conflict=way) if refuses else column

    def _key_rule(self, column: ColumnText, name: str | None) -> ColumnText:
        order = self.text.one_of("ASC", "DESC") or ""
        way = self.text.conflict()
        counts = self.text.has("AUTOINCREMENT")
        part = PartText(column.name, descending=order == "DESC")
        self.key = KeyText((part,), name, counts, way)
        return msgspec.structs.replace(column, key=order)

    def _check(self, name: str | None) -> None:
        self.text.must("CHECK")
        self.checks.append(SourceCheck(self.text.inside(), name))
        self.text.conflict()

    def _reference(self, columns: tuple[str, ...], name: str | None) -> None:
        parent = self.text.name()
        parents = self.text.names() if self.text.sees("(") else ()
        key = ForeignKeyText(columns, parent, parents, name)
        while self.text.next.word in ("ON", "MATCH"):
            key = self._reference_rule(key)
        self.foreign_keys.append(key)

    def _reference_rule(self, key: ForeignKeyText) -> ForeignKeyText:
        if self.text.has("MATCH"):
            return msgspec.structs.replace(key, match=self.text.name())
        self.text.must("ON")
        event = self.text.one_of("DELETE", "UPDATE", "INSERT")
        action = next((" ".join(a) for a in _ACTIONS if self.text.has(*a)), None)
        if event is None or action is None:
            raise self.text.fail("an action")
        # SQLite reads ON INSERT and forgets it.
        return msgspec.structs.replace(key, **{} if event == "INSERT" else {f"on_{event.lower()}": action})

    def _deferral(self, *, never: bool = False) -> None:
        self.text.must("DEFERRABLE")
        when = self.text.one_of("DEFERRED", "IMMEDIATE") if self.text.has("INITIALLY") else None
        if self.foreign_keys:
            # As in SQLite, the clause belongs to the foreign key that was declared last.
            last = self.foreign_keys[-1]
            self.foreign_keys[-1] = msgspec.structs.replace(
                last, deferrable=not never, deferred=not never and when == "DEFERRED"
            )

    def _rule(self) -> None:
        text = self.text
        name = text.name() if text.has("CONSTRAINT") else None
        if text.has("PRIMARY", "KEY"):
            members, counts = parts(text)
            self.key = KeyText(members, name, counts, text.conflict())
        elif text.has("UNIQUE"):
            self.uniques.append(KeyText(parts(text)[0], name, conflict=text.conflict()))
        elif text.next.word == "CHECK":
            self._check(name)
        elif text.has("FOREIGN", "KEY"):
            self._foreign_key(name)
        elif name is None:
            raise text.fail("a rule")

    def _foreign_key(self, name: str | None) -> None:
        columns = self.text.names()
        self.text.must("REFERENCES")
        self._reference(columns, name)
        never = self.text.has("NOT")
        if never or self.text.next.word == "DEFERRABLE":
            self._deferral(never=never)
