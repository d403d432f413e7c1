"""
The admin of change control: its own pages, and the base on which every governed record has its pages.

`proposing.py` has the base; nothing that it leads to writes a governed record.
"""

from approvals.admin.freezes import AccountingPeriodAdmin
from approvals.admin.limits import AuthorityLimitAdmin
from approvals.admin.permits import PermitAdmin
from approvals.admin.policies import PolicyAdmin
from approvals.admin.requests import ChangeRequestAdmin
from approvals.admin.standards import StandardTemplateAdmin
from approvals.admin.tickets import TicketSystemAdmin

__all__ = [
    "AccountingPeriodAdmin",
    "AuthorityLimitAdmin",
    "ChangeRequestAdmin",
    "PermitAdmin",
    "PolicyAdmin",
    "StandardTemplateAdmin",
    "TicketSystemAdmin",
]
