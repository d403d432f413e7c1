"""Directories for embedded instances besides the one that the tests run on."""

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from foundation.embedded import layout
from tests.support import instance

Arrange = Callable[[], layout.Layout]
_numbers = itertools.count()


@pytest.fixture
def arrange() -> Iterator[Arrange]:
    """Have a function that answers a fresh layout, where the server's user can reach it; all are removed afterwards."""
    made: list[layout.Layout] = []

    def fresh() -> layout.Layout:
        made.append(instance.layout_of(f"run-{os.getpid()}-{next(_numbers)}"))
        return made[-1]

    yield fresh
    for one in made:
        instance.remove_instance(one)


@pytest.fixture
def checkout() -> Path:
    """Answer the root of this checkout."""
    return instance.CHECKOUT
