"""The driver adapter in code: whatever way it is imported and made, PostgreSQL's stands in its place."""

import pytest

from zenni_tui.application import driver_adapter

MADE = "new PrismaPg({ connectionString: process.env.DATABASE_URL })"
CASES = {
    "libsql with a token": (
        (
            'import { PrismaLibSql } from "@prisma/adapter-libsql";\n'
            "const a = new PrismaLibSql({ url: process.env.DATABASE_URL, authToken: process.env.TOKEN });\n"
        ),
        f'import {{ PrismaPg }} from "@prisma/adapter-pg";\nconst a = {MADE};\n',
        "TOKEN",
    ),
    "for the web": (
        "import {PrismaLibSQL} from '@prisma/adapter-libsql/web'\nexport default new PrismaLibSQL(make(1))\n",
        f"import {{PrismaPg}} from '@prisma/adapter-pg'\nexport default {MADE}\n",
        "make(1)",
    ),
    "another name": (
        (
            'const { PrismaBetterSqlite3: Adapter } = require("@prisma/adapter-better-sqlite3");\n'
            'x(new Adapter({ url: "file:a)b" /* ) */ }), 1);\n'
        ),
        (
            'const { PrismaPg: Adapter } = require("@prisma/adapter-pg");\n'
            "x(new Adapter({ connectionString: process.env.DATABASE_URL }), 1);\n"
        ),
        "file:a)b",
    ),
    "loaded late": (
        'const m = await import("@prisma/adapter-better-sqlite3");\nnew m.PrismaBetterSqlite3(options);\n',
        (
            'const m = await import("@prisma/adapter-pg");\n'
            "new m.PrismaPg({ connectionString: process.env.DATABASE_URL });\n"
        ),
        "options",
    ),
    "brackets and quotes": (
        (
            'import { PrismaBetterSQLite3 } from "@prisma/adapter-better-sqlite3";\n'
            "new PrismaBetterSQLite3({ url: `file:${f(')')}` }, // it's )\n);\nafter();\n"
        ),
        f'import {{ PrismaPg }} from "@prisma/adapter-pg";\n{MADE};\nafter();\n',
        "file:",
    ),
}


@pytest.mark.parametrize(("before", "after", "told"), CASES.values(), ids=CASES.keys())
def test_the_adapter_is_postgresqls(before: str, after: str, told: str) -> None:
    """Import and call change, what stands around them stays, and what was there is told with its line."""
    made = driver_adapter.adapted(before, "public", "DATABASE_URL")
    assert made is not None
    assert made.text == after
    ((line, note),) = made.notes
    assert (line, told in note) == (2, True)


def test_the_targets_schema_is_named_where_it_is_not_the_usual_one() -> None:
    """The adapter reads no schema from the URL: it gets it as an option, whatever its name."""
    text = 'import { PrismaLibSql } from "@prisma/adapter-libsql";\nnew PrismaLibSql({ url: process.env["DB"]! });\n'
    made = driver_adapter.adapted(text, 'the "shop"', "DATABASE_URL")
    assert made is not None
    call = 'new PrismaPg({ connectionString: process.env["DB"]! }, { schema: "the \\"shop\\"" });'
    assert made.text.splitlines()[1] == call


def test_code_without_an_adapter_is_left_alone() -> None:
    """A file that imports none of SQLite's adapters is none of ours, even where it names one."""
    assert driver_adapter.adapted("// new PrismaLibSql() of @prisma/adapter-libsql\n", "public", "X") is None
