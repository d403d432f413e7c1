"""`manage.py propose FILE`: file a change file as a change request."""

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from rich.console import Console

from approvals import changefile
from approvals.requests import services
from approvals.requests.errors import GapWithoutWaiver, RulesBroken
from entitlements.management.commands.plan import BROKEN, GAP, REFUSED
from entitlements.terminal.plans import print_plan
from foundation import clock
from foundation.errors import DomainError
from foundation.identity.models import User

CODES: dict[type[DomainError], int] = {GapWithoutWaiver: GAP, RulesBroken: BROKEN}


class Command(BaseCommand):
    """File a change file, as a draft or straight to review."""

    help = (
        "File a change file as a change request. Exit codes: 0 filed, 2 refused, 3 not sent to review because the plan "
        "opens a gap, 4 because a rule does not hold; with 3 and 4 nothing is filed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file, the author, and whether it goes to review."""
        parser.add_argument("file", type=Path, help="change file (.json or .toml), see docs/change-files.md")
        parser.add_argument("--as", dest="username", required=True, help="the author")
        parser.add_argument("--submit", action="store_true", help="send it to review at once")

    def handle(self, *args: Any, file: Path, username: str, submit: bool, **options: Any) -> None:
        """Read, propose, print where it is."""
        now = clock.now()
        author = User.objects.filter(username=username).first()
        if author is None:
            raise CommandError(f"There is no user {username}. Name one with --as.", returncode=REFUSED)
        try:
            with transaction.atomic():
                change = changefile.read(file)
                request = services.propose(
                    title=change.title,
                    drafts=change.drafts,
                    author=author,
                    now=now,
                    rationale=change.rationale,
                    waiver=change.waiver,
                    template_id=change.template_id,
                    source="command",
                )
                if submit:
                    request = services.submit(change_request_id=request.id, author=author, now=now)
        except DomainError as error:
            self.stderr.write(error.message)
            sys.exit(CODES.get(type(error), REFUSED))
        revision = services.current(request)
        print_plan(Console(file=self.stdout), revision.plan, revision.document["policy"])  # type: ignore[arg-type]
        self.stdout.write(
            f"Change {request.number} is {request.status_label.lower()}, digest {revision.digest}.\n"
            f"{settings.PUBLIC_URL}/changes/{request.number}/"
        )
