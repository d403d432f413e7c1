"""The audit app."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The ledger: text, time and hashes. It never imports what it keeps evidence of."""

    name = "audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        """Register this app's own event types and subjects; imported here because models must be loaded first."""
        from audit import contributors, events, subjects  # noqa: PLC0415  the same place as in the other apps
        from audit.packs.recording import SUBJECTS  # noqa: PLC0415  models are not loaded before ready()
        from audit.reviews import recording as reviews  # noqa: PLC0415  the same

        contributors.register_event_types(events.EVENT_TYPES)
        subjects.register_subjects(SUBJECTS)
        subjects.register_subjects(reviews.SUBJECTS)
