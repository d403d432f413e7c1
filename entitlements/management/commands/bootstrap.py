"""`manage.py bootstrap`: write first data."""

from typing import Any

from django.core.management.base import BaseCommand

from entitlements.surfaces.first_data import write_first_data
from foundation import clock


class Command(BaseCommand):
    """Write what an empty registry needs: region groups and a first policy. What is there stays as it is."""

    help = "Write first data (region groups, the first policy) through the governed path; safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it, and say so."""
        request = write_first_data(now=clock.now())
        if options["verbosity"]:
            told = f"Written by change {request.number}." if request else "First data is there already."
            self.stdout.write(told)
