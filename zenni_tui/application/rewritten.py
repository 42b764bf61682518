"""The application's SQL, put into PostgreSQL's form in its code where Prisma runs it and all else can stay as it is."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from zenni_tui.model.queries import Judged, Query, QueryState

from . import queries, scripts
from .sources import SCRIPTS

if TYPE_CHECKING:
    from tree_sitter import Node


class Rewritten(NamedTuple):
    """A file's new text, and the queries that were changed in it."""

    text: str
    done: tuple[Judged, ...]


def rewritten(name: str, text: str, judged: Iterable[Judged]) -> Rewritten:
    """Return a file with its queries in PostgreSQL's form; those that Prisma does not run are left as they are.

    A query is known again by its place and its text: what has changed since it was judged is left alone, too.
    """
    known = {_key(j.query): j for j in judged if j.query.file == name and _is_sure(j)}
    if PurePosixPath(name).suffix == ".sql":
        return _in_statements(text, known.values())
    if not known or PurePosixPath(name).suffix not in SCRIPTS:
        return Rewritten(text, ())
    data, done = text.encode(), []
    for node, found in reversed(list(queries.placed(name, scripts.parse(name, text)))):
        one = known.get(_key(found[0])) if len(found) == 1 else None
        if one is not None and one.query.call in queries.RAW:
            data = data[: node.start_byte] + _written(node, one).encode() + data[node.end_byte :]
            done.append(one)
    return Rewritten(data.decode(), tuple(reversed(done)))


def _is_sure(judged: Judged) -> bool:
    translated = judged.state is QueryState.TRANSLATED and judged.proposal
    return bool(translated) and not judged.query.assembled and not judged.query.fragment


def _key(query: Query) -> tuple[int, str, str]:
    return query.line, query.call, query.sql


def _in_statements(text: str, known: Iterable[Judged]) -> Rewritten:
    done = [j for j in known if text.count(j.query.sql) == 1]
    for one in done:
        text = text.replace(one.query.sql, one.proposal)
    return Rewritten(text, tuple(done))


def _written(node: "Node", judged: Judged) -> str:
    """Return the proposal as a string of the code: of the same kind, with the same space around it."""
    old = scripts.code(node)
    if node.type != "template_string":
        quote = old[0] if node.type == "string" else '"'
        return quote + judged.proposal.replace("\\", "\\\\").replace(quote, f"\\{quote}") + quote
    inner = old[1:-1]
    lead, tail = inner[: len(inner) - len(inner.lstrip())], inner[len(inner.rstrip()) :]
    return f"`{lead}{_template(judged)}{tail}`"


def _template(judged: Judged) -> str:
    holes = [p for p in judged.query.parameters if p.startswith("${")]
    parts = re.split(f"({'|'.join(map(re.escape, holes))})", judged.proposal) if holes else [judged.proposal]
    return "".join(p if p in holes else re.sub(r"[\\`]|\$(?=\{)", r"\\\g<0>", p) for p in parts)
