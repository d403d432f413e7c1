"""The audit app."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The ledger: text, time and hashes. It never imports what it keeps evidence of."""

    name = "audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        """Register this app's own event types."""
        from audit import contributors, events  # noqa: PLC0415  the same place as in the other apps

        contributors.register_event_types(events.EVENT_TYPES)
