"""Who is entitled to what: entitlements, and the operational rows that go with them."""

import uuid
from datetime import datetime

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Deferrable, F, Func, Q

from approvals.records.models import GovernedModel, history
from entitlements.agreements.models import OrderLine
from entitlements.catalog.models import SKU, Environment, SKURevision, SupportLevel, country_array
from entitlements.directory.access import visible_accounts, visible_products
from entitlements.directory.models import Account, Person
from foundation.identity.models import User


class Phase(models.TextChoices):
    """Where on the way an entitlement stands."""

    TRIAL = "trial", "Trial"
    BRIDGE = "bridge", "Bridge"
    PRODUCTION = "production", "Production"


class EntitlementQuerySet(models.QuerySet["Entitlement"]):
    """Reads of entitlements."""

    def visible_to(self, user: User) -> "EntitlementQuerySet":
        """Those whose account and product are both granted to the user (INV-12), in one query."""
        return self.filter(account__in=visible_accounts(user), sku__product__in=visible_products(user))

    def in_force_at(self, now: datetime) -> "EntitlementQuerySet":
        """Those that give a right at an instant, grace not counted."""
        return self.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=now), starts_at__lte=now, withdrawn_at__isnull=True)


class Entitlement(GovernedModel):
    """
    The right of an account under an order line.

    Right of use is `[starts_at, ends_at)`; an open end is perpetual. `seats` null is explicitly unlimited. `countries`
    are those of use, expanded from `region_groups` (code and revision) when the change was planned. `feature_overrides`
    replaces limits of the SKU revision's features; false takes one away. `replaces` names the predecessor: the
    successor serves the same holders, it does not add. `withdrawn_at` marks one that was taken back before it started.
    `owner` is whom to ask. `grace_seconds` is what checks still allow after the end. Deliberately absent: use and
    activation, which are operational rows, and cost, which is computed from the order line.
    """

    class Enforcement(models.TextChoices):
        """What happens beyond the granted seats."""

        HARD = "hard", "Refused"
        SOFT = "soft", "Recorded"

    reference = models.CharField(max_length=100)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="entitlements")
    order_line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="entitlements")
    sku = models.ForeignKey(SKU, on_delete=models.PROTECT, related_name="+", editable=False)
    sku_revision = models.ForeignKey(SKURevision, on_delete=models.PROTECT, related_name="+")
    phase = models.CharField(max_length=10, choices=Phase.choices)
    seats = models.PositiveIntegerField(null=True, blank=True)
    countries = country_array()
    region_groups = models.JSONField(default=dict, blank=True, editable=False)
    environments = ArrayField(models.CharField(max_length=12, choices=Environment.choices), default=list)
    feature_overrides = models.JSONField(default=dict, blank=True)
    support_level = models.CharField(max_length=20, choices=SupportLevel.choices, default=SupportLevel.NONE)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    updates_until = models.DateTimeField(null=True, blank=True)
    support_until = models.DateTimeField(null=True, blank=True)
    grace_seconds = models.PositiveIntegerField(default=0)
    enforcement = models.CharField(max_length=4, choices=Enforcement.choices, default=Enforcement.HARD)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    replaces = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="successors")
    withdrawn_at = models.DateTimeField(null=True, editable=False)
    notes = models.TextField(blank=True, default="")
    attributes = models.JSONField(default=dict, blank=True)

    history = history()
    objects = EntitlementQuerySet.as_manager()

    class Meta:
        permissions = [("ask_hypothetically", "Can ask the access check about other instants than now")]
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="entitlement_reference_once"),
            # INV-5. Deferrable: a request may grant the successor before it shortens the predecessor.
            ExclusionConstraint(
                name="entitlement_no_overlap",
                expressions=[
                    (F("account"), RangeOperators.EQUAL),
                    (F("sku"), RangeOperators.EQUAL),
                    (F("phase"), RangeOperators.EQUAL),
                    (F("order_line"), RangeOperators.EQUAL),
                    (
                        Func(F("starts_at"), F("ends_at"), function="tstzrange", output_field=DateTimeRangeField()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(withdrawn_at__isnull=True),
                deferrable=Deferrable.IMMEDIATE,
                violation_error_message="Another entitlement of this account, SKU, phase and order line is in force.",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="entitlement_ends_after_it_starts",
                violation_error_message="An entitlement ends after it starts.",
            ),
            models.CheckConstraint(
                condition=Q(updates_until__isnull=True) | Q(updates_until__gt=F("starts_at")),
                name="entitlement_updates_end_after_start",
                violation_error_message="Updates end after the entitlement starts.",
            ),
            models.CheckConstraint(
                condition=Q(support_until__isnull=True) | Q(support_until__gt=F("starts_at")),
                name="entitlement_support_ends_after_start",
                violation_error_message="Support ends after the entitlement starts.",
            ),
            models.CheckConstraint(
                condition=~Q(countries=[]),
                name="entitlement_has_countries",
                violation_error_message="An entitlement names the countries in which it may be used.",
            ),
            models.CheckConstraint(
                condition=Q(replaces__isnull=True) | ~Q(replaces=F("id")),
                name="entitlement_does_not_replace_itself",
                violation_error_message="An entitlement does not replace itself.",
            ),
        ]
        indexes = [
            # Checks ask for an account's entitlements.
            models.Index(fields=["account", "starts_at"], name="entitlement_of_account"),
            # What ends next.
            models.Index(fields=["ends_at", "id"], name="entitlement_by_end"),
        ]

    def __str__(self) -> str:
        return self.reference


class SeatPool(models.Model):
    """
    The operational counter of an entitlement.

    `granted` (null: unlimited) and `hard` repeat the entitlement and are written by application alone (trigger, INV-1);
    `used` counts the seats held and is kept by a trigger on Seat. The limit is a CHECK on this one row (INV-6).
    """

    entitlement = models.OneToOneField(Entitlement, primary_key=True, on_delete=models.PROTECT, related_name="pool")
    granted = models.PositiveIntegerField(null=True)
    hard = models.BooleanField()
    used = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            # INV-6.
            models.CheckConstraint(
                condition=Q(hard=False) | Q(granted__isnull=True) | Q(used__lte=F("granted")),
                name="seat_pool_within_grant",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.used} of {'unlimited' if self.granted is None else self.granted}"


class SeatQuerySet(models.QuerySet["Seat"]):
    """Reads of seats."""

    def held(self) -> "SeatQuerySet":
        """Those that are not released."""
        return self.filter(released_at__isnull=True)


class Seat(models.Model):
    """
    One unit of an entitlement held by a person or a device. Operational: taken and released by services, each with its
    event.

    `over_granted` records that it was taken beyond the grant under soft enforcement.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    entitlement = models.ForeignKey(Entitlement, on_delete=models.PROTECT, related_name="held_seats")
    person = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="seats")
    device = models.CharField(max_length=200, blank=True, default="")
    taken_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)
    over_granted = models.BooleanField(default=False)

    objects = SeatQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            # INV-7: a person holds at most one seat of an entitlement.
            models.UniqueConstraint(
                fields=["entitlement", "person"],
                condition=Q(released_at__isnull=True, person__isnull=False),
                name="seat_once_per_person",
            ),
            models.UniqueConstraint(
                fields=["entitlement", "device"],
                condition=Q(released_at__isnull=True, person__isnull=True),
                name="seat_once_per_device",
            ),
            models.CheckConstraint(
                condition=Q(person__isnull=False, device="") | (Q(person__isnull=True) & ~Q(device="")),
                name="seat_of_person_or_device",
            ),
            models.CheckConstraint(
                condition=Q(released_at__isnull=True) | Q(released_at__gte=F("taken_at")),
                name="seat_released_after_taken",
            ),
        ]

    def __str__(self) -> str:
        return f"seat of {self.person_id or self.device}"


class Activation(models.Model):
    """
    Which cohorts an entitlement serves already; by default everybody. Operational: moved by rollouts.

    Null means everybody; otherwise those in the listed countries, accounts, or people.
    """

    entitlement = models.OneToOneField(
        Entitlement, primary_key=True, on_delete=models.PROTECT, related_name="activation"
    )
    countries = ArrayField(models.CharField(max_length=2), null=True)
    accounts = ArrayField(models.UUIDField(), null=True)
    people = ArrayField(models.UUIDField(), null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        everybody = self.countries is None and self.accounts is None and self.people is None
        return "everybody" if everybody else "some cohorts"
