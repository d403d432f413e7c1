"""The ledger in a terminal: verify it, print its head, go on after a restore, make a key."""

import base64
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.copies.restored import acknowledge
from audit.merkle.notes import BadKey, SignerKey, VerifierKey
from audit.sealing import keys
from audit.sealing.models import Checkpoint
from audit.sealing.verification import Report, verify
from foundation import clock
from foundation.errors import DomainError
from foundation.identity.models import User


class Command(BaseCommand):
    """What people do with the log: verify it, keep its head, go on after a restore, make keys."""

    help = "Verify the ledger, print its signed head, go on after a restore, or make a key."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to do."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        check = actions.add_parser("verify", help="read the whole log, and compare it with what was signed")
        check.add_argument(
            "--checkpoint",
            action="append",
            default=[],
            metavar="FILE",
            help="a signed checkpoint kept elsewhere; may be repeated",
        )
        check.add_argument(
            "--key",
            action="append",
            default=[],
            metavar="KEY",
            help="believe this verifier key (name+id+base64) instead of the configured ones; may be repeated",
        )
        check.add_argument("--origin", default="", help="the log's name, if it is not the configured one")
        go_on = actions.add_parser("acknowledge", help="go on with a database that is older than its ledger outside")
        go_on.add_argument("--as", dest="username", required=True, metavar="LOGIN", help="who answers for it")
        go_on.add_argument("--reason", required=True, help="why this state is the one to go on with")
        actions.add_parser("checkpoint", help="print the last signed checkpoint")
        make = actions.add_parser("new-key", help="make a signing key and print it with its public half")
        make.add_argument("--name", default="", help="the key's name (the log's)")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        """
        Do it.

        :raises CommandError: if the log does not hold, or the input is no checkpoint or key
        """
        actions: dict[str, Callable[..., None]] = {
            "verify": self.verify,
            "checkpoint": self.checkpoint,
            "acknowledge": self.acknowledge,
            "new-key": self.new_key,
        }
        actions[action](**options)

    def verify(self, *, checkpoint: list[str], key: list[str], origin: str, **options: Any) -> None:
        """Verify everything; exit with 1 and the findings if something does not fit."""
        try:
            brought = [Path(name).read_text() if name != "-" else sys.stdin.read() for name in checkpoint]
            believed = [VerifierKey.read(text) for text in key] or keys.verifiers()
        except (OSError, UnicodeDecodeError, BadKey) as error:
            raise CommandError(f"Nothing was verified: {error}") from error
        report, rows = verify(brought=brought, keys=believed, origin=origin)
        for name, count in sorted(rows.items()):
            self.stdout.write(f"{count:,} {name} compared with the events.")
        self.tell(report, brought=len(brought))

    def tell(self, report: Report, *, brought: int) -> None:
        """
        Say what was found.

        :raises CommandError: if anything was
        """
        root = base64.b64encode(report.root).decode()
        self.stdout.write(f"{report.size:,} events read, root {root}, {report.checkpoints:,} checkpoints compared.")
        if report.unsealed:
            self.stdout.write(f"{report.unsealed:,} events are newer and not sealed yet.")
        if not report.holds:
            told = "\n".join(f"  {finding.code}: {finding.told}" for finding in report.findings)
            raise CommandError(f"The ledger does not hold. {len(report.findings)} findings:\n{told}")
        if not brought:
            self.stdout.write(
                "No checkpoint from outside was given: whoever has the database and the signing key could pass. Give "
                "one that was exported, with --checkpoint."
            )
        self.stdout.write("The ledger holds.")

    def acknowledge(self, *, username: str, reason: str, **options: Any) -> None:
        """
        Record that the older state is the one to go on with.

        :raises CommandError: if nothing is to be acknowledged, or there is no such login
        """
        user = User.objects.filter(username=username, is_active=True).first()
        if user is None:
            raise CommandError(f"Nothing was recorded: there is no active login “{username}”.")
        try:
            event = acknowledge(user=user, reason=reason, now=clock.now())
        except (DomainError, BadKey) as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"Event {event.id} is recorded. The log goes on as “{keys.origin()}”.")

    def checkpoint(self, **options: Any) -> None:
        """
        Print the last checkpoint as it was signed.

        :raises CommandError: if nothing was sealed yet
        """
        last = Checkpoint.objects.order_by("-size").first()
        if last is None:
            raise CommandError("Nothing was sealed yet: is the sealer running? “manage.py seal --once” seals now.")
        self.stdout.write(last.note, ending="")

    def new_key(self, *, name: str, **options: Any) -> None:
        """
        Print a new key pair; nothing is stored.

        :raises CommandError: if the name is none
        """
        try:
            key = SignerKey.new(name or settings.LEDGER_ORIGIN)
        except BadKey as error:
            raise CommandError(f"No key was made: {error}") from error
        self.stdout.write("# Secret, for the sealer alone: LEDGER_SIGNING_KEYS")
        self.stdout.write(key.text())
        self.stdout.write("# Public, for everybody who verifies: LEDGER_VERIFIER_KEYS")
        self.stdout.write(str(key.verifier))
