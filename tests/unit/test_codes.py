"""Every code that a finding can have is explained."""

import ast
from pathlib import Path

import zenni_tui
from zenni_tui.model.codes import CODES

_ROOT = Path(zenni_tui.__file__).parent
_MAKERS = {"Finding": 0, "Unfit": 0, "fk_finding": 0, "_finding": 0, "Sign": 0, "beyond": 0, "there": 0}


def _codes(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and node.args:
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            first = node.args[0]
            if name in _MAKERS and isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.add(first.value)
    return found


def test_every_code_is_explained() -> None:
    """`explain` knows each code that stands in the program's text."""
    rooms = [_ROOT / room for room in ("convert", "steps", "application", "watch")]
    used = {code for room in rooms for path in room.rglob("*.py") for code in _codes(path)}
    assert len(used) > 50
    assert used - CODES.keys() == set()
