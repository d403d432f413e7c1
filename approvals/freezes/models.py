"""Times in which changes are not applied, and times whose books are closed."""

from django.db import models
from django.db.models import F, Q

from approvals.records.models import GovernedModel, history


class FreezeQuerySet(models.QuerySet["Freeze"]):
    """Reads of freezes."""

    def in_use(self) -> "FreezeQuerySet":
        """Those that are not retired, whether or not one lasts now."""
        return self.filter(retired_at__isnull=True).order_by("name", "id")


class Freeze(GovernedModel):
    """
    A time in which changes are not applied: once, `[starts_at, ends_at)`, or on the public holidays of places.

    `zone` is the IANA zone in which the times were said, and whose calendar days the holidays last. `holidays_of` lists
    countries and subdivisions (DE, DE-BY). It concerns everything, or what all of the named sorts fit: accounts with
    their descendants, products, countries of use. `stops_review` stops sending to review too; `allows_emergency` lets
    an emergency permit pass. A governed record itself, which no freeze stops.
    """

    name = models.CharField(max_length=200)
    reason = models.TextField()
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    zone = models.CharField(max_length=100, default="UTC")
    holidays_of = models.JSONField(default=list, blank=True)
    everything = models.BooleanField(default=False)
    account_ids = models.JSONField(default=list, blank=True)
    product_ids = models.JSONField(default=list, blank=True)
    countries = models.JSONField(default=list, blank=True)
    stops_review = models.BooleanField(default=False)
    allows_emergency = models.BooleanField(default=False)

    history = history()
    objects = FreezeQuerySet.as_manager()

    class Meta:
        verbose_name = "freeze"
        constraints = [
            # A freeze of a name is found by it in sentences.
            models.UniqueConstraint(fields=["name"], condition=Q(retired_at__isnull=True), name="freeze_name_once"),
            # Once, or on holidays: never both, never neither.
            models.CheckConstraint(
                condition=Q(holidays_of=[], starts_at__isnull=False, ends_at__isnull=False, ends_at__gt=F("starts_at"))
                | (~Q(holidays_of=[]) & Q(starts_at__isnull=True, ends_at__isnull=True)),
                name="freeze_lasts_once_or_on_holidays",
                violation_error_message="A freeze says when it starts and, later, ends, or whose holidays it is for.",
            ),
            # Everything, or something: never both, never nothing.
            models.CheckConstraint(
                condition=Q(everything=True, account_ids=[], product_ids=[], countries=[])
                | (Q(everything=False) & ~Q(account_ids=[], product_ids=[], countries=[])),
                name="freeze_concerns_something",
                violation_error_message="A freeze is for everything, or it names accounts, products or countries.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AccountingPeriodQuerySet(models.QuerySet["AccountingPeriod"]):
    """Reads of closed accounting periods."""

    def closed(self) -> "AccountingPeriodQuerySet":
        """Those that were not opened again, in order."""
        return self.filter(retired_at__isnull=True).order_by("starts_at", "label", "id")


class AccountingPeriod(GovernedModel):
    """
    A time `[starts_at, ends_at)` whose books are closed: what reaches back into it is named to finance and legal.

    `zone` is the IANA zone in which the books are kept. It is opened again by retiring the record. Deliberately absent:
    open periods, which ask for nothing.
    """

    label = models.CharField(max_length=100)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    zone = models.CharField(max_length=100, default="UTC")

    history = history()
    objects = AccountingPeriodQuerySet.as_manager()

    class Meta:
        verbose_name = "accounting period"
        constraints = [
            # A closed period is named by its label.
            models.UniqueConstraint(
                fields=["label"], condition=Q(retired_at__isnull=True), name="accounting_period_label_once"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="accounting_period_ends_after_it_starts",
                violation_error_message="An accounting period ends after it starts.",
            ),
        ]

    def __str__(self) -> str:
        return self.label
