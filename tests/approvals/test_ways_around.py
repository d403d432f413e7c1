"""The table of ways around approval names tests, and each of them is there."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| (\d+) \| .* \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)((?:::\w+)*)`")


def rows() -> list[str]:
    text = (ROOT / "docs/ways-around-approval.md").read_text()
    return [match.group(0) for match in ROW.finditer(text)]


def has(path: str, names: list[str]) -> bool:
    """Whether a file has a class, or a test of a class."""
    body: list[ast.stmt] = ast.parse((ROOT / path).read_text()).body
    for name in names:
        found = [node for node in body if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name]
        if not found:
            return False
        body = found[0].body
    return True


class TestWaysAroundApproval:
    def test_are_twenty_or_more_and_each_names_a_test(self) -> None:
        assert len(rows()) >= 20
        assert [row for row in rows() if not TEST.search(row)] == []

    def test_name_tests_that_are_there(self) -> None:
        named = [match.groups() for row in rows() for match in TEST.finditer(row)]
        assert len(named) > 30
        missing = [
            f"{path}{names}"
            for path, names in named
            if not (ROOT / path).exists() or not has(path, [name for name in names.split("::") if name])
        ]
        assert missing == []
