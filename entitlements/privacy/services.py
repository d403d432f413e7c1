"""Erasing what is known of a human by name, and holding them against it: each one transaction and one event."""

import uuid
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from audit.packs.models import LegalHold
from audit.reads.collecting import gave
from audit.reads.registry import Sort
from audit.services import NewEvent, Subject, record
from entitlements.directory.models import Person, PersonalDetails
from entitlements.privacy import events, permissions
from entitlements.privacy.errors import AlreadyErased, HoldLifted, LoginActive, OwnDetails, PersonHeld
from entitlements.privacy.models import PersonHold
from entitlements.privacy.subject import Human
from foundation.errors import InvalidInput, NotFound
from foundation.identity.erasure import erase_logins, registered_copies
from foundation.identity.models import ERASED, User
from foundation.identity.naming import mention

__all__ = ["BASES", "ERASED", "check_may_erase", "erase", "lift_hold", "look", "place_hold"]

LONGEST_REASON = 500
# Why somebody is erased: a choice, since a text could name them for ever.
BASES: Mapping[str, str] = {
    "asked": "they asked for it",
    "left": "they left",
    "retention": "the time for which it was kept is over",
}


def check_may_erase(*, user: User, human: Human) -> None:
    """
    Refuse an erasure that may not happen now.

    :raises NotPermitted: if the user does not erase
    :raises OwnDetails: if the human is the user
    :raises AlreadyErased: if nothing is left
    :raises PersonHeld: while a hold stands, with who holds and why
    :raises LoginActive: while they can sign in
    """
    permissions.check_may_erase(user=user)
    if human.human_id == user.human_id:
        raise OwnDetails("These are your own details. Somebody else erases them, so that somebody is left to ask.")
    if not human.is_known:
        raise AlreadyErased("Nothing is known of them by name, or it was erased already.")
    standing: list[PersonHold | LegalHold] = [*human.holds, *human.legal_holds]
    if standing:
        told = "; ".join(f"{hold.placed_by} since {hold.placed_at:%Y-%m-%d}: {hold.reason}" for hold in standing)
        raise PersonHeld(
            f"They are held and can’t be erased ({told}). Legal lifts a hold.",
            holds=[str(hold.id) for hold in standing],
        )
    active = [user.get_username() for user in human.logins if user.is_active]
    if active:
        raise LoginActive(
            f"{', '.join(active)} can still sign in. Make the login inactive first, which is recorded by itself."
        )


@transaction.atomic
def erase(*, key: uuid.UUID, user: User, basis: str, now: datetime) -> Human:
    """
    Erase what is known of a human by name: in the directory, of all their logins, and every registered copy.

    `key` is the human's id, or that of a login or person of theirs; `basis` one of `BASES`.

    :raises NotFound: if there is nobody, or they are not granted to the user
    :raises InvalidInput: if the basis is none
    :raises NotPermitted: if the user does not erase
    :raises OwnDetails: if the human is the user
    :raises AlreadyErased: if nothing is left
    :raises PersonHeld: while a hold stands
    :raises LoginActive: while they can sign in

    Source: docs/erasure.md
    """
    permissions.check_may_look(user=user)
    human = _locked(key, user)
    check_may_erase(user=user, human=human)
    if basis not in BASES:
        sentence = f"Say why they are erased: one of {', '.join(BASES)}."
        raise InvalidInput(sentence, errors=[{"field": "basis", "message": sentence}])
    known = human.known
    forgotten = {name: copies.forget(known, now) for name, copies in registered_copies().items()}
    # What was erased before, and brought again under the same human, is erased with the rest.
    PersonalDetails.objects.filter(person_id__in=known.person_ids, erased_at__isnull=True).update(
        name="", mail="", external_ids={}, erased_at=now
    )
    erase_logins(logins=human.logins, now=now)
    _record(
        events.DETAILS_ERASED,
        human,
        user,
        now,
        basis=BASES[basis],
        people=len(human.people),
        logins=len(human.logins),
        person_ids=[str(key) for key in sorted(known.person_ids)],
        login_ids=[str(key) for key in sorted(known.login_ids)],
        copies={name: count for name, count in forgotten.items() if count},
    )
    return Human.read(human.human_id)


