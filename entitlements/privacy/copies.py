"""Copies of names outside the erasable records: why somebody is held, searches that somebody kept."""

from datetime import datetime
from urllib.parse import parse_qsl

from django.db.models import F, Func, IntegerField, Q, QuerySet, Value

from approvals.worklists.models import SavedFilter
from audit.packs.models import EvidencePack, EvidencePackPart, EvidencePackQuerySet
from audit.packs.states import Status
from audit.packs.working import expire_naming
from entitlements.privacy.models import PersonHold
from foundation.identity.erasure import SHORTEST, Copies, Known, register_copies


def register() -> None:
    """Tell the port of erasure."""
    register_copies(
        "packs", Copies("evidence packs that name them, which can be made again", count_packs, forget_packs)
    )
    register_copies("holds", Copies("reasons of lifted holds that name them", count_holds, forget_holds))
    register_copies("filters", Copies("kept filters of theirs, or that look for them", count_filters, forget_filters))


def count_packs(known: Known) -> int:
    """How many evidence packs that can still be downloaded name the human."""
    return _packs(known).count()


def forget_packs(known: Known, now: datetime) -> int:
    """Remove the bytes of those that no legal hold keeps; they can be made again."""
    return expire_naming(packs=_packs(known), now=now)


def count_holds(known: Known) -> int:
    """How many holds name the human."""
    return sum(_reasons(hold) != known.without(_reasons(hold)) for hold in _holds(known))


def forget_holds(known: Known, now: datetime) -> int:
    """Put the words of erasure in place of the names in their reasons."""
    changed = 0
    for hold in _holds(known):
        before, after = _reasons(hold), known.without(_reasons(hold))
        if after != before:
            longest = PersonHold._meta.get_field("reason").max_length
            PersonHold.objects.filter(pk=hold.pk).update(reason=after[0][:longest], lift_reason=after[1][:longest])
            changed += 1
    return changed


def count_filters(known: Known) -> int:
    """How many kept filters are the human's, or look for them."""
    return len(_filters(known))


def forget_filters(known: Known, now: datetime) -> int:
    """Remove them: they are a convenience and no evidence."""
    return SavedFilter.objects.filter(id__in=[row.id for row in _filters(known)]).delete()[0]


def _packs(known: Known) -> EvidencePackQuerySet:
    # Files of a pack are not compressed, so that its bytes hold a name as it is.
    naming = [
        EvidencePackPart.objects.annotate(
            place=Func(
                Value(text.encode()),
                F("content"),
                template="position(%(expressions)s)",
                arg_joiner=" in ",
                output_field=IntegerField(),
            )
        )
        .filter(place__gt=0)
        .values("pack_id")
        for text in known.texts
        if len(text) >= SHORTEST
    ]
    found = Q(pk__in=[])
    for packs in naming:
        found |= Q(pk__in=packs)
    return EvidencePack.objects.filter(found, status=Status.READY)


def _holds(known: Known) -> QuerySet[PersonHold]:
    return PersonHold.objects.filter(human_id=known.human_id).order_by("id")


def _reasons(hold: PersonHold) -> list[str]:
    return [hold.reason, hold.lift_reason]


def _filters(known: Known) -> list[SavedFilter]:
    return [
        row
        for row in SavedFilter.objects.order_by("id")
        if row.owner_id in known.login_ids
        or (told := [row.name, *(value for _, value in parse_qsl(row.query))]) != known.without(told)
    ]
