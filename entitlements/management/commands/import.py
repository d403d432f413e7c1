"""`manage.py import FILE`: file a CSV inventory as one change request."""

import sys
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from entitlements.imports.drafts import NO_CURRENCY, Placement
from entitlements.imports.parsing import prepare_inventory
from entitlements.imports.services import file_inventory
from entitlements.imports.values import DateFormat, DecimalMark, Field, ImportOptions, SentinelSeats
from entitlements.management.commands.plan import REFUSED
from entitlements.terminal.inventories import print_filed, print_problems, print_reading
from foundation import clock
from foundation.errors import DomainError
from foundation.identity.models import User


class Command(BaseCommand):
    """File an inventory; nothing is written to the registry until the change request is approved and applied."""

    help = (
        "File a CSV inventory as one change request with its people's seats. Exit codes: 0 filed (or, with --dry-run, "
        "could be), 2 refused: nothing is filed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file and what it does not say."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--as", dest="username", required=True, help="the author")
        parser.add_argument("--regions", required=True, help="countries or groups of use, such as DE,US or EU")
        parser.add_argument("--map", action="append", default=[], metavar="COLUMN=FIELD", help="what a column means")
        parser.add_argument("--company", help="account of rows that name none")
        parser.add_argument("--currency", help="of amounts without one, such as EUR")
        parser.add_argument("--time-zone", default="UTC", help="in which the file's dates are meant")
        parser.add_argument("--dates", choices=[form.value for form in DateFormat], help="day or month first")
        parser.add_argument("--decimals", choices=[mark.value for mark in DecimalMark], help="decimal mark of amounts")
        parser.add_argument("--expires", type=date.fromisoformat, help="last day of use of rows that name none")
        parser.add_argument("--term-months", type=int, help="term of rows that name no end, from purchase")
        parser.add_argument("--perpetual", action="store_true", help="rows that name no end have none")
        parser.add_argument("--sentinel-seats", choices=[way.value for way in SentinelSeats], default="ask")
        parser.add_argument("--good-rows-only", action="store_true", help="file the good rows although others are bad")
        parser.add_argument("--dry-run", action="store_true", help="read and report, file nothing")

    def handle(self, *args: Any, file: Path, username: str, **options: Any) -> None:
        """Read, report, file."""
        console = Console(file=self.stdout)  # type: ignore[arg-type]
        author = User.objects.filter(username=username).first()
        if author is None:
            raise CommandError(f"There is no user {username}. Name one with --as.", returncode=REFUSED)
        try:
            data, chosen = file.read_bytes(), _options(options)
        except (OSError, ValueError) as error:
            raise CommandError(str(error), returncode=REFUSED) from error
        inventory = prepare_inventory(data, chosen)
        print_reading(console, inventory)
        print_problems(console, inventory.problems)
        if options["dry_run"]:
            console.print(f"{len(inventory.licenses)} licenses could be filed. Nothing is filed: this was a dry run.")
            sys.exit(0 if inventory.licenses else REFUSED)
        placement = Placement(
            regions=tuple(part.strip() for part in options["regions"].split(",") if part.strip()),
            time_zone=options["time_zone"],
            currency=options["currency"] or NO_CURRENCY,
            owner_id=author.id,
        )
        try:
            filed = file_inventory(
                data=data, name=file.name, options=chosen, placement=placement, author=author, now=clock.now()
            )
        except DomainError as error:
            self.stderr.write(error.message)
            sys.exit(REFUSED)
        print_filed(console, filed)
        console.print(f"{settings.PUBLIC_URL}/changes/{filed.change_request.number}/")


def _options(given: dict[str, Any]) -> ImportOptions:
    mapping: dict[str, Field | None] = {}
    for pair in given["map"]:
        column, _, name = pair.rpartition("=")
        mapping[column] = Field(name) if name else None
    return ImportOptions(
        mapping=mapping,
        date_format=DateFormat(given["dates"]) if given["dates"] else None,
        decimal_mark=DecimalMark(given["decimals"]) if given["decimals"] else None,
        currency=given["currency"],
        sentinel_seats=SentinelSeats(given["sentinel_seats"]),
        default_company=given["company"],
        default_expires_on=given["expires"],
        default_term_months=given["term_months"],
        blank_expiration_is_perpetual=given["perpetual"],
        good_rows_only=given["good_rows_only"],
    )
