"""`manage.py demo`: play the story on an empty registry, then serve it."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from rich.console import Console
from rich.table import Table

from approvals.announcements.defaults import write_defaults
from entitlements.story import cast, play
from entitlements.surfaces.first_data import write_first_data
from foundation import clock
from foundation.embedded import profile
from foundation.embedded.errors import EmbeddedError


class Command(BaseCommand):
    """The whole product on this machine, in one command."""

    help = (
        "Play the story (once: data stays) on the embedded PostgreSQL, then serve it. --no-serve ends after the story."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whether to serve, and where."""
        parser.add_argument("--no-serve", action="store_true", help="end after the story")
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, no_serve: bool, host: str, port: int, **options: Any) -> None:
        """Prepare, play, serve."""
        console = Console(file=self.stdout if options["verbosity"] else None, soft_wrap=True)  # type: ignore[arg-type]
        try:
            with profile.running():
                self.tell(console, f"http://{host}:{port}/")
                connections.close_all()
        except EmbeddedError as refusal:
            raise CommandError(str(refusal)) from refusal
        if not no_serve:
            call_command("serve", host=host, port=port)

    def tell(self, console: Console, address: str) -> None:
        """Migrate, play the story unless it was played, and show the logins."""
        console.print("Preparing the database …")
        call_command("migrate", verbosity=0)
        now = clock.now()
        write_first_data(now=now, owners=True)
        write_defaults(now=now)
        users, passwords = cast.assemble()
        if play.is_played():
            console.print("The story has been played here before; its data is kept. Remove it with: make clean-demo")
        else:
            play.play(console=console, cast=users, now=now)
        console.rule("Sign in")
        table = Table(box=None, pad_edge=False)
        for heading in ("Login", "Password (new, shown once)", "What they do"):
            table.add_column(heading)
        for login, password in passwords.items():
            table.add_row(login, password, cast.role_of(login))
        console.print(table)
        console.print(f"Address: {address}   Admin (ada): {address}admin/")
