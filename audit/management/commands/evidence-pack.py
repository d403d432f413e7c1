"""Evidence packs in a terminal: make one, list them, compare one with the ledger."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.packs import forms, port, services, working
from audit.packs.comparing import compare
from audit.packs.models import EvidencePack
from audit.sealing import keys
from foundation import clock
from foundation.errors import DomainError
from foundation.identity.models import User

WAIT_SECONDS = 300.0


class Command(BaseCommand):
    """`make` asks for a pack, makes it here and writes it; `list` shows them; `compare` selects again."""

    help = "Make an evidence pack, list them, or compare one with the ledger."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to do."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        make = actions.add_parser("make", help="make a pack and write it to a file")
        make.add_argument("kind", choices=sorted(port.scope_kinds()), help="what it is about")
        make.add_argument("subject", nargs="?", default="", help="its id, number, reference or code")
        make.add_argument("--as", dest="login", required=True, help="the login that asks, whose rights count")
        make.add_argument("--since", default="", help="from this instant or day on (UTC unless it says otherwise)")
        make.add_argument("--until", default="", help="before this instant or day")
        make.add_argument("--purpose", default="", help="what it is for; stands in the pack")
        make.add_argument("--checkpoint", default="", metavar="FILE", help="an older signed checkpoint to prove from")
        make.add_argument("--keep-days", type=int, default=None, help="for how many days it is kept here")
        make.add_argument("--out", default="", metavar="FILE", help="where to write it")
        actions.add_parser("list", help="list the packs, newest first")
        check = actions.add_parser("compare", help="select again what a pack holds, and compare")
        check.add_argument("pack", metavar="PACK.zip")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        """
        Do it.

        :raises CommandError: if it is refused, or the pack is not what the ledger gives
        """
        actions: dict[str, Callable[..., None]] = {"make": self.make, "list": self.list, "compare": self.compare}
        try:
            actions[action](**options)
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal

    def make(self, *, kind: str, subject: str, login: str, out: str, checkpoint: str, **options: Any) -> None:
        """
        Ask, make, write.

        :raises CommandError: if it fails
        """
        user = User.objects.filter(username=login, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active login “{login}”. Name who asks with --as.")
        try:
            older = Path(checkpoint).read_text() if checkpoint else ""
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"No pack was asked for: {error}") from error
        pack = services.ask(
            user=user,
            kind=kind,
            subject_id=forms.subject_of(port.scope_kind(kind), subject),
            since=_instant(options["since"]),
            until=_instant(options["until"]),
            purpose=options["purpose"],
            older=older,
            keep_days=options["keep_days"],
            now=clock.now(),
        )
        self.stdout.write(f"Asked for evidence about {pack.label}.")
        pack = self._made(pack)
        if not pack.is_ready:
            raise CommandError(pack.problem or "The pack is not ready yet; a worker goes on with it.")
        _, parts = services.download(user=user, pack_id=pack.id, where="terminal", now=clock.now())
        target = Path(out or pack.file_name)
        with target.open("wb") as written:
            written.writelines(parts)
        self.stdout.write(f"{target}: {pack.size:,} bytes, SHA-256 {pack.sha256}, {pack.event_count:,} events.")
        self.stdout.write(f"python verify_pack.py {target} --key {keys.verifiers()[0]} --origin {keys.origin()}")

    def _made(self, pack: EvidencePack) -> EvidencePack:
        """The pack once it has come to an end, made by this process or by a worker."""
        until = time.monotonic() + WAIT_SECONDS
        while pack.is_unfinished and time.monotonic() < until:
            if not working.build_due(now=clock.now(), pack_id=pack.id):
                self.stdout.write("Waiting for the sealer: “manage.py seal --once” seals now.")
                time.sleep(1)
            pack.refresh_from_db()
        return pack

    def list(self, **options: Any) -> None:
        """Print the packs."""
        for pack in EvidencePack.objects.order_by("-asked_at", "id"):
            self.stdout.write(f"{pack.id}  {pack.asked_at:%Y-%m-%d %H:%M}  {pack.status:9}  {pack.label}")

    def compare(self, *, pack: str, **options: Any) -> None:
        """
        Compare a pack with the ledger here.

        :raises CommandError: if something differs
        """
        found = compare(Path(pack))
        if found.findings:
            told = "\n".join(f"  {finding}" for finding in found.findings)
            raise CommandError(f"The pack is not what this ledger gives. {len(found.findings)} findings:\n{told}")
        self.stdout.write(f"{found.events:,} events, exactly those that the ledger gives for the pack's criteria.")


def _instant(text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"“{text}” is no instant. Write 2026-11-24 or 2026-11-24T13:05:00Z.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
