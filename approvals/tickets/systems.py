"""Setting up ticket systems: by administrators, at once, with its event."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from pydantic import ValidationError

from approvals import events
from approvals.requests.states import Status
from approvals.roles import CONFIGURE_TICKETS
from approvals.tickets.connectors import Connection, connectors
from approvals.tickets.errors import SecretNeeded
from approvals.tickets.models import TicketSystem
from audit.services import NewEvent, Subject, record
from foundation.errors import Conflict, InvalidInput, NotFound, NotPermitted
from foundation.http import client
from foundation.identity.models import User


class TicketCodeTaken(Conflict):
    """Another system has the code."""

    code = "ticket_code_taken"
    title = "Another ticket system has this code"


@dataclass(frozen=True)
class SystemSettings:
    """
    What an administrator says of a system; `secret` None keeps the stored one.
    """

    code: str
    name: str
    product: str
    base_url: str
    account: str
    secret: str | None
    settings: Mapping[str, Any]
    enabled: bool = True


def check_may_configure(*, user: User) -> None:
    """
    Refuse everybody but administrators.

    :raises NotPermitted: if the user may not set up ticket systems
    """
    if not user.is_active or not user.has_perm(CONFIGURE_TICKETS):
        raise NotPermitted("You may not set up ticket systems. Ask an administrator.")


def connection_of(system: TicketSystem, *, seconds: float = 15.0) -> Connection:
    """What a connector needs to reach a system."""
    return Connection(
        base_url=system.base_url,
        account=system.account,
        secret=system.secret,
        settings=system.settings,
        seconds=seconds,
    )


@transaction.atomic
def add(*, asked: SystemSettings, actor: User, now: datetime) -> TicketSystem:
    """
    Set up a system.

    :raises NotPermitted: if the actor may not
    :raises InvalidInput: if a value does not fit, or there is no secret
    :raises OutgoingRefused: if the address may not be reached
    :raises TicketCodeTaken: if another system has the code
    """
    check_may_configure(user=actor)
    if not asked.secret:
        raise SecretNeeded("Enter the password or token with which Tenure signs in to the system.")
    _check(asked)
    system = TicketSystem(id=uuid4(), code=asked.code, product=asked.product)
    _write(system, asked, now)
    if TicketSystem.objects.filter(code=asked.code).exists():
        raise TicketCodeTaken(f"There is a ticket system {asked.code} already. Choose another code.")
    system.save(force_insert=True)
    _record(system, actor, now, "everything")
    return system


@transaction.atomic
def change(*, system_id: UUID, asked: SystemSettings, actor: User, now: datetime) -> TicketSystem:
    """
    Change a system. Its code and product stay: policies and tickets name them.

    A stored secret goes only where it was entered for: another address or account needs it entered again.

    :raises NotPermitted: if the actor may not
    :raises NotFound: if there is no such system
    :raises InvalidInput: if a value does not fit
    :raises SecretNeeded: if address or account change and the secret is not given
    :raises OutgoingRefused: if the address may not be reached
    """
    check_may_configure(user=actor)
    system = TicketSystem.objects.select_for_update().filter(id=system_id).first()
    if system is None:
        raise NotFound("There is no such ticket system.")
    if (asked.code, asked.product) != (system.code, system.product):
        raise InvalidInput("A system keeps its code and product. Disable this one and add another.")
    if not asked.secret and (asked.base_url.strip(), asked.account.strip()) != (system.base_url, system.account):
        raise SecretNeeded("The address or account is another one. Enter the secret for it: the stored one stays here.")
    _check(asked)
    names = ("name", "base_url", "account", "settings", "enabled")
    before = {name: getattr(system, name) for name in names}
    _write(system, asked, now)
    changed = [name for name in names if getattr(system, name) != before[name]] + (["secret"] if asked.secret else [])
    if changed:
        system.save()
        _record(system, actor, now, ", ".join(changed))
    return system


def _check(asked: SystemSettings) -> None:
    wrong = []
    known = connectors()
    if asked.product not in known:
        wrong.append(("product", f"There is no connector “{asked.product}”. Use one of {', '.join(sorted(known))}."))
    if not _matches(asked.code) or asked.code == "any":
        wrong.append(("code", "Write the code in small letters, digits and hyphens, and not “any”."))
    if not asked.name.strip() or len(asked.name) > 100:
        wrong.append(("name", "Give the system a name of at most 100 characters."))
    if len(asked.base_url) > 500 or "?" in asked.base_url or "#" in asked.base_url:
        wrong.append(("base_url", "Write the address without a query, such as https://example.service-now.com."))
    if len(asked.account) > 200 or ":" in asked.account or not asked.account.isprintable():
        wrong.append(("account", "An account has at most 200 characters and no colon."))
    if asked.secret and (len(asked.secret) > 4000 or not asked.secret.isprintable()):
        wrong.append(("secret", "The secret has line ends or other characters that cannot be sent."))
    if not wrong:
        wrong += _wrong_settings(asked)
    if wrong:
        raise InvalidInput(
            " ".join(sentence for _, sentence in wrong),
            errors=[{"field": field, "message": sentence} for field, sentence in wrong],
        )
    client.check(asked.base_url.strip())


def _wrong_settings(asked: SystemSettings) -> list[tuple[str, str]]:
    try:
        read = connectors()[asked.product].settings.model_validate(dict(asked.settings))
    except ValidationError as error:
        return [
            ("settings", f"{'.'.join(map(str, one['loc'])) or 'settings'}: {one['msg']}.") for one in error.errors()[:5]
        ]
    unknown = sorted(set(getattr(read, "on", {})) - set(Status.values))
    if unknown:
        return [("settings", f"on: {', '.join(unknown)} is no status of a change. Use {', '.join(Status.values)}.")]
    return []


def _matches(code: str) -> bool:
    return 2 <= len(code) <= 40 and code[0] in _LETTERS and set(code) <= _LETTERS | set("0123456789-")


_LETTERS = set("abcdefghijklmnopqrstuvwxyz")


def _write(system: TicketSystem, asked: SystemSettings, now: datetime) -> None:
    system.name = asked.name.strip()
    system.base_url = asked.base_url.strip()
    system.account = asked.account.strip()
    system.settings = dict(asked.settings)
    system.enabled = asked.enabled
    system.changed_at = now
    if asked.secret:
        system.secret = asked.secret


def _record(system: TicketSystem, actor: User, now: datetime, fields: str) -> None:
    record(
        event=NewEvent(
            type=events.TICKET_SYSTEM_CONFIGURED,
            actor=actor,
            subject=Subject(type="approvals.ticketsystem", id=system.id, label=f"ticket system {system.code}"),
            data={
                "code": system.code,
                "product": system.product,
                "base_url": system.base_url,
                "enabled": system.enabled,
                "fields": fields,
            },
        ),
        now=now,
    )
