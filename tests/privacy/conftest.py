"""Fixtures of the tests of erasure: those of change control."""

from tests.approvals.conftest import break_ledger, world

__all__ = ["break_ledger", "world"]
