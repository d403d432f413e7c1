"""`manage.py erase_person WHO --as LOGIN --basis asked [--yes]`: erase what is known of a human by name."""

import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from entitlements.privacy import reading, services
from foundation import clock
from foundation.errors import DomainError
from foundation.identity.models import User

REFUSED = 2


class Command(BaseCommand):
    """Say what would be erased and what would remain; with --yes, erase."""

    help = (
        "Erase what is known of a human by name. Without --yes it says what would be erased, what would remain and "
        "what stands in the way. Exit codes: 0 done or shown, 2 refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whom, who erases, why, and whether it is meant."""
        parser.add_argument("who", help="id of the human, or of a login or person of theirs; or a login name")
        parser.add_argument("--as", dest="username", required=True, help="who erases")
        parser.add_argument("--basis", choices=list(services.BASES), required=True, help="why")
        parser.add_argument("--yes", action="store_true", help="erase; it can't be brought back")

    def handle(self, *args: Any, who: str, username: str, basis: str, yes: bool, **options: Any) -> None:
        """Show, then erase if it is meant."""
        now = clock.now()
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username}. Name one with --as.", returncode=REFUSED)
        try:
            human = services.look(key=self.key_of(who), user=user)
            shown = reading.preview(human=human, user=user)
            for title, rows in (("Erased", shown.erased), ("Remains", shown.remains)):
                for row in rows:
                    self.stdout.write(f"{title}: {row.count:,} {row.words}{f' ({row.why})' if row.why else ''}")
            if not yes:
                self.stdout.write(shown.refused or "Nothing was erased. Say --yes to erase it for good.")
                return
            services.erase(key=human.human_id, user=user, basis=basis, now=now)
        except DomainError as error:
            raise CommandError(error.message, returncode=REFUSED) from error
        self.stdout.write(f"Erased: human {human.human_id} reads “{services.ERASED}” everywhere.")

    def key_of(self, who: str) -> uuid.UUID:
        """
        The id that was given, or that of the login of that name.

        :raises CommandError: if there is no such login
        """
        try:
            return uuid.UUID(who)
        except ValueError:
            login = User.objects.filter(username=who).values_list("id", flat=True).first()
            if login is None:
                raise CommandError(
                    f"Nobody signs in as {who}. Name a login, or the id of a human.", returncode=REFUSED
                ) from None
            return login
