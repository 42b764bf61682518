"""The documents of one migration: Markdown for each, and one page with all of them."""

from collections.abc import Callable, Iterable
from pathlib import Path

from zenni_tui.files import write_private
from zenni_tui.report.document import Block, markdown
from zenni_tui.report.markup import page

from . import backups, connection, database, developers, monitoring, pooling, rollback
from .facts import Facts, Proof, read

__all__ = ["PAGE", "Facts", "Proof", "read", "write"]

PAGE = "documents.html"
_DOCUMENTS: dict[str, Callable[[Facts], Iterable[Block]]] = {
    d.NAME: d.blocks for d in (database, connection, developers, backups, monitoring, pooling)
}


def write(folder: Path, facts: Facts) -> tuple[str, ...]:
    """Write all documents into a folder, mode 0600, and return their names; raises OSError.

    The rollback's analysis is among them when there was one; one of an earlier writing goes when there was none.
    """
    made = {name: tuple(blocks(facts)) for name, blocks in _DOCUMENTS.items()}
    if rollback.happened(facts):
        made[rollback.NAME] = tuple(rollback.blocks(facts))
    else:
        (folder / rollback.NAME).unlink(missing_ok=True)
    for name, blocks in made.items():
        write_private(folder / name, markdown(blocks).encode("utf-8", "backslashreplace"))
    every = tuple(block for blocks in made.values() for block in blocks)
    write_private(folder / PAGE, page(f"Documents of {facts.state.run_id}", every))
    return tuple(made)
