"""The audit app."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The ledger: text, time and hashes. It never imports what it keeps evidence of."""

    name = "audit"
    verbose_name = "Audit"
