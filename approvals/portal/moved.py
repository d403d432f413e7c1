"""Records that changed since a revision was planned on them: what application would refuse as stale."""

from django.apps import apps
from django.db.models import F, OuterRef, Subquery

from approvals.governed import Moved
from approvals.records.models import GovernedModel
from approvals.records.rows import row_of
from approvals.requests.models import Item, Revision

MOVED_SHOWN = 25


def moved(revision: Revision) -> tuple[Moved, ...]:
    """The first items whose record is gone or at another version than their base, with the row as it stands."""
    based = Item.objects.filter(revision=revision, base_version__isnull=False)
    found: list[Moved] = []
    for model in _models(set(based.values_list("table_name", flat=True).distinct())):
        standing = model._default_manager.filter(pk=OuterRef("record_id")).values("version")[:1]
        items = (
            based.filter(table_name=model._meta.db_table)
            .annotate(standing=Subquery(standing))
            .exclude(standing__isnull=False, standing=F("base_version"))
            .order_by("position")[: MOVED_SHOWN - len(found)]
        )
        rows = model._default_manager.in_bulk([item.record_id for item in items])
        found += [_moved(item, rows.get(item.record_id)) for item in items]
    return tuple(found)


def _moved(item: Item, standing: GovernedModel | None) -> Moved:
    return Moved(
        kind=item.kind,
        label=item.label,
        base=item.before or {},
        proposed=item.after or {},
        current=None if standing is None else row_of(standing),
    )


def _models(tables: set[str]) -> list[type[GovernedModel]]:
    return [model for model in apps.get_models() if issubclass(model, GovernedModel) and model._meta.db_table in tables]
