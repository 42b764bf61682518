"""The last rung: what is in the target already, of ours and of others."""

import asyncio

from zenni_tui.target import bookkeeping, catalogue

from .ground import Ground, Rung

_TABLES = ("r", "p")


async def look(ground: Ground) -> Rung:
    """List what the schema holds, and runs of ours that are known in the target; raises Occupied for a live one.

    Raises NotReady where the application works on the target since the switch of another run.
    """
    return await ground.bounded(asyncio.to_thread(_look, ground))


def _look(ground: Ground) -> Rung:
    with ground.target.connect() as connection:
        other = bookkeeping.holder(connection, ground.run_id)
        if other is not None:
            raise bookkeeping.occupied(other)
        bookkeeping.not_live(connection, ground.run_id)
        earlier = [r for r in bookkeeping.runs(connection) if r != ground.run_id]
    there = catalogue.relations(ground.target.engine(), ground.schema)
    tables = [r for r in there if r.kind in _TABLES]
    tried = f'relations of schema "{ground.schema}", runs and leases of ours'
    others = len(there) - len(tables)
    if not (there or earlier):
        return Rung(tried, f'schema "{ground.schema}" is empty; no other run holds this target')
    found = f'schema "{ground.schema}": {len(tables)} tables, {sum(r.filled for r in tables)} of them with rows'
    found += f", {others} other objects" if others else ""
    found += f"; from earlier runs of ours: {', '.join(earlier)}" if earlier else ""
    advice = "Tables with rows are never touched: those of the plan's names block until you empty or rename them."
    return Rung(tried, found, None, "See zenni-tui rollback for what an earlier run left." if earlier else advice)
