"""People: registered as the identity provider knows them, each with its event; their details are erasable."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from audit.reads.collecting import gave
from audit.reads.registry import Sort
from audit.services import NewEvent, Subject, record_all
from entitlements.directory import events
from entitlements.directory.models import Person, PersonalDetails
from foundation.identity.models import ERASED, User


@dataclass(frozen=True)
class NewPerson:
    """Who is to be registered: the person's UUID, human, account, and country of work if known."""

    person_id: uuid.UUID
    account_id: uuid.UUID
    human_id: uuid.UUID
    country: str = ""


@dataclass(frozen=True)
class Details:
    """What is known of a person by name; it goes into one erasable row."""

    person_id: uuid.UUID
    name: str = ""
    mail: str = ""
    external_ids: dict[str, str] = field(default_factory=dict)


@transaction.atomic
def register_people(
    *,
    people: Sequence[NewPerson],
    actor: User | None,
    now: datetime,
    change_request_id: uuid.UUID | None = None,
) -> list[Person]:
    """
    Register people, one event each; those who are registered already are left as they are.

    `now` is timezone-aware and becomes the time of registration and of the events.
    """
    known = set(Person.objects.filter(id__in=[person.person_id for person in people]).values_list("id", flat=True))
    new = [person for person in people if person.person_id not in known]
    rows = Person.objects.bulk_create(
        [
            Person(
                id=person.person_id,
                human_id=person.human_id,
                account_id=person.account_id,
                country=person.country,
                registered_at=now,
            )
            for person in new
        ],
        batch_size=2_000,
    )
    record_all(
        events=[
            NewEvent(
                type=events.PERSON_REGISTERED,
                actor=actor,
                subject=Subject(type="entitlements.person", id=row.id, label=f"person {row.id}"),
                change_request_id=change_request_id,
                data={"person_id": row.id, "account_id": row.account_id},
            )
            for row in rows
        ],
        now=now,
    )
    return rows


@transaction.atomic
def stage_details(*, details: Iterable[Details], now: datetime) -> None:
    """
    Keep names and mails of people, some of whom a change request will register when it is applied.

    Of those whose details were erased nothing is kept, whoever brings it.
    """
    brought = list(details)
    erased = set(
        PersonalDetails.objects.select_for_update()
        .filter(person_id__in=[item.person_id for item in brought], erased_at__isnull=False)
        .values_list("person_id", flat=True)
    )
    PersonalDetails.objects.bulk_create(
        [
            PersonalDetails(
                person_id=item.person_id,
                name=item.name[:200],
                mail=item.mail[:320],
                external_ids=item.external_ids,
                staged_at=now,
            )
            for item in brought
            if item.person_id not in erased
        ],
        update_conflicts=True,
        unique_fields=["person_id"],
        update_fields=["name", "mail", "external_ids"],
        batch_size=2_000,
    )


@transaction.atomic
def discard_staged_details(*, person_ids: Iterable[uuid.UUID]) -> None:
    """Remove details of people who were never registered."""
    ids = set(person_ids)
    registered = set(Person.objects.filter(id__in=ids).values_list("id", flat=True))
    PersonalDetails.objects.filter(person_id__in=ids - registered).delete()


def names_of(person_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """
    Names for people to read, by person; an erased or unknown person reads as such.

    What is given out here is noted as read (docs/explorer.md).
    """
    ids = set(person_ids)
    known = {
        details.person_id: ERASED if details.erased_at else details.name or details.mail
        for details in PersonalDetails.objects.filter(person_id__in=ids)
    }
    gave(Sort.DETAILS, "entitlements.person", {key: f"person {key}" for key in known})
    return {person_id: known.get(person_id) or f"person {str(person_id)[:8]}" for person_id in ids}
