"""`manage.py plan FILE`: what a change file would do."""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console

from approvals import changefile
from approvals.requests import revisions, services
from approvals.requests.revisions import Planned
from entitlements.terminal.plans import print_plan
from foundation import clock
from foundation.canonical import jsonable
from foundation.errors import DomainError
from foundation.identity.models import User

CLEAN, REFUSED, GAP, BROKEN = 0, 2, 3, 4


class Command(BaseCommand):
    """Print the plan of a change file; write nothing."""

    help = (
        "Print what a change file would do. Exit codes: 0 nobody loses access and every rule holds, 2 the file is "
        "refused, 3 the plan opens a gap, 4 a rule does not hold."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file, who asks, and the form of the answer."""
        parser.add_argument("file", type=Path, help="change file (.json or .toml), see docs/change-files.md")
        parser.add_argument("--as", dest="username", help="plan as this user, with what is granted to them")
        parser.add_argument("--json", action="store_true", help="print the plan document as JSON")

    def handle(self, *args: Any, file: Path, username: str | None, **options: Any) -> None:
        """Read, plan, print."""
        now = clock.now()
        try:
            change = changefile.read(file)
            if username:
                planned = services.preview(drafts=change.drafts, user=_user(username), now=now)
            else:
                planned = revisions.plan(
                    drafts=change.drafts, author=None, now=now, rationale=change.rationale, waiver=change.waiver
                )
        except DomainError as error:
            self.stderr.write(error.message)
            sys.exit(REFUSED)
        if options["json"]:
            self.stdout.write(json.dumps(jsonable(planned.plan.document), indent=2))
        else:
            stages = [dataclasses.asdict(stage) for stage in planned.stages]
            print_plan(Console(file=self.stdout), planned.plan.document, stages)  # type: ignore[arg-type]
        sys.exit(code_of(planned))


def code_of(planned: Planned) -> int:
    """The exit code that tells of a plan."""
    if planned.plan.failures:
        return BROKEN
    return GAP if planned.plan.new_gaps else CLEAN


def _user(username: str) -> User:
    return User.objects.get(username=username)
