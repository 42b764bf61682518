"""A Prisma project's schema is found where it belongs, and read with the place of every mistake."""

from pathlib import Path

import pytest

from zenni_tui.application.prisma import SchemaUnreadable, find_schema, read_schema
from zenni_tui.errors import ExitCode, NotReady

SQLITE = 'datasource db {\n  // provider = "mysql"\n  provider = "sqlite"\n}\n'
MODEL = "model A {\n  id Int @id\n}\n"


def _put(path: Path, text: str = SQLITE + MODEL) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("source", "schema"),
    [
        ("dev.db", "schema.prisma"),
        ("dev.db", "prisma/schema.prisma"),
        ("prisma/dev.db", "prisma/schema.prisma"),
        ("prisma/dev.db", "schema.prisma"),
    ],
)
def test_a_schema_is_found_where_prisma_would_look_from(tmp_path: Path, source: str, schema: str) -> None:
    """Prisma reads `file:./dev.db` from the schema's folder or from the project's root."""
    wanted = _put(tmp_path / schema)
    assert find_schema(tmp_path / source) == wanted


@pytest.mark.parametrize("schema", ["../schema.prisma", "../prisma/schema.prisma", "deeper/schema.prisma"])
def test_a_schema_elsewhere_is_not_taken(tmp_path: Path, schema: str) -> None:
    """A schema of the folder above, or of a neighbour, may be another application's."""
    _put(tmp_path / "data" / schema)
    (tmp_path / "data").mkdir(exist_ok=True)
    assert find_schema(tmp_path / "data" / "dev.db") is None


@pytest.mark.parametrize(("provider", "taken"), [("sqlite", True), ("postgresql", True), ("mysql", False)])
def test_only_a_schema_of_sqlite_or_postgresql_is_taken(tmp_path: Path, provider: str, *, taken: bool) -> None:
    """A schema for another database cannot describe this file; one already changed to PostgreSQL does."""
    path = _put(tmp_path / "schema.prisma", SQLITE.replace('"sqlite"', f'"{provider}"') + MODEL)
    assert find_schema(tmp_path / "dev.db") == (path if taken else None)


def test_a_folder_of_files_is_one_schema(tmp_path: Path) -> None:
    """Models of several files know each other; packages' own schemas are no part of it."""
    folder = tmp_path / "prisma"
    _put(folder / "schema.prisma", SQLITE)
    _put(folder / "models" / "a.prisma", "model A {\n  id Int @id\n  bs B[]\n}\n")
    _put(
        folder / "models" / "b.prisma", "model B {\n  id Int @id\n  a A @relation(fields: [id], references: [id])\n}\n"
    )
    _put(folder / "node_modules" / "x" / "x.prisma", MODEL)
    assert find_schema(tmp_path / "dev.db") == folder
    schema = read_schema(folder)
    assert [m.name for m in schema.models] == ["A", "B"]
    assert schema.provider == "sqlite"


def test_a_schema_folder_without_its_main_file_is_found(tmp_path: Path) -> None:
    """`prisma/schema/` with the datasource in any of its files is a schema too."""
    _put(tmp_path / "prisma" / "schema" / "base.prisma", SQLITE)
    _put(tmp_path / "prisma" / "schema" / "a.prisma", MODEL)
    found = find_schema(tmp_path / "prisma" / "dev.db")
    assert found == tmp_path / "prisma" / "schema"
    assert [m.name for m in read_schema(found).models] == ["A"]


def test_no_schema_is_said_plainly(tmp_path: Path) -> None:
    """An empty folder and a missing file are errors of the operator's, with a place."""
    for path in (tmp_path, tmp_path / "schema.prisma"):
        with pytest.raises(SchemaUnreadable) as caught:
            read_schema(path)
        assert str(path) in caught.value.where


def test_bytes_that_are_no_text_are_said_plainly(tmp_path: Path) -> None:
    """A file that is not UTF-8 is refused, not misread."""
    path = tmp_path / "schema.prisma"
    path.write_bytes(b"model \xff {")
    with pytest.raises(SchemaUnreadable, match="cannot be read"):
        read_schema(path)


def test_a_byte_order_mark_and_windows_lines_do_not_matter(tmp_path: Path) -> None:
    """Editors on Windows write both."""
    path = tmp_path / "schema.prisma"
    path.write_bytes(b"\xef\xbb\xbf" + (SQLITE + MODEL).replace("\n", "\r\n").encode())
    assert [m.name for m in read_schema(path).models] == ["A"]


BROKEN = {
    "no type": (6, "  name\n  id Int @id", "the line ends too early", "name"),
    "stray sign": (6, "  name String? !", "unexpected '!'", "name String? !"),
    "open string": (6, '  name String @default("x)', "unexpected '\"'", 'name String @default("x)'),
    "bad escape": (6, '  name String @default("\\q")', "unexpected '\"'", '"\\q"'),
    "one line": (5, "} model B { id Int @id }", "unexpected `model`", "} model B"),
    "two fields": (6, "  id Int @id name String", "unexpected `name`", "id Int @id name String"),
    "open bracket": (8, "  @@index([id", "unexpected", ""),
}


@pytest.mark.parametrize(("line", "text", "said", "shown"), BROKEN.values(), ids=BROKEN.keys())
def test_a_syntax_error_has_its_place(tmp_path: Path, line: int, text: str, said: str, shown: str) -> None:
    """The error tells the file, the line, the column and the offending text, and blocks with exit code 3."""
    path = _put(tmp_path / "schema.prisma", f"{SQLITE}model A {{\n{text}\n}}\n")
    with pytest.raises(NotReady) as caught:
        read_schema(path)
    error = caught.value
    assert said in error.what
    assert shown in error.what
    assert error.where.startswith(f"{path}:")
    assert abs(int(error.where.split(":")[-2]) - line) <= 1
    assert int(error.where.split(":")[-1]) >= 1
    assert error.exit_code is ExitCode.NOT_READY


def test_a_name_may_be_a_word_of_the_language(tmp_path: Path) -> None:
    """Fields called model, type, enum or view, and text that looks like a comment, are ordinary."""
    body = 'model B {\n  model Int @id\n  type String @default("// no")\n  enum Int\n  view Int?\n  datasource Int\n}\n'
    schema = read_schema(_put(tmp_path / "schema.prisma", SQLITE + body))
    assert [c.field for c in schema.models[0].columns] == ["model", "type", "enum", "view", "datasource"]
