"""backup.md: when dumps are made and kept, the exact commands there and back, and the last proof."""

from collections.abc import Iterable
from datetime import UTC, datetime

from zenni_tui.model.runbook import StepId
from zenni_tui.report.document import Block, Bullets, Code, Heading, Mono, Paragraph, State, Table

from .connection import shell_target
from .facts import Facts, origin, quoted

NAME = "backup.md"
_CHECK = "restore proof"


def blocks(facts: Facts) -> Iterable[Block]:
    """Yield the document."""
    keep = f"the newest {facts.upkeep.backup.keep}" if facts.upkeep.backup.keep else "all"
    yield Heading(1, "Backup and restore")
    yield origin(facts)
    yield Heading(2, "Schedule and retention")
    yield Table(
        ("", ""),
        (
            ("when", (Mono(facts.upkeep.backup.schedule), " (crontab(5), the machine's time zone)")),
            ("kept", f"{keep}, each proven by a restore before an older one goes"),
            ("where", Mono(facts.dumps)),
            ("the SQLite file before the migration", (Mono("snapshot.db"), " in the run's directory, by its SHA-256")),
            ("its SHA-256", Mono(facts.state.source.sha256 if facts.state.source else "")),
        ),
    )
    yield Paragraph("The line for cron, which runs as the user who owns the folder:")
    yield Code(f"{facts.upkeep.backup.schedule} {facts.command('backup')}", "crontab")
    yield Heading(2, "Backup by hand")
    yield Code(facts.command("backup"), "sh")
    yield Paragraph("The same with PostgreSQL's own program, which must not be older than the server:")
    pattern = facts.plan.schema.replace('"', '""')
    schema = quoted(f'--schema="{pattern}"')
    yield Code(f"pg_dump --format=custom {schema} --file=backup.dump {shell_target(facts)}", "sh")
    yield from _restore(facts)
    yield from _proof(facts)


def _restore(facts: Facts) -> Iterable[Block]:
    t = facts.target
    host = f"--host={quoted(t.host)} --port={t.port} --username={quoted(t.user)}"
    yield Heading(2, "Restore")
    yield Bullets(
        (
            "Into a new database first, never over the live one: look at it, then point the application to it.",
            "The application must be stopped or read-only from the moment on that the dump is to be the truth.",
            "Roles and passwords are not in a dump: make them before, or restore without owners as below.",
        )
    )
    yield Code(
        f"{facts.command('backup --check FILE.dump')}\n"
        f"createdb {host} {quoted(f'{t.database}_restored')}\n"
        f"pg_restore --no-owner --no-privileges --exit-on-error --clean --if-exists"
        f" --dbname={shell_target(facts, f'{t.database}_restored')} FILE.dump",
        "sh",
    )
    yield Paragraph(
        ("Then compare: ", Mono(facts.command("backup --check FILE.dump")), " counts and hashes every row of the dump.")
    )


def _proof(facts: Facts) -> Iterable[Block]:
    yield Heading(2, "Last proof")
    seen = facts.seen(_CHECK, StepId.WATCH) or facts.seen(_CHECK, StepId.REPORT)
    if facts.proof is not None:
        day = datetime.fromtimestamp(facts.proof.at, UTC).strftime("%Y-%m-%d %H:%M UTC")
        yield Paragraph((State("ok" if facts.proof.ok else "failed"), f" {day}: {facts.proof.words}"))
    if seen is not None:
        yield Paragraph((State("ok" if seen.ok else "failed"), f" in the run {facts.state.run_id}: {seen.found}"))
    if facts.proof is None and seen is None:
        yield Paragraph(
            (State("not yet"), ": no dump has been taken and restored. Do it now: ", Mono(facts.command("backup")), ".")
        )
