"""SQL in an application's code: found with its place and parameters, and nothing else taken for it."""

import os
from pathlib import Path

import pytest

from zenni_tui.application import queries
from zenni_tui.application.sources import LARGEST, Sources
from zenni_tui.model.queries import Query


def found(text: str, name: str = "a.ts") -> list[Query]:
    """Return what is found in a file's text."""
    return list(queries.in_file(name, text))


def only(text: str, name: str = "a.ts") -> Query:
    """Return the only query of a file's text."""
    (one,) = found(text, name)
    return one


def test_a_tagged_template_has_its_holes_as_parameters() -> None:
    """Prisma's tag binds what is put in; types in angle brackets and line breaks don't hide it."""
    one = only(
        'const a = 1;\nawait prisma.$queryRaw<Row[]>`\n  SELECT "id" FROM "T"\n  WHERE "a" = ${f(`x`)} AND "b" = ${b}`;'
    )
    assert (one.line, one.call) == (3, "$queryRaw")
    assert one.sql.endswith('WHERE "a" = :p1 AND "b" = :p2')
    assert one.parameters == ("${f(`x`)}", "${b}")
    assert not one.assembled


def test_numbered_and_named_parameters_keep_their_spelling() -> None:
    """A parameter that is named twice is one; each ? is its own."""
    one = only("db.query('SELECT a FROM t WHERE b = $1 AND c = $2 AND d = $1', x, y)")
    assert (one.sql, one.parameters) == ("SELECT a FROM t WHERE b = :p1 AND c = :p2 AND d = :p1", ("$1", "$2"))
    assert only('db.prepare("SELECT a FROM t WHERE b = ? AND c = ?")').parameters == ("?", "?")
    assert only('db.prepare("SELECT a FROM t WHERE b = :name AND c = @at")').parameters == (":name", "@at")


def test_marks_inside_strings_and_comments_are_no_parameters() -> None:
    """A question mark, a dollar sign and a semicolon in quotes belong to the text; comments go."""
    one = only("""db.prepare(`SELECT '?;$1' AS "a?;" -- what? ; $2\n FROM t /* ; ? */ WHERE b = ?`)""")
    assert one.parameters == ("?",)
    assert one.sql.split() == ["SELECT", "'?;$1'", "AS", '"a?;"', "FROM", "t", "WHERE", "b", "=", ":p1"]


def test_joined_strings_are_one_text() -> None:
    """Strings joined by + are read together; what is joined to them at run time makes the text assembled."""
    assert only('db.exec("SELECT a " + "FROM t")').sql == "SELECT a FROM t"
    one = only('db.exec("SELECT a FROM t WHERE b = " + value)')
    assert (one.sql, one.assembled) == ("SELECT a FROM t WHERE b = :p1", True)
    assert only("db.exec(`SELECT a FROM t WHERE b = '${value}'`)").assembled
    assert only("prisma.$queryRaw`SELECT a FROM ${Prisma.raw(table)}`").assembled


def test_escapes_mean_what_they_mean() -> None:
    """Quotes, line breaks and code points that are escaped in code stand plain in the query."""
    assert only("db.exec('SELECT \\'it\\' FROM \\u0022t\\u{22}')").sql == "SELECT 'it' FROM \"t\""
    assert only('db.exec("SELECT a\\nFROM t")').sql == "SELECT a\nFROM t"


def test_several_statements_are_told_apart_with_their_lines() -> None:
    """Each statement of one text has the line on which it begins."""
    several = found("db.exec(`\nDELETE FROM a;\n\nDELETE FROM b\n`)")
    assert [(q.sql, q.line) for q in several] == [("DELETE FROM a", 2), ("DELETE FROM b", 4)]
    script = found("-- one\nDELETE FROM a;\n-- two\nDELETE FROM b WHERE c = ';';\n", "seed.sql")
    assert [(q.sql, q.line) for q in script] == [("DELETE FROM a", 2), ("DELETE FROM b WHERE c = ';'", 4)]


def test_a_string_that_nobody_calls_is_found_by_its_look() -> None:
    """A constant that begins as a statement does is a query; words of a sentence are not."""
    assert only('const q = "select a from t where b = 1";').call == ""
    for text in ("Select a day from the list", "delete", "With care", "updated", "SELECT", "insert coin"):
        assert found(f'show("{text}")') == []


