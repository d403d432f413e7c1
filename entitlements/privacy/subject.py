"""A human as erasure sees them: logins, people of the directory, details, holds."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from audit.packs.models import LegalHold
from entitlements.directory.models import AccountClosure, Person, PersonalDetails
from entitlements.privacy.models import PersonHold
from foundation.identity.erasure import Known, texts_of
from foundation.identity.models import ERASED, User


@dataclass(frozen=True)
class Human:
    """
    All that there is of one human; `holds` are those on them that stand, `past_holds` those that were
    lifted, `legal_holds` those on an account of theirs, one above it, or everything.
    """

    human_id: uuid.UUID
    logins: Sequence[User]
    people: Sequence[Person]
    details: Sequence[PersonalDetails]
    holds: Sequence[PersonHold]
    legal_holds: Sequence[LegalHold]
    past_holds: Sequence[PersonHold]

    @classmethod
    def read(cls, human_id: uuid.UUID) -> "Human":
        """The human as stored."""
        people = list(
            Person.objects.filter(human_id=human_id).select_related("account").order_by("registered_at", "id")
        )
        holds = list(
            PersonHold.objects.filter(human_id=human_id)
            .select_related("placed_by", "lifted_by")
            .order_by("placed_at", "id")
        )
        return cls(
            human_id=human_id,
            logins=list(User.objects.filter(human_id=human_id).order_by("date_joined", "id")),
            people=people,
            details=list(
                PersonalDetails.objects.filter(person_id__in=[row.id for row in people]).order_by("person_id")
            ),
            holds=[hold for hold in holds if hold.lifted_at is None],
            legal_holds=_legal_holds(human_id, people),
            past_holds=[hold for hold in holds if hold.lifted_at is not None],
        )

    @cached_property
    def known(self) -> Known:
        """What is known of them by name, as copies are looked for."""
        logins = [user for user in self.logins if user.erased_at is None]
        details = [row for row in self.details if row.erased_at is None]
        external = {str(value) for row in details for value in row.external_ids.values()}
        texts = texts_of(logins) | {text for row in details for text in (row.name, row.mail) if text} | external
        return Known(
            human_id=self.human_id,
            login_ids=frozenset(user.pk for user in self.logins),
            logins=frozenset(user.get_username() for user in logins),
            person_ids=frozenset(row.id for row in self.people),
            texts=tuple(sorted(texts)),
        )

    @property
    def is_known(self) -> bool:
        """Whether anything is left to erase."""
        return any(user.erased_at is None for user in self.logins) or any(row.erased_at is None for row in self.details)

    def __str__(self) -> str:
        """What they are called: by their details, by a login, or by the words of erasure."""
        named = next((row.name or row.mail for row in self.details if row.erased_at is None), "")
        login = next((str(user) for user in self.logins if user.erased_at is None), "")
        erased = self.details or any(user.erased_at for user in self.logins)
        return named or login or (ERASED if erased else f"person {str(self.human_id)[:8]}")


def _legal_holds(human_id: uuid.UUID, people: Sequence[Person]) -> list[LegalHold]:
    accounts = AccountClosure.objects.filter(descendant__in=[row.account_id for row in people])
    ids = {human_id, *(row.id for row in people), *accounts.values_list("ancestor_id", flat=True)}
    return list(LegalHold.objects.covering(ids).select_related("placed_by").order_by("placed_at", "id"))
