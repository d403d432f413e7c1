"""
Celery: the clock and the hands. PostgreSQL is the queue and the truth.

A task claims what is due in the database and makes one service call for each; losing the broker, or a task, loses
time and never work. So there is no eta and no countdown, and results are not kept.

Source: docs/decisions/0013-celery-is-the-clock-and-the-hands.md
"""

import os
import warnings

from celery import Celery
from celery.platforms import SecurityWarning
from celery.signals import setup_logging
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("tenure")
# Read when first needed: the settings may be what imports this.
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# A task's lines carry the id of the request that rang it.
app.steps["worker"].add(DjangoStructLogInitStep)

if os.environ.get("TENURE_PROFILE") == "embedded":
    # That profile runs as whoever calls it, who may be root.
    warnings.simplefilter("ignore", SecurityWarning)


@setup_logging.connect  # type: ignore[untyped-decorator]
def keep_logging(**_options: object) -> None:
    """Leave logging as the settings made it; a receiver is how Celery is told not to replace it."""
