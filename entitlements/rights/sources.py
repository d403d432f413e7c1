"""Grants on accounts and products, of logins and of roles, as access reviews see them."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.auth.models import Group
from django.db.models import Count, F

from audit.access.port import Capability, Pair, Reach, Right, Roster, Source
from entitlements.catalog.models import Product
from entitlements.directory.grants import Target, revoke_access
from entitlements.directory.models import (
    Account,
    AccountClosure,
    AccountGroupGrant,
    AccountUserGrant,
    ProductGroupGrant,
    ProductUserGrant,
)
from entitlements.privacy.permissions import ERASE, HOLD
from foundation.errors import NotFound
from foundation.identity.models import User

CAPABILITIES = (
    Capability("erases", "erases people", ERASE),
    Capability("holds", "holds people", HOLD),
)
PAIRS = (Pair("erases_and_holds", "erases", "holds", "they could lift a hold and erase alone."),)


class Grants:
    """Grants on one sort of target."""

    name: str
    words: str
    target: ClassVar[Target]
    of_users: ClassVar[Any]
    of_groups: ClassVar[Any]
    reach: ClassVar[Reach]

    def rights(self, roster: Roster, now: datetime) -> Iterator[Right]:
        """Those of logins, then those of roles."""
        words = str(self.target._meta.verbose_name).capitalize()
        names = self.named()
        for user_id, target_id in self.of_users.objects.order_by("id").values_list("user_id", "content_object_id"):
            yield Right(
                source=self.name,
                key=f"user:{user_id}:{target_id}",
                words=words,
                humans=frozenset({roster.logins[user_id].human_id}),
                login_id=user_id,
                reach=self.reach,
                target_id=target_id,
                target_words=names[target_id],
            )
        rows = self.of_groups.objects.order_by("id").annotate(role=F("group__name"))
        for role, target_id in rows.values_list("role", "content_object_id"):
            yield Right(
                source=self.name,
                key=f"role:{role}:{target_id}",
                words=f"{words}, for everybody of the role {role}",
                humans=roster.humans_of_role(role),
                role=role,
                reach=self.reach,
                target_id=target_id,
                target_words=names[target_id],
            )

    def named(self) -> dict[UUID, str]:
        """What the targets are called."""
        return {row.pk: str(row) for row in self.target._default_manager.all()}

    def revoke(self, *, key: str, actor: User, now: datetime) -> bool:
        """Take the grant back by the service that gives and takes them."""
        sort, who, target_id = key.split(":")
        holder: User | Group | None = (
            User.objects.filter(pk=who).first() if sort == "user" else Group.objects.filter(name=who).first()
        )
        if holder is None:
            raise NotFound("Whoever held this grant is gone. Nothing was taken back.")
        rows = self.of_users if isinstance(holder, User) else self.of_groups
        held = {"user": holder} if isinstance(holder, User) else {"group": holder}
        if not rows.objects.filter(content_object_id=target_id, **held).exists():
            return False
        revoke_access(holder=holder, target=self.target, ids=[UUID(target_id)], actor=actor, now=now)
        return True


class AccountGrants(Grants):
    """Grants on accounts, each with those below it."""

    name, words = "account", "grant on an account"
    target, of_users, of_groups, reach = Account, AccountUserGrant, AccountGroupGrant, Reach.ACCOUNTS

    def named(self) -> dict[UUID, str]:
        """What the accounts are called, with how many are below."""
        below = dict(
            AccountClosure.objects.filter(depth__gt=0)
            .values("ancestor")
            .annotate(count=Count("id"))
            .values_list("ancestor", "count")
        )
        return {
            key: f"{name}, with {below[key]:,} below it" if key in below else name
            for key, name in super().named().items()
        }


class ProductGrants(Grants):
    """Grants on products."""

    name, words = "product", "grant on a product"
    target, of_users, of_groups, reach = Product, ProductUserGrant, ProductGroupGrant, Reach.PRODUCTS


SOURCES: Iterable[Source] = (AccountGrants(), ProductGrants())
