"""The foundation app."""

from django.apps import AppConfig


class FoundationConfig(AppConfig):
    """What every other app stands on; it knows no business."""

    name = "foundation"
    verbose_name = "Foundation"
