"""Migrates as the role that owns the tables."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands.migrate import Command as DjangoMigrate

from foundation.embedded import profile

OWNER_ALIAS = "owner"


class Command(DjangoMigrate):
    """Django's `migrate`, on the connection of the owner instead of the one that serves."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Make the owner's connection the default."""
        super().add_arguments(parser)
        parser.set_defaults(database=OWNER_ALIAS)

    def handle(self, *args: Any, **options: Any) -> None:
        """
        Migrate.

        :raises CommandError: if there is no owner's connection, or another one is named
        """
        if options["database"] != OWNER_ALIAS:
            raise CommandError(
                f"“{options['database']}” was not migrated: the role that serves must own nothing. "
                f"Leave --database away, or set it to {OWNER_ALIAS}."
            )
        if OWNER_ALIAS not in settings.DATABASES:
            raise CommandError(
                "Nothing was migrated: this process knows only the role that serves, which may not change tables. "
                "Set DATABASE_OWNER_URL to postgres://tenure_owner:PASSWORD@HOST:5432/tenure for this command."
            )
        profile.ensure_started()
        super().handle(*args, **options)
