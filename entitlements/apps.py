"""The registry app."""

from django.apps import AppConfig


class EntitlementsConfig(AppConfig):
    """The registry of entitlements, and what follows from it."""

    name = "entitlements"
    verbose_name = "Registry"

    def ready(self) -> None:
        """Tell approvals and audit what this app has; imported here because models must be loaded first."""
        from entitlements.governed.registration import register  # noqa: PLC0415  models are not loaded before ready()

        register()
