"""Fixtures of what happens after application."""

from tests.approvals.conftest import break_ledger, world

__all__ = ["break_ledger", "world"]
