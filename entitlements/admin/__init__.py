"""
The admin of the registry: pages of every concept, in one place because they show rows as the surfaces do.

Governed records propose (approvals/admin/proposing.py); operational tables are read; logins and grants are edited, each
save with its events.
"""

from entitlements.admin import agreements, catalog, directory, freezes, grants, logins

__all__ = ["agreements", "catalog", "directory", "freezes", "grants", "logins"]
