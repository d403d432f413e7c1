"""Wires everything. Importing it makes Celery's app the current one, so that whoever rings a task knows the broker."""

from config.celery import app

__all__ = ["app"]
