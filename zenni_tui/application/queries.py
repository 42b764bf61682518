"""Finds the SQL in an application's project, with file and line; files are read as text, nothing is run."""

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from zenni_tui.model.queries import Query

from . import scripts
from .statements import HOLE, looks_like_sql, statements

if TYPE_CHECKING:
    from tree_sitter import Node

_BOUND = frozenset({"$queryRaw", "$executeRaw", "sql"})
"""Tags of templates whose holes are parameters."""
RAW = _BOUND | {"$queryRawUnsafe", "$executeRawUnsafe", "raw"}
"""Prisma's calls whose text is SQL whatever it looks like."""
_RUNNERS = RAW | {
    *("prepare", "exec", "query", "run", "all", "get", "each", "iterate", "execute", "executemany", "executescript"),
    *("execute_fetchall", "pragma", "text", "queryRaw", "executeRaw"),
}
_WHOLE = re.compile(
    r"(?:SELECT|WITH|VALUES|INSERT|REPLACE|UPDATE|DELETE|PRAGMA|CREATE|ALTER|DROP|ATTACH|DETACH|VACUUM|BEGIN|COMMIT"
    r"|ROLLBACK|SAVEPOINT|RELEASE|END|ANALYZE|REINDEX|EXPLAIN)\b",
    re.IGNORECASE,
)
_TEXTS = '[(string) (template_string) (binary_expression operator: "+")] @found'
_JOINED = re.compile(r"\s*Prisma\s*\.\s*join\b")


def in_file(name: str, text: str) -> Iterator[Query]:
    """Yield the queries of one file, by what its name ends with."""
    suffix = PurePosixPath(name).suffix
    if suffix == ".sql":
        yield from _made(name, 1, "", text, ())
    elif suffix == ".py":
        yield from _in_python(name, text)
    else:
        yield from in_script(name, scripts.parse(name, text))


def in_script(name: str, root: "Node") -> Iterator[Query]:
    """Yield the queries of a script's tree."""
    for _, found in placed(name, root):
        yield from found


def placed(name: str, root: "Node") -> Iterator[tuple["Node", tuple[Query, ...]]]:
    """Yield each string of a script's tree that holds SQL, with its queries."""
    read: set[int] = set()
    for node in scripts.found(name, root, _TEXTS):
        if node.id in read:
            continue
        found = scripts.literal(node)
        if found is not None:
            # What is a part of a longer text is no text by itself.
            read.update(n.id for n in (*scripts.spine(node), *scripts.joined(node)))
            call, tagged = _call(node)
            if _is_sql(call, found[0]):
                yield node, tuple(_made(name, scripts.line(node), call, *found, bound=tagged and call in _BOUND))


def _call(node: "Node") -> tuple[str, bool]:
    """Return the name of what is called with a string as its first argument, and whether it is a template's tag."""
    parent = node.parent
    if parent is None:
        return "", False
    if parent.type == "call_expression":
        return _known(scripts.callee(parent)), True
    if parent.type == "arguments" and parent.named_children[:1] == [node] and parent.parent is not None:
        return _known(scripts.callee(parent.parent)), False
    return "", False


def _known(name: str) -> str:
    return name if name in _RUNNERS else ""


def _is_sql(call: str, text: str) -> bool:
    if call in RAW and call != "raw":
        return bool(text.strip())
    return looks_like_sql(text)


def _in_python(name: str, text: str) -> Iterator[Query]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    nodes = list(ast.walk(tree))
    calls = {id(n.args[0]): n for n in nodes if isinstance(n, ast.Call) and n.args}
    parts = {id(p) for n in nodes for p in _parts(n)}
    for node in nodes:
        found = None if id(node) in parts else _python_text(node)
        if found is not None and looks_like_sql(found[0]):
            called = calls.get(id(node))
            call = _known(_python_name(called.func)) if called is not None else ""
            yield from _made(name, getattr(node, "lineno", 1), call, *found)


def _parts(node: ast.AST) -> list[ast.expr]:
    """Return what a longer text is made of."""
    if isinstance(node, ast.JoinedStr):
        return node.values
    return [node.left, node.right] if isinstance(node, ast.BinOp) else []


def _python_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _python_text(node: ast.AST) -> tuple[str, tuple[str, ...]] | None:
    if not isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp):
        return None
    holes: list[str] = []

    def hole(part: ast.AST) -> str:
        holes.append(ast.unparse(part))
        return HOLE.format(len(holes) - 1)

    def read(part: ast.AST) -> str | None:
        if isinstance(part, ast.Constant):
            return part.value if isinstance(part.value, str) else None
        if isinstance(part, ast.JoinedStr):
            return "".join(read(v) or (hole(v.value) if isinstance(v, ast.FormattedValue) else "") for v in part.values)
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Add):
            first = read(part.left)
            return None if first is None else first + (read(part.right) or hole(part.right))
        return None

    try:
        found = read(node)
    except RecursionError:
        return None
    return None if found is None else (found, tuple(holes))


def _made(
    name: str, line: int, call: str, text: str, holes: tuple[str, ...], *, bound: bool = False
) -> Iterator[Query]:
    for each in statements(text, holes, bound=bound):
        assembled = each.assembled or (not bound and any(p.startswith("${") for p in each.parameters))
        fragment = _WHOLE.match(each.sql) is None
        yield Query(name, line + each.lines, call, each.sql, each.parameters, assembled, fragment)


def is_list(parameter: str) -> bool:
    """Return whether a parameter's code stands for a list of values."""
    return _JOINED.match(parameter.removeprefix("${")) is not None
