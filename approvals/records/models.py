"""The bases of every governed record and of its history."""

import uuid
from typing import Any

from django.db import models
from django.db.models.expressions import RawSQL
from simple_history.models import HistoricalRecords


class GovernedHistory(models.Model):
    """
    What every history row carries besides the record's values: the number of the change request that wrote it.

    The number is a database default, read from the transaction-local setting that application makes: it is there for
    saves and for simple-history's bulk writes alike, without a signal.
    """

    change_request_number = models.BigIntegerField(
        null=True,
        editable=False,
        db_default=RawSQL("nullif(current_setting('tenure.change_request_number', true), '')::bigint", ()),
    )

    class Meta:
        abstract = True


class GovernedModel(models.Model):
    """
    A record that changes only by an applied change request with an item for it (INV-1).

    `version` counts its changes from 1; `retired_at` is the instant from which it is not to be used in anything new.
    Deliberately absent: created_at and updated_at, which the history has.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    retired_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    @classmethod
    def natural_lookup(cls, name: str) -> dict[str, Any]:
        """The filter that finds a record by what people call it: its reference, code or name, whichever it has."""
        names = {field.name for field in cls._meta.concrete_fields}
        for field in ("reference", "code", "name"):
            if field in names:
                return {field: name}
        return {"pk": None}


def history(**options: Any) -> HistoricalRecords:
    """Row history of a governed model: one row for each version, with the number of its change request."""
    return HistoricalRecords(bases=[GovernedHistory], user_db_constraint=False, **options)