def test_a_part_of_a_statement_is_called_so() -> None:
    """What Prisma.sql holds need not be a statement."""
    one = only('const w = Prisma.sql`AND "a" = ${a}`;')
    assert (one.fragment, one.call) == (True, "sql")


def test_python_is_read_by_its_own_grammar() -> None:
    """Strings that Python joins, and holes of f-strings, are seen; a file with mistakes yields nothing."""
    text = "import sqlite3\ndb.execute('SELECT a '\n  'FROM t WHERE b = ?', (b,))\ndb.execute(f'SELECT a FROM {t}')\n"
    one, other = found(text, "a.py")
    assert (one.sql, one.line, one.call) == ("SELECT a FROM t WHERE b = :p1", 2, "execute")
    assert (other.sql, other.assembled) == ("SELECT a FROM :p1", True)
    assert found("def broken(:\n  'SELECT a FROM t'", "a.py") == []


def test_a_script_with_mistakes_is_read_as_far_as_it_goes() -> None:
    """A file that no longer parses still shows the queries around the mistake."""
    assert len(found('db.exec("SELECT a FROM t");\nfunction ( {{{\n')) == 1


@pytest.mark.parametrize("text", ["", "`", "`${", "'", "\\", "\0", "db.exec(`${`${`", "<a>{`SELECT`}</a>", "🌿" * 100])
def test_hostile_texts_break_nothing(text: str) -> None:
    """Whatever a file holds, reading it ends without an error."""
    for name in ("a.ts", "a.tsx", "a.js", "a.py", "a.sql"):
        assert found(text, name) is not None


def test_deep_nesting_breaks_nothing() -> None:
    """Thousands of brackets and joined strings are no danger."""
    found("(" * 3000 + ")" * 3000)
    found("x = " + '"a" + ' * 900 + '"b"')
    found("x = " + '("a" + ' * 900 + '"b"' + ")" * 900)
    found("db.exec('" + "/* */ " * 2000 + "')")
    found("db.exec('" + "SELECT " * 5000 + "')")
    found("x = " + "'a' + " * 300 + "'b'", "a.py")


def test_only_the_projects_own_files_are_read(tmp_path: Path) -> None:
    """Packages, builds, hidden folders, Prisma's client, applied migrations, bundles and links stay out."""
    text = 'db.exec("SELECT a FROM t")\n'
    for name in ("app/a.ts", "node_modules/x/a.js", ".next/a.js", "dist/a.js", "client/a.js", "migrations/m/a.sql"):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    (tmp_path / "client" / "schema.prisma").write_text("")
    (tmp_path / "client" / "index.d.ts").write_text("")
    (tmp_path / "migrations" / "migration_lock.toml").write_text("")
    (tmp_path / "app" / "bundle.js").write_text("x" * 5000)
    (tmp_path / "app" / "large.js").write_text("x\n" * LARGEST)
    (tmp_path / "app" / "latin.js").write_bytes(b"'\xe4'")
    (tmp_path / "app" / "view.vue").write_text(text)
    (tmp_path / "app" / "photo.png").write_bytes(b"SELECT a FROM t")
    (tmp_path / "app" / "linked").symlink_to(tmp_path)
    sources = Sources(tmp_path)
    assert [name for name, _ in sources.read()] == ["app/a.ts"]
    left_out = sorted(p.partition(":")[0] for p in sources.passed_over)
    assert left_out == ["1 files *.vue", "app/bundle.js", "app/large.js", "app/latin.js"]


def test_names_and_texts_that_are_no_unicode_can_be_told(tmp_path: Path) -> None:
    """Halves of characters in code, and bytes in a file's name, are shown as what they are and break no report."""
    assert only('db.exec("SELECT \\ud800 FROM t")').sql == "SELECT \ufffd FROM t"
    assert only('db.exec("SELECT \\ud83c\\udf3f FROM t")').sql == "SELECT 🌿 FROM t"
    assert only("q = 'SELECT \\ud800 FROM t'", "a.py").sql == "SELECT \ufffd FROM t"
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.js")).write_text("1\n")
    assert [name for name, _ in Sources(tmp_path).read()] == ["\\udcff.js"]


def test_reading_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of too many files is read to a limit, and what is left out is told."""
    monkeypatch.setattr("zenni_tui.application.sources.MOST_FILES", 3)
    for number in range(5):
        (tmp_path / f"{number}.js").write_text("1\n")
    sources = Sources(tmp_path)
    assert len(list(sources.read())) == 3
    assert sources.passed_over == ["everything after 3 files or 0 MB"]
