"""`manage.py bootstrap`: write first data."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from approvals.announcements.defaults import write_defaults
from entitlements.surfaces.first_data import write_first_data
from foundation import clock


class Command(BaseCommand):
    """Write what an empty registry needs: region groups and first policies. What is there stays as it is."""

    help = "Write first data (region groups, the first policies) through the governed path; safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whether the first policies ask the owners of what a change touches."""
        parser.add_argument(
            "--owners",
            action="store_true",
            help="ask legal, finance, security, product, support and IT operations for what they own (docs/facts.md)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it, and say so."""
        now = clock.now()
        request = write_first_data(now=now, owners=options["owners"])
        write_defaults(now=now)
        if options["verbosity"]:
            told = f"Written by change {request.number}." if request else "First data is there already."
            self.stdout.write(told)
