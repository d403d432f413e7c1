"""Prints what the role that serves may do with each table, and checks it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from approvals.records import grants


class Command(BaseCommand):
    """Read from the catalog of the database, on the connection that serves: embedded and in production alike."""

    help = "Print what the role that serves may do with each table; exit with 1 if it is more than it should be."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """
        Print, and check.

        :raises CommandError: naming everything that does not fit
        """
        found = grants.read()
        width = max(len(row.table) for row in found.rows)
        for row in found.rows:
            self.stdout.write(f"{row.table:<{width}}  {row.sort:<11}  {', '.join(row.privileges) or 'nothing'}")
        problems = found.problems
        if problems:
            raise CommandError(
                f"{found.role} may do what it should not, or a guard is gone:\n  " + "\n  ".join(problems)
            )
        self.stdout.write(
            f"{found.role} owns nothing, and can't change or remove a row of the ledger, of history and of whatever "
            "only grows."
        )
