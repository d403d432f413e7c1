"""The approvals app."""

from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    """The only way in which a governed record changes. It knows kinds, not meanings."""

    name = "approvals"
    verbose_name = "Change control"

    def ready(self) -> None:
        """
        Register this app's event types and its own governed kinds; imported here because models must be loaded first.
        """
        from approvals.packing import registration as packing  # noqa: PLC0415  models are not loaded before ready()
        from approvals.registration import register  # noqa: PLC0415  the same

        register()
        packing.register()
