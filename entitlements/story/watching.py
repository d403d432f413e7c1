"""Asking the check for everybody, around every boundary, under the story's own clock."""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from entitlements.checks.values import Environment
from entitlements.story.drafts import PRODUCT_CODE, TEAM_CODE, Trial
from entitlements.surfaces.checking import Asked, answer
from foundation.identity.models import User

SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Moment:
    """An instant at which everybody was asked about, what it is, and the answers' codes with their counts."""

    at: datetime
    name: str
    allowed: int
    asked: int
    codes: dict[str, int]
    phases: dict[str, int]


def moments_around(boundaries: Sequence[tuple[str, datetime]]) -> list[tuple[str, datetime]]:
    """A second before, at, and a second after each boundary, in order of time."""
    return sorted(
        (
            (f"{name}{told}", at + shift)
            for name, at in boundaries
            for told, shift in ((", a second before", -SECOND), ("", SECOND * 0), (", a second after", SECOND))
        ),
        key=lambda moment: moment[1],
    )


def ask_everybody(
    *, of: Trial, at: datetime, name: str, environment: Environment, asker: User, now: datetime
) -> Moment:
    """The check's answers for all people of the trial, each in their own country, at one instant."""
    answers = answer(
        questions=[_question(person, of.countries[person], environment, at) for person in of.people],
        user=asker,
        now=now,
    )
    return Moment(
        at=at,
        name=name,
        allowed=sum(1 for each in answers if each.allowed),
        asked=len(answers),
        codes=dict(Counter(str(each.code) for each in answers)),
        phases=dict(Counter(str(each.phase) for each in answers if each.phase)),
    )


def _question(person: uuid.UUID, country: str, environment: Environment, at: datetime) -> Asked:
    return Asked(
        account=TEAM_CODE,
        product=PRODUCT_CODE,
        person_id=person,
        country=country,
        environment=environment,
        at=at,
    )