def look(*, key: uuid.UUID, user: User) -> Human:
    """
    What is known of a human by name; noted as read (docs/explorer.md).

    :raises NotPermitted: if the user neither erases nor holds
    :raises NotFound: if there is nobody, or they are not granted to the user
    """
    permissions.check_may_look(user=user)
    human = Human.read(permissions.human_of(user=user, key=key))
    gave(Sort.DETAILS, "entitlements.person", {row.person_id: f"person {row.person_id}" for row in human.details})
    gave(Sort.DETAILS, "foundation.user", {login.pk: f"login {login.pk}" for login in human.logins})
    return human


@transaction.atomic
def place_hold(*, key: uuid.UUID, user: User, reason: str, now: datetime) -> PersonHold:
    """
    Hold a human: nothing of them is erased before it is lifted. Several holds stand beside each other.

    :raises NotPermitted: if the user does not hold people
    :raises NotFound: if there is nobody, or they are not granted to the user
    :raises OwnDetails: if the human is the user
    :raises AlreadyErased: if nothing is left that could be held
    :raises InvalidInput: if there is no reason
    """
    permissions.check_may_hold(user=user)
    human = _locked(key, user)
    if human.human_id == user.human_id:
        raise OwnDetails("You can’t hold yourself. Ask somebody else of legal.")
    if not human.is_known:
        raise AlreadyErased("Nothing is known of them by name, so nothing is left to hold.")
    hold = PersonHold.objects.create(human_id=human.human_id, reason=_checked(reason), placed_by=user, placed_at=now)
    _record(events.PERSON_HELD, human, user, now, hold_id=str(hold.id))
    return hold


@transaction.atomic
def lift_hold(*, key: uuid.UUID, hold_id: uuid.UUID, user: User, reason: str, now: datetime) -> PersonHold:
    """
    Lift a hold, once; others on the same human stand.

    :raises NotPermitted: if the user does not hold people
    :raises NotFound: if there is no such hold on somebody who is granted to the user
    :raises OwnDetails: if the human is the user
    :raises HoldLifted: if it is lifted already
    :raises InvalidInput: if there is no reason
    """
    permissions.check_may_hold(user=user)
    human = _locked(key, user)
    if human.human_id == user.human_id:
        raise OwnDetails("This hold is on yourself. Somebody else of legal lifts it.")
    hold = PersonHold.objects.select_for_update().filter(id=hold_id, human_id=human.human_id).first()
    if hold is None:
        raise NotFound("There is no such hold on this person.")
    if hold.lifted_at is not None:
        raise HoldLifted("This hold is lifted already. Nothing is left to lift.")
    hold.lift_reason, hold.lifted_by, hold.lifted_at = _checked(reason), user, now
    hold.save(update_fields=["lift_reason", "lifted_by", "lifted_at"])
    _record(events.HOLD_LIFTED, human, user, now, hold_id=str(hold.id), placed_by=mention(hold.placed_by))
    return hold


def _locked(key: uuid.UUID, user: User) -> Human:
    """A human with all that an erasure or a hold rests on locked: whoever does either waits for the other."""
    human_id = permissions.human_of(user=user, key=key)
    list(User.objects.select_for_update().filter(human_id=human_id).order_by("id"))
    list(Person.objects.select_for_update(of=("self",)).filter(human_id=human_id).order_by("id"))
    return Human.read(human_id)


def _checked(reason: str) -> str:
    why = " ".join(reason.split())
    if not why or len(why) > LONGEST_REASON or not why.isprintable():
        sentence = f"Say in at most {LONGEST_REASON} characters why."
        raise InvalidInput(sentence, errors=[{"field": "reason", "message": sentence}])
    return why


def _record(event_type: str, human: Human, user: User, now: datetime, **data: object) -> None:
    people = [row.id for row in human.people]
    own = (
        Subject(type="entitlements.person", id=people[0], label=f"person {people[0]}")
        if people
        else Subject(type="foundation.user", id=human.logins[0].pk, label=f"login {human.logins[0].pk}")
    )
    told = {"human_id": str(human.human_id), **data}
    record(event=NewEvent(type=event_type, actor=user, subject=own, data=told, about=people[1:]), now=now)
