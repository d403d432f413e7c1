"""Each import contract, broken once on purpose in a copy of the tree, and reported."""

import ast
import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGES = ("config", "entitlements", "approvals", "audit", "foundation")
DOMAIN = ("services", "rules", "states", "changes", "permissions", "errors", "queries", "models")

# Contract, the module that offends, and the line in it.
OFFENSES = [
    ("apps", "foundation/offender.py", "import audit"),
    ("apps", "audit/ledger/offender.py", "import approvals"),
    ("apps", "approvals/offender.py", "import entitlements"),
    ("apps", "entitlements/offender.py", "import config"),
    ("entitlements", "entitlements/catalog/offender.py", "import entitlements.imports"),
    ("entitlements", "entitlements/checks/offender.py", "import entitlements.coverage"),
    ("entitlements", "entitlements/unlisted/__init__.py", ""),
    ("approvals", "approvals/policies/offender.py", "import approvals.requests"),
    ("approvals", "approvals/unlisted/__init__.py", ""),
    ("audit", "audit/ledger/offender.py", "import audit.services"),
    ("audit", "audit/merkle/offender.py", "import audit.ledger"),
    ("audit", "audit/unlisted/__init__.py", ""),
    ("foundation", "foundation/outbox/offender.py", "import foundation.web"),
    ("foundation", "foundation/http/offender.py", "import foundation.secrets"),
    ("foundation", "foundation/unlisted/__init__.py", ""),
    ("pure", "entitlements/coverage/offender.py", "import django"),
    ("pure", "entitlements/checks/offender.py", "import foundation"),
    ("policies", "approvals/policies/rules.py", "import django"),
    ("policies", "approvals/policies/conditions.py", "import approvals.governed"),
    ("domain", "entitlements/imports/services.py", "import rest_framework"),
]


def contracts() -> dict[str, str]:
    """Answer the contracts' names by their ids."""
    parser = configparser.ConfigParser()
    parser.read(CHECKOUT / ".importlinter")
    prefix = "importlinter:contract:"
    return {section.removeprefix(prefix): parser[section]["name"] for section in parser if section.startswith(prefix)}


def report(tree: Path, contract: str) -> str:
    """Answer what lint-imports says of one contract in a tree."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [str(linter), "--no-cache", "--contract", contract], cwd=tree, capture_output=True, text=True, check=False
    )
    return done.stdout


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Have a copy of the modules and the contracts."""
    for package in PACKAGES:
        shutil.copytree(
            CHECKOUT / package,
            tmp_path / package,
            ignore=lambda directory, names: [
                name for name in names if not (name.endswith(".py") or Path(directory, name).is_dir())
            ],
        )
    shutil.copy(CHECKOUT / ".importlinter", tmp_path)
    return tmp_path


class TestContract:
    @pytest.mark.parametrize(("contract", "module", "line"), OFFENSES)
    def test_reports_an_offense(self, tree: Path, contract: str, module: str, line: str) -> None:
        offender = tree / module
        offender.parent.mkdir(exist_ok=True)
        before = offender.read_text() if offender.exists() else ""
        offender.write_text(f"{before}\n{line}\n")
        assert f"{contracts()[contract]} BROKEN" in report(tree, contract)

    def test_is_kept_without_one(self) -> None:
        linter = Path(sys.executable).with_name("lint-imports")
        done = subprocess.run([str(linter), "--no-cache"], cwd=CHECKOUT, capture_output=True, text=True, check=False)
        assert "0 broken" in done.stdout, done.stdout

    def test_has_an_offense_here(self) -> None:
        assert {contract for contract, _module, _line in OFFENSES} == set(contracts())


class TestDomain:
    def test_knows_no_http(self) -> None:
        offenders = [
            f"{path.relative_to(CHECKOUT)} imports {name}"
            for package in PACKAGES
            for path in (CHECKOUT / package).rglob("*.py")
            if path.stem in DOMAIN and not path.is_relative_to(CHECKOUT / "foundation" / "web")
            for name in imported(path)
            if name.startswith(("django.http", "django.shortcuts", "django.views"))
        ]
        assert offenders == []


def imported(path: Path) -> list[str]:
    """Answer the names of the modules that a file imports."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return plain + [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
