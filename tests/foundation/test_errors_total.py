"""Every domain error of the project can be told."""

import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from foundation.api.problems import TABLE, problem_of, type_uri
from foundation.errors import DomainError

APPS = ("config", "foundation", "audit", "approvals", "entitlements")


def modules() -> Iterator[ModuleType]:
    """Import every module of the project, except what runs when it is imported."""
    for app in APPS:
        package = importlib.import_module(app)
        yield package
        for info in pkgutil.walk_packages(package.__path__, prefix=f"{app}."):
            if ".migrations" not in info.name and not info.name.endswith("__main__"):
                yield importlib.import_module(info.name)


def subclasses(of: type[DomainError]) -> Iterator[type[DomainError]]:
    for child in of.__subclasses__():
        if child.__module__.split(".")[0] in APPS:
            yield child
        yield from subclasses(child)


@pytest.fixture(scope="module")
def domain_errors(django_db_setup: None, django_db_blocker: Any) -> list[type[DomainError]]:
    # Among the modules is the one that serves, which looks at the ledger when it is imported.
    with django_db_blocker.unblock():
        assert list(modules())
    return sorted(set(subclasses(DomainError)), key=lambda error: (error.__module__, error.__qualname__))


class TestEveryDomainError:
    def test_exists(self, domain_errors: list[type[DomainError]]) -> None:
        assert len(domain_errors) > 10

    def test_has_code_title_and_status_of_a_refusal(self, domain_errors: list[type[DomainError]]) -> None:
        for error in domain_errors:
            assert error.code.isascii(), error
            assert error.code.replace("_", "").isalnum(), error
            assert error.code == error.code.lower(), error
            assert error.title, error
            assert not error.title.endswith("."), error
            assert 400 <= error.status < 500, error

    def test_has_a_code_of_its_own(self, domain_errors: list[type[DomainError]]) -> None:
        counted = Counter(error.code for error in domain_errors)

        assert [code for code, count in counted.items() if count > 1] == []

    def test_says_the_same_as_the_frameworks_under_the_same_code(self, domain_errors: list[type[DomainError]]) -> None:
        for kind in TABLE.values():
            for error in domain_errors:
                if error.code == kind.code:
                    assert (error.title, error.status) == (kind.title, kind.status)

    def test_has_a_problem(self, domain_errors: list[type[DomainError]]) -> None:
        for error in domain_errors:
            told = problem_of(error("A sentence. What to do."))
            assert told is not None, error
            assert (told.code, told.title, told.status) == (error.code, error.title, error.status)
            assert type_uri(told.code).endswith(f"/problems/{error.code}")

    def test_tells_the_reader_in_its_docstring(self, domain_errors: list[type[DomainError]]) -> None:
        for error in domain_errors:
            assert error.__doc__, error
