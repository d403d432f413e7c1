"""Opening a campaign: what stands now is frozen, and each entry gets somebody who may look at it."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from audit import events, subjects
from audit.access.population import Population
from audit.access.port import Right
from audit.reviews import permissions, recording
from audit.reviews.errors import NoReviewer, NothingToReview
from audit.reviews.models import AccessReview, ReviewEntry
from audit.reviews.rules import GREATEST_ENTRIES, Owner, Scope, assigned
from foundation.errors import InvalidInput, NotFound
from foundation.identity.models import User
from foundation.identity.naming import named

MOST_TOLD = 5


@dataclass(frozen=True)
class Part:
    """What is in a campaign, or a part of it: names of roles, ids of accounts and products; nothing: everything."""

    roles: Sequence[str] = ()
    accounts: Sequence[uuid.UUID] = ()
    products: Sequence[uuid.UUID] = ()

    @property
    def document(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "roles": sorted(self.roles),
            "accounts": sorted(map(str, self.accounts)),
            "products": sorted(map(str, self.products)),
        }


@dataclass(frozen=True)
class Wanted:
    """A campaign as it is asked for; `owners` are logins by name, each with a part, the first that fits counts."""

    name: str
    due_at: datetime
    scope: Part = field(default_factory=Part)
    owners: Sequence[tuple[str, Part]] = ()


@transaction.atomic
def open_review(*, user: User, wanted: Wanted, now: datetime) -> AccessReview:
    """
    Open a campaign over what stands now.

    :raises NotPermitted: if the user does not open campaigns
    :raises InvalidInput: if it has no name, no time, no owners, or names what is not there
    :raises NotFound: if it names an account or product that is not granted to the user
    :raises NothingToReview: if nothing is within its scope
    :raises NoReviewer: if an entry would have nobody who may look at it

    Source: docs/access-review.md
    """
    permissions.check_may_open(user)
    name = " ".join(wanted.name.split())
    if not name or len(name) > 200 or not name.isprintable():
        raise _refused("name", "Give the review a name of at most 200 characters.")
    if wanted.due_at <= now:
        raise _refused("due_at", "Say an instant to come until which it is due.")
    population = Population.read(now)
    scope = _scope(wanted.scope, user, population)
    rights = [right for right in population.rights if scope.holds(right)]
    if not rights:
        raise NothingToReview("Nobody holds anything within this scope. Widen it.")
    if len(rights) > GREATEST_ENTRIES:
        raise _refused(
            "scope", f"{len(rights):,} rights are too many for one review; narrow it to {GREATEST_ENTRIES:,}."
        )
    reviewers, without = assigned(rights, [_owner(login, part, user, population) for login, part in wanted.owners])
    if without:
        raise NoReviewer(
            f"{len(without):,} of {len(rights):,} rights would have nobody who may review them, for example: "
            f"{'; '.join(_told(right, population) for right in without[:MOST_TOLD])}. Name further owners, who see "
            "what it is about and have nothing of it themselves.",
            count=len(without),
        )
    review = AccessReview.objects.create(
        name=name, scope=wanted.scope.document, due_at=wanted.due_at, opened_by=user, opened_at=now
    )
    ReviewEntry.objects.bulk_create(
        (_entry(review, position, right, reviewers) for position, right in enumerate(_in_order(rights, population), 1)),
        batch_size=1000,
    )
    owners = {owner.human_id for owner in reviewers.values()}
    recording.record_review(events.REVIEW_OPENED, review, user, now, entries=len(rights), owners=len(owners))
    return review


def owner_of(login: str, *, user: User) -> Owner:
    """
    Somebody who could review, by login, with what they may see.

    :raises InvalidInput: if nobody active signs in so
    """
    found = User.objects.filter(username=login.strip(), is_active=True).first()
    if found is None:
        raise _refused("owners", f"Nobody active signs in as {login}. Name reviewers by their login.")
    return Owner(found.pk, found.human_id, Scope(), subjects.directory().granted(found))


def _owner(login: str, part: Part, user: User, population: Population) -> Owner:
    one = owner_of(login, user=user)
    return Owner(one.login_id, one.human_id, _scope(part, user, population), one.granted)


def _scope(part: Part, user: User, population: Population) -> Scope:
    unknown = sorted(set(part.roles) - set(population.roster.of_role))
    if unknown:
        raise _refused("scope", f"There is no role {', '.join(unknown)}.")
    granted = subjects.directory().granted(user)
    named = {*part.accounts, *part.products}
    if granted is not None and not named <= set(granted):
        raise NotFound("It names an account or product that is not granted to you, or that does not exist.")
    below = {unit for account in part.accounts for unit in subjects.directory().units(account)}
    return Scope(frozenset(part.roles), frozenset(below), frozenset(part.products))


def _in_order(rights: Sequence[Right], population: Population) -> list[Right]:
    names = {key: user.get_username() for key, user in population.roster.logins.items()}
    return sorted(rights, key=lambda one: (names.get(one.login_id, "") if one.login_id else "", one.source, one.key))


def _entry(
    review: AccessReview, position: int, right: Right, reviewers: Mapping[tuple[str, str], Owner]
) -> ReviewEntry:
    owner = reviewers[right.name]
    return ReviewEntry(
        review=review,
        position=position,
        source=right.source,
        key=right.key,
        holder_id=right.login_id,
        humans=sorted(right.humans),
        role=right.role,
        words=right.words[:400],
        target_id=right.target_id,
        target_words=right.target_words[:400],
        ends_at=right.ends_at,
        used_at=right.used_at,
        reviewer_id=owner.login_id,
        reviewer_human_id=owner.human_id,
    )


def _told(right: Right, population: Population) -> str:
    who = str(population.roster.logins[right.login_id]) if right.login_id else f"everybody of {right.role}"
    return f"{named(right.words)} of {who}"


def _refused(name: str, sentence: str) -> InvalidInput:
    return InvalidInput(sentence, errors=[{"field": name, "message": sentence}])
