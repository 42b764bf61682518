"""Calls of Prisma's client whose answers change with the database."""

from pathlib import Path

import zenni_tui.sandbox
from zenni_tui.application import prisma, scripts
from zenni_tui.application.prisma_calls import CODES, Calls
from zenni_tui.model import codes

SCHEMA = Path(zenni_tui.sandbox.__file__).with_name("sample.prisma")


def found(text: str) -> list[tuple[str, int]]:
    """Return the codes found in a script, with their lines."""
    calls = Calls(prisma.read_schema(SCHEMA))
    return [(b.code, b.line) for b in calls.in_script("a.ts", scripts.parse("a.ts", text))]


def advice(text: str) -> str:
    """Return the only advice for a script."""
    calls = Calls(prisma.read_schema(SCHEMA))
    (only,) = calls.in_script("a.ts", scripts.parse("a.ts", text))
    return only.advice


def test_every_code_is_explained() -> None:
    """`explain` knows each code that is found here."""
    assert set(CODES) <= codes.CODES.keys()


def test_a_part_of_a_text_is_looked_for_without_case() -> None:
    """`contains` and its like on a text ask for their mode, in a call, in a relation, and in a filter made apart."""
    script = """
    prisma.booking.findMany({ where: { OR: [
      { customerName: { contains: q } },
      { service: { name: { endsWith: q } } },
      { customerEmail: { not: { startsWith: q } } },
    ] } });
    const where = { notes: { contains: q } };
    """
    assert found(script) == [("prisma_case", n) for n in (3, 4, 5, 7)]
    written = advice("prisma.booking.count({ where: { notes: { contains: q } } })")
    assert written == 'Write: notes: { contains: q, mode: "insensitive" }'


def test_what_has_its_mode_or_is_no_field_is_left_alone() -> None:
    """A filter with a mode, a string's own method and an object of something else are no findings."""
    script = """
    prisma.booking.findMany({ where: { customerName: { contains: q, mode: "insensitive" } } });
    if (name.startsWith("a") || list.includes(q)) { show({ title: { contains: q } }); }
    prisma.booking.findMany({ where: { id: { in: ids }, status: "pending" } });
    """
    assert found(script) == []


def test_orders_by_texts_and_by_columns_that_may_be_null_are_told_apart() -> None:
    """A text's order depends on the language, a nullable column's on where NULL stands; keys and dates are neither."""
    assert found('prisma.service.findMany({ orderBy: { name: "asc" } })') == [("prisma_text_order", 1)]
    script = 'prisma.booking.findMany({ orderBy: [{ notes: "desc" }, { id: "asc" }, { startTime: "asc" }] })'
    assert found(script) == [("prisma_text_order", 1), ("prisma_null_order", 1)]
    said = 'prisma.booking.findMany({ orderBy: { cancellationId: { sort: "asc", nulls: "last" } } })'
    assert found(said) == [("prisma_text_order", 1)]


def test_an_order_inside_an_include_is_that_of_the_related_model() -> None:
    """The model follows the relations: a service's tags are ordered by their label."""
    script = 'prisma.service.findMany({ include: { tags: { orderBy: { label: "asc" } } } })'
    assert found(script) == [("prisma_text_order", 1)]
    assert found('prisma.service.findMany({ include: { bookings: { orderBy: { date: "asc" } } } })') == []


def test_a_transaction_that_reads_and_then_writes_asks_for_its_isolation() -> None:
    """Such a transaction without an isolation level is found; one with it, and a list of writes, are not."""
    inside = "async (tx) => { if (!(await tx.booking.count())) { await tx.booking.create({ data }); } }"
    assert found(f"prisma.$transaction({inside})") == [("prisma_isolation", 1)]
    assert found(f'prisma.$transaction({inside}, {{ isolationLevel: "Serializable" }})') == []
    assert found("prisma.$transaction([prisma.booking.count(), prisma.booking.create({ data })])") == []
    assert found("prisma.$transaction(async (tx) => { await tx.tag.create({ data }); })") == []


def test_an_error_caught_inside_a_transaction_is_found() -> None:
    """PostgreSQL refuses all that follows in the transaction; outside of it catching is fine."""
    caught = "prisma.$transaction(async (tx) => {\n try { await tx.tag.create({ data }); } catch {}\n})"
    assert found(caught) == [("prisma_caught", 2)]
    assert found("try { await prisma.$transaction(async (tx) => { await tx.tag.create({ data }); }); } catch {}") == []


def test_rows_that_may_be_there_already_can_be_skipped() -> None:
    """A createMany in a try gets the line that leaves out duplicates; one by itself, or with it, is left alone."""
    assert advice("try { prisma.tag.createMany({ data: rows }); } catch {}") == (
        "Write: createMany({ data: rows, skipDuplicates: true })"
    )
    assert found("prisma.tag.createMany({ data: rows });") == []
    assert found("try { prisma.tag.createMany({ data: rows, skipDuplicates: true }); } catch {}") == []


def test_a_path_into_a_document_becomes_a_list_of_keys(tmp_path: Path) -> None:
    """SQLite's path is a text, PostgreSQL's a list."""
    schema = tmp_path / "schema.prisma"
    schema.write_text(
        'datasource db {\n provider = "sqlite"\n}\nmodel Service {\n id Int @id\n metadata Json?\n path String\n}\n'
    )
    script = (
        'prisma.service.findMany({ where: { metadata: { path: "$.room.name", equals: "A" } } }); open({ path: "$.x" })'
    )
    (only,) = Calls(prisma.read_schema(schema)).in_script("a.ts", scripts.parse("a.ts", script))
    assert (only.code, only.advice) == ("prisma_json_path", 'Write: path: ["room", "name"]')


def test_without_a_schema_only_transactions_are_judged() -> None:
    """Nothing is known of fields then, so nothing is said of them."""
    script = 'prisma.booking.findMany({ where: { notes: { contains: q } }, orderBy: { notes: "asc" } })'
    assert list(Calls(None).in_script("a.js", scripts.parse("a.js", script))) == []
