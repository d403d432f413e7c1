"""The foundation app."""

from django.apps import AppConfig


class FoundationConfig(AppConfig):
    """What every other app stands on; it knows no business."""

    name = "foundation"
    verbose_name = "Foundation"

    def ready(self) -> None:
        """Stop the start if there are no keys to read stored secrets with; tell which copies of names are kept here."""
        from foundation import forgetting  # noqa: PLC0415  models are not loaded before ready()
        from foundation.secrets.services import check_keys  # noqa: PLC0415  settings are read when it is loaded

        check_keys()
        forgetting.register()
