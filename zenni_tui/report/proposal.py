"""The application's proposed changes in words: what changes and why, and what is left to a person."""

from collections.abc import Iterator

from zenni_tui.application.updates import Updates


def story(updates: Updates, project: str) -> str:
    """Return the proposal in Markdown."""
    return "\n".join(_lines(updates, project)) + "\n"


def _lines(updates: Updates, project: str) -> Iterator[str]:
    yield f"# {project}: what changes for PostgreSQL (Prisma {updates.version})\n"
    if not updates.changes:
        yield "Nothing: the project is on PostgreSQL already."
    yield from (f"- `{c.path}`{' (new)' if c.before is None else ''}: {c.why}" for c in updates.changes)
    if updates.moves:
        yield "- The old migrations are archived:"
        yield from (f"  - `{m.path}` → `{m.to}`" for m in updates.moves)
    if updates.queries:
        yield "\n## SQL in the code\n"
        yield from (f"- {told}" for told in updates.queries)
    yield "\n## What is left to you\n"
    yield from (f"- {note}" for note in updates.notes)
    yield (
        f"- Set `{updates.variable}` and `DIRECT_URL` where the new build runs (for the switch: `settings` under"
        " `[application.new]` in the config); then `npx prisma generate`."
    )
    yield f"- The baseline `{updates.baseline}` (SHA-256 {updates.checksum}) makes an empty database."
    yield (
        "- With `baseline = true` under `[application]` in the config a run enters it in the target as applied; else,"
        f" on a database that a run has filled: `npx prisma migrate resolve --applied {updates.baseline}`."
    )
    yield "- Try it: `npx prisma validate`; against the filled database `npx prisma migrate status`."


def message(updates: Updates) -> str:
    """Return the message of the commit that holds the changes."""
    changed = "\n".join(f"- {c.path}: {c.why}" for c in updates.changes)
    return f"Move to PostgreSQL\n\nProposed by zenni-tui from its plan, for Prisma {updates.version}:\n{changed}\n"
