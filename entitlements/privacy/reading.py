"""What an erasure would take and what it would leave, counted; finding somebody by what is known of them."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Concat, Trim

from approvals.attachments.models import Attachment
from approvals.discussion.models import Comment
from approvals.requests.models import ChangeRequest, Decision
from audit.ledger.models import Event
from audit.reads.collecting import gave
from audit.reads.registry import Sort
from entitlements.directory.access import ALL_ACCOUNTS, visible_accounts
from entitlements.directory.models import Person, PersonalDetails
from entitlements.directory.services import names_of
from entitlements.grants.models import Seat
from entitlements.privacy import permissions, services
from entitlements.privacy.subject import Human
from foundation.errors import DomainError
from foundation.identity.erasure import registered_copies
from foundation.identity.models import User

MOST_FOUND = 20


@dataclass(frozen=True)
class Counted:
    """So many of something, and why they go or stay."""

    words: str
    count: int
    why: str = ""


@dataclass(frozen=True)
class Preview:
    """What would be erased and what would remain; `refused` says why it can't be erased now, or by this reader."""

    human: Human
    erased: Sequence[Counted]
    remains: Sequence[Counted]
    refused: str


@dataclass(frozen=True)
class Found:
    """Somebody who could be meant."""

    human_id: uuid.UUID
    name: str
    what: str


def preview(*, human: Human, user: User) -> Preview:
    """What an erasure of a human, whom the user may look at, would do."""
    refused = ""
    try:
        services.check_may_erase(user=user, human=human)
    except DomainError as refusal:
        refused = refusal.message
    return Preview(human, _erased(human), _remains(human), refused)


def _erased(human: Human) -> list[Counted]:
    known = human.known
    details = sum(row.erased_at is None for row in human.details)
    own = [
        Counted("names, mails and external ids in the directory", details),
        Counted("logins: login name, name, mail, password", len(known.logins)),
    ]
    copies = [Counted(one.words, one.count(known)) for one in registered_copies().values()]
    return [row for row in [*own, *copies] if row.count]


def _remains(human: Human) -> list[Counted]:
    logins, people = human.known.login_ids, human.known.person_ids
    written = "what they wrote stays as they wrote it: decisions rest on it"
    counts = [
        Counted(
            "seats that they hold or held",
            Seat.objects.filter(person__in=people).count(),
            "under their id; nobody’s access changes",
        ),
        Counted(
            "events of the ledger",
            Event.objects.filter(Q(actor_human_id=human.human_id) | Q(subject_id__in=[*people, *logins])).count(),
            "by id; they stay provable and read with the words of erasure",
        ),
        Counted("changes that they proposed", ChangeRequest.objects.filter(created_by__in=logins).count(), written),
        Counted(
            "decisions that they made", Decision.objects.filter(decider__in=logins).count(), "signed by id; " + written
        ),
        Counted("comments that they wrote", Comment.objects.filter(author__in=logins).count(), written),
        Counted("files that they attached", Attachment.objects.filter(author__in=logins).count(), written),
    ]
    return [row for row in counts if row.count]


def search(*, user: User, text: str) -> list[Found]:
    """
    Humans whose name, mail, login or id is the text, or else holds it, as far as the user may see them.

    :raises NotPermitted: if the user neither erases nor holds
    """
    permissions.check_may_look(user=user)
    sought = " ".join(text.split())
    if not sought:
        return []
    everywhere = user.has_perm(ALL_ACCOUNTS)
    people = Person.objects.filter(account__in=visible_accounts(user))
    for lookup in ("iexact", "icontains"):
        details = PersonalDetails.objects.filter(Q((f"name__{lookup}", sought)) | Q((f"mail__{lookup}", sought)))
        meant = people.filter(id__in=details.values("person_id"))
        full = Trim(Concat("first_name", Value(" "), "last_name"))
        logins = User.objects.alias(full=full).filter(
            Q((f"username__{lookup}", sought)) | Q((f"full__{lookup}", sought)) | Q((f"email__{lookup}", sought))
        )
        found = _found(meant, logins.order_by("username")[:MOST_FOUND] if everywhere else [], user)
        if found:
            return found
    return []


def _found(people: QuerySet[Person], logins: Iterable[User], user: User) -> list[Found]:
    humans: dict[uuid.UUID, Found] = {}
    rows = list(people.select_related("account").order_by("id")[:MOST_FOUND])
    names = names_of([row.id for row in rows])
    for row in rows:
        humans.setdefault(row.human_id, Found(row.human_id, names[row.id], f"of {row.account}"))
    logins = list(logins)
    gave(Sort.DETAILS, "foundation.user", {login.pk: f"login {login.pk}" for login in logins})
    for login in logins:
        humans.setdefault(login.human_id, Found(login.human_id, str(login), f"login {login.get_username()}"))
    # Whoever has logins, or people in accounts of others, is not shown by what is granted of them.
    return [found for key, found in humans.items() if permissions.sees(user=user, human_id=key)]
