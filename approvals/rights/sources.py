"""The rights that change control knows: roles, a login's own permissions and marks, tokens, delegations."""

import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime

from django.contrib.auth.models import Group, Permission
from knox.models import AuthToken

from approvals import events, roles
from approvals.authority import services as authority
from approvals.authority.models import Delegation
from audit.access.port import Reach, Right, Roster, Source
from audit.services import NewEvent, Subject, record
from foundation.api.models import TokenUse
from foundation.errors import NotFound
from foundation.identity.models import User
from foundation.identity.naming import mention

# What these permissions reach is told by the app whose accounts and products they are.
EVERYWHERE = {"entitlements.all_accounts": Reach.ACCOUNTS, "entitlements.all_products": Reach.PRODUCTS}
MARKS = {"is_superuser": "Superuser: passes over every permission", "is_staff": "Staff: may open the admin"}


class Roles:
    """Roles of logins."""

    name, words = "role", "role"

    def rights(self, roster: Roster, now: datetime) -> Iterator[Right]:
        """Each login's roles."""
        for key, held in roster.roles.items():
            for role in sorted(held):
                yield Right(
                    source=self.name,
                    key=f"{key}:{role}",
                    words=f"Role {roles.words(role)}",
                    humans=frozenset({roster.logins[key].human_id}),
                    login_id=key,
                    role=role,
                    permissions=roster.of_role[role],
                )

    def revoke(self, *, key: str, actor: User, now: datetime) -> bool:
        """Take the login out of the role's group."""
        login_id, role = key.split(":", 1)
        login = User.objects.select_for_update().get(pk=login_id)
        group = Group.objects.get(name=role)
        gone, _ = User.groups.through.objects.filter(user_id=login.pk, group_id=group.pk).delete()
        if gone:
            _record(login, f"the role {role}", actor, now)
        return bool(gone)


class Permissions:
    """Permissions that were given to a login itself, all accounts and all products among them."""

    name, words = "permission", "permission of a login"

    def rights(self, roster: Roster, now: datetime) -> Iterator[Right]:
        """Each login's own permissions."""
        for key, held in roster.own.items():
            for permission in sorted(held):
                reach = EVERYWHERE.get(permission, Reach.NOWHERE)
                yield Right(
                    source=self.name,
                    key=f"{key}:{permission}",
                    words=f"All {reach}" if reach else f"Permission {permission}",
                    humans=frozenset({roster.logins[key].human_id}),
                    login_id=key,
                    reach=reach,
                    everything=bool(reach),
                    permissions=frozenset({permission}),
                )

    def revoke(self, *, key: str, actor: User, now: datetime) -> bool:
        """Take the permission from the login."""
        login_id, permission = key.split(":", 1)
        app, codename = permission.split(".", 1)
        login = User.objects.select_for_update().get(pk=login_id)
        found = Permission.objects.get(content_type__app_label=app, codename=codename)
        gone, _ = User.user_permissions.through.objects.filter(user_id=login.pk, permission_id=found.pk).delete()
        if gone:
            _record(login, f"the permission {permission}", actor, now)
        return bool(gone)


class Marks:
    """What marks a login itself: superuser, staff."""

    name, words = "mark", "mark of a login"

    def rights(self, roster: Roster, now: datetime) -> Iterator[Right]:
        """Superusers and staff."""
        for key, user in roster.logins.items():
            for mark, words in MARKS.items():
                if getattr(user, mark):
                    yield Right(
                        source=self.name,
                        key=f"{key}:{mark}",
                        words=words,
                        humans=frozenset({user.human_id}),
                        login_id=key,
                    )

    def revoke(self, *, key: str, actor: User, now: datetime) -> bool:
        """Take the mark from the login."""
        login_id, mark = key.split(":", 1)
        if mark not in MARKS:
            raise NotFound(f"A login has no mark {mark}.")
        login = User.objects.select_for_update().get(pk=login_id)
        if not getattr(login, mark):
            return False
        setattr(login, mark, False)
        login.save(update_fields=[mark])
        _record(login, mark.replace("_", " "), actor, now)
        return True


class Tokens:
    """API tokens that have not expired."""

    name, words = "token", "API token"

    def rights(self, roster: Roster, now: datetime) -> Iterator[Right]:
        """Each login's live tokens; one that was never used counts from when it was made."""
        used = dict(TokenUse.objects.values_list("token_id", "used_at"))
        for token in AuthToken.objects.filter(expiry__gt=now).order_by("created", "digest"):
            user = roster.logins[token.user_id]
            yield Right(
                source=self.name,
                key=token.digest[:64],
                words=f"API token made on {token.created:%Y-%m-%d}",
                humans=frozenset({user.human_id}),
                login_id=user.pk,
                ends_at=token.expiry,
                used_at=used.get(token.digest, token.created),
            )

    def revoke(self, *, key: str, actor: User, now: datetime) -> bool:
        """Delete the token: whoever bears it is refused from now on."""
        token = AuthToken.objects.select_for_update().filter(digest__startswith=key).first()
        if token is None:
            return False
        login, told = token.user, {"token": token.token_key}
        token.delete()
        record(event=NewEvent(type=events.BEARER_REVOKED, actor=actor, subject=_subject(login), data=told), now=now)
        return True


class Delegations:
    """Delegations that are not over: who received one acts in somebody's place."""

    name, words = "delegation", "delegation"

    def rights(self, roster: Roster, now: datetime) -> Iterator[Right]:
        """Those in force and those to come."""
        rows = Delegation.objects.filter(revoked_at__isnull=True, ends_at__gt=now).order_by("starts_at", "id")
        for row in rows:
            # Frozen in a review, these words are kept when a name is erased.
            giver = mention(roster.logins[row.delegator_id])
            yield Right(
                source=self.name,
                key=str(row.id),
                words=f"Decides for {giver} as {roles.words(row.role) if row.role else 'everything that they decide'}",
                humans=frozenset({row.delegate_human_id, row.delegator_human_id}),
                login_id=row.delegate_id,
                ends_at=row.ends_at,
            )

    def revoke(self, *, key: str, actor: User, now: datetime) -> bool:
        """Revoke it; decisions by it that are not applied count no longer."""
        return authority.revoke_after_review(delegation_id=uuid.UUID(key), reviewer=actor, now=now)


SOURCES: Iterable[Source] = (Roles(), Permissions(), Marks(), Tokens(), Delegations())


def _subject(login: User) -> Subject:
    return Subject(type="foundation.user", id=login.pk, label=f"login {login.pk}")


def _record(login: User, what: str, actor: User, now: datetime) -> None:
    record(
        event=NewEvent(
            type=events.RIGHT_TAKEN_BACK,
            actor=actor,
            subject=_subject(login),
            data={"holder": mention(login), "what": what},
        ),
        now=now,
    )
