"""
Access to accounts and products, granted to users and groups and revoked, each with its event.

Grants are operational: they say who may see and touch what, and never change what anybody is entitled to.
"""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from audit.services import NewEvent, Subject, record_all
from entitlements.catalog.models import Product
from entitlements.directory import events
from entitlements.directory.access import ACCESS_ACCOUNT, ACCESS_PRODUCT
from entitlements.directory.models import (
    Account,
    AccountGroupGrant,
    AccountUserGrant,
    ProductGroupGrant,
    ProductUserGrant,
)
from foundation.errors import NotFound
from foundation.identity.models import User

Target = type[Account] | type[Product]
_CODENAMES: Mapping[Target, str] = {Account: ACCESS_ACCOUNT, Product: ACCESS_PRODUCT}
_ROWS: Mapping[tuple[type, Target], Any] = {
    (User, Account): AccountUserGrant,
    (User, Product): ProductUserGrant,
    (Group, Account): AccountGroupGrant,
    (Group, Product): ProductGroupGrant,
}


def granted_ids(*, holder: User | Group, target: Target) -> set[uuid.UUID]:
    """The accounts or products granted to a user or a group itself; not what follows from them."""
    rows = _rows(holder, target).filter(**_held_by(holder), permission__codename=_CODENAMES[target])
    return set(rows.values_list("content_object_id", flat=True))


@transaction.atomic
def grant_access(*, holder: User | Group, target: Target, ids: Iterable[uuid.UUID], actor: User, now: datetime) -> None:
    """
    Grant accounts or products, one event each; what is granted already is left.

    :raises NotFound: if one of them does not exist
    """
    new = sorted(set(ids) - granted_ids(holder=holder, target=target))
    known = {row.pk: row for row in target._default_manager.filter(pk__in=new)}
    if len(known) < len(new):
        raise NotFound(f"One of the {target._meta.verbose_name_plural} to grant does not exist.")
    permission = Permission.objects.get(content_type__app_label=target._meta.app_label, codename=_CODENAMES[target])
    _rows(holder, target).bulk_create(
        [
            _ROWS[type(holder), target](permission=permission, content_object=known[key], **_held_by(holder))
            for key in new
        ]
    )
    _record(events.ACCESS_GRANTED, holder, [known[key] for key in new], actor, now)


@transaction.atomic
def revoke_access(
    *, holder: User | Group, target: Target, ids: Iterable[uuid.UUID], actor: User, now: datetime
) -> None:
    """Take back grants of accounts or products, one event each; what is not granted is passed over."""
    gone = sorted(set(ids) & granted_ids(holder=holder, target=target))
    known = {row.pk: row for row in target._default_manager.filter(pk__in=gone)}
    _rows(holder, target).filter(
        **_held_by(holder), permission__codename=_CODENAMES[target], content_object__in=gone
    ).delete()
    _record(events.ACCESS_REVOKED, holder, [known[key] for key in gone], actor, now)


@transaction.atomic
def set_access(*, holder: User | Group, target: Target, ids: Iterable[uuid.UUID], actor: User, now: datetime) -> None:
    """
    Grant exactly these accounts or products: what is missing is granted, what is too much is taken back.

    :raises NotFound: if one of them does not exist
    """
    wanted, held = set(ids), granted_ids(holder=holder, target=target)
    revoke_access(holder=holder, target=target, ids=held - wanted, actor=actor, now=now)
    grant_access(holder=holder, target=target, ids=wanted - held, actor=actor, now=now)


def _rows(holder: User | Group, target: Target) -> Any:
    return _ROWS[type(holder), target].objects


def _held_by(holder: User | Group) -> dict[str, Any]:
    return {"user": holder} if isinstance(holder, User) else {"group": holder}


def _record(event_type: str, holder: User | Group, targets: list[Any], actor: User, now: datetime) -> None:
    # By id and not by name: names of people can be erased, the ledger cannot.
    who = f"user {holder.pk}" if isinstance(holder, User) else f"role {holder.name}"
    record_all(
        events=[
            NewEvent(
                type=event_type,
                actor=actor,
                subject=Subject(type=target._meta.label_lower, id=target.pk, label=str(target)),
                data={
                    "holder": who,
                    "holder_id": str(holder.pk),
                    "sort": str(target._meta.verbose_name),
                    "target_id": target.pk,
                },
            )
            for target in targets
        ],
        now=now,
    )
