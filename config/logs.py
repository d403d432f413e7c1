"""
One line of log for one thing that happened, with its process, request and user as fields.

JSON in production, a line for people in the embedded profile. The process's name is `TENURE_PROCESS`.
"""

import os
from typing import Any

import structlog
from structlog.types import EventDict, Processor

# Tell of every task that came and went, several each second: kept for machines, silent where people read,
# unless they ask for DEBUG.
DOORBELLS = ("celery.worker.strategy", "celery.app.trace", "celery.beat", "django_structlog.celery")


def name_process(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Say which of Tenure's processes writes the line."""
    event["process"] = os.environ.get("TENURE_PROCESS", "manage")
    return event


def arrange(*, level: str, for_people: bool) -> dict[str, Any]:
    """Configure structlog, and answer the settings of the standard library's logging that go with it."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        name_process,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    last: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
        if for_people
        else [
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(),
        ]
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
                "foreign_pre_chain": shared,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
            "_granian": {"handlers": ["stderr"], "level": level, "propagate": False},
            "granian.access": {"handlers": ["stderr"], "level": level, "propagate": False},
            **{name: {"level": "WARNING" if for_people and level == "INFO" else level} for name in DOORBELLS},
        },
    }
