"""Tells audit what packs may be about here, and what this app puts into them."""

from approvals.packing import history, requests
from approvals.packing.scopes import ChangeRequestScope
from audit.packs.port import register_contributor, register_scope_kinds


def register() -> None:
    """Register the scope of change requests and this app's contributors."""
    register_scope_kinds([ChangeRequestScope()])
    register_contributor("1 change requests", requests.contribute)
    register_contributor("2 history", history.contribute)
