"""What can be licensed: products, features, releases, SKUs and their revisions, region groups."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from approvals.records.models import GovernedModel, history


class Metric(models.TextChoices):
    """What one seat counts."""

    NAMED_USER = "named_user", "Named user"
    CONCURRENT = "concurrent", "Concurrent sessions"
    DEVICE = "device", "Device"
    METERED = "metered", "Metered use"


class Environment(models.TextChoices):
    """Where a product runs."""

    TRIAL = "trial", "Trial"
    STAGING = "staging", "Staging"
    PRODUCTION = "production", "Production"


class SupportLevel(models.TextChoices):
    """What help the licensor owes, weakest first."""

    NONE = "none", "None"
    COMMUNITY = "community", "Community"
    BUSINESS_HOURS = "business_hours", "Business hours"
    AROUND_THE_CLOCK = "around_the_clock", "Around the clock"


SUPPORT_RANKS = {level.value: rank for rank, level in enumerate(SupportLevel)}


def country_array(*, blank: bool = False) -> "ArrayField[Any, Any]":
    """An array of ISO 3166-1 alpha-2 codes."""
    return ArrayField(models.CharField(max_length=2), default=list, blank=blank)


class Product(GovernedModel):
    """Something that is licensed. `purl` names it as a package (Package-URL), where it is one."""

    code = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    licensor = models.CharField(max_length=200, blank=True, default="")
    category = models.CharField(max_length=200, blank=True, default="")
    description = models.TextField(blank=True, default="")
    purl = models.CharField(max_length=500, blank=True, default="")

    history = history()

    class Meta:
        permissions = [
            ("access_product", "Is granted the product"),
            ("all_products", "Is granted all products"),
        ]
        constraints = [models.UniqueConstraint(fields=["code"], name="product_code_once")]

    def __str__(self) -> str:
        return self.name


class Feature(GovernedModel):
    """A gate of a product: on or off (switch), a limit (quota), or counted (metered)."""

    class Type(models.TextChoices):
        """How the gate limits."""

        SWITCH = "switch", "Switch"
        QUOTA = "quota", "Quota"
        METERED = "metered", "Metered"

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="features")
    code = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    type = models.CharField(max_length=10, choices=Type.choices, default=Type.SWITCH)
    unit = models.CharField(max_length=50, blank=True, default="")
    description = models.TextField(blank=True, default="")

    history = history()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["product", "code"], name="feature_code_once_per_product")]

    def __str__(self) -> str:
        return self.name


class Release(GovernedModel):
    """A version of a product, with its planned, released and end-of-life dates."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="releases")
    version_name = models.CharField(max_length=50)
    planned_on = models.DateField(null=True, blank=True)
    released_on = models.DateField(null=True, blank=True)
    end_of_life_on = models.DateField(null=True, blank=True)

    history = history()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product", "version_name"], name="release_once_per_product"),
            models.CheckConstraint(
                condition=Q(end_of_life_on__isnull=True)
                | Q(released_on__isnull=True)
                | Q(end_of_life_on__gt=F("released_on")),
                name="release_ends_after_it_starts",
                violation_error_message="A release ends after it is released.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product} {self.version_name}"


class SKU(GovernedModel):
    """
    What can be ordered of a product: an edition, for trial or production.

    `counterpart` is the production SKU of a trial one, and the reverse. The terms are in its revisions.
    """

    class Purpose(models.TextChoices):
        """What the SKU is sold for."""

        TRIAL = "trial", "Trial"
        PRODUCTION = "production", "Production"

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="skus")
    code = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    edition = models.CharField(max_length=100, blank=True, default="")
    purpose = models.CharField(max_length=10, choices=Purpose.choices, default=Purpose.PRODUCTION)
    counterpart = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    foreign_part_numbers = models.JSONField(default=dict, blank=True)

    history = history()

    class Meta:
        verbose_name = "SKU"
        verbose_name_plural = "SKUs"
        constraints = [
            models.UniqueConstraint(fields=["code"], name="sku_code_once"),
            models.CheckConstraint(
                condition=Q(counterpart__isnull=True) | ~Q(counterpart=F("id")),
                name="sku_is_not_its_own_counterpart",
                violation_error_message="A SKU is not its own counterpart.",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class SKURevision(GovernedModel):
    """
    The terms under which a SKU is granted; immutable (trigger): amending the SKU's terms makes a revision.

    `features` maps feature codes to limits: true for a switch, a number for a quota or included metered amount, null
    for unlimited. `releases` lists the release names covered, null for all. Seats null as a maximum means no maximum.
    Prices are per seat and billing period.
    """

    sku = models.ForeignKey(SKU, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    effective_on = models.DateField(null=True, blank=True)
    metric = models.CharField(max_length=20, choices=Metric.choices, default=Metric.NAMED_USER)
    features = models.JSONField(default=dict, blank=True)
    seats_minimum = models.PositiveIntegerField(default=1)
    seats_maximum = models.PositiveIntegerField(null=True, blank=True)
    countries = country_array()
    hosting_countries = country_array(blank=True)
    environments = ArrayField(models.CharField(max_length=12, choices=Environment.choices), default=list)
    releases = ArrayField(models.CharField(max_length=50), null=True, blank=True)
    support_level = models.CharField(max_length=20, choices=SupportLevel.choices, default=SupportLevel.NONE)
    compliance_obligations = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    export_class = models.CharField(max_length=50, blank=True, default="")
    list_price = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True, default="")

    history = history()

    class Meta:
        verbose_name = "SKU revision"
        constraints = [
            models.UniqueConstraint(fields=["sku", "number"], name="sku_revision_number_once"),
            # The pair that entitlements refer to, so that their SKU is that of their revision.
            models.UniqueConstraint(fields=["id", "sku"], name="sku_revision_with_its_sku"),
            models.CheckConstraint(
                condition=Q(seats_maximum__isnull=True) | Q(seats_maximum__gte=F("seats_minimum")),
                name="sku_revision_seat_bounds_in_order",
                violation_error_message="The largest number of seats is below the smallest.",
            ),
            models.CheckConstraint(
                condition=~Q(countries=[]),
                name="sku_revision_has_countries",
                violation_error_message="A SKU revision names the countries in which it may be used.",
            ),
            models.CheckConstraint(
                condition=Q(list_price__isnull=True) | ~Q(currency=""),
                name="sku_revision_price_has_currency",
                violation_error_message="A price needs a currency.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sku} r{self.number}"

    @classmethod
    def natural_lookup(cls, name: str) -> dict[str, Any]:
        """A revision is called by its SKU's code and its number: `ATLAS-TEAM r2`."""
        code, _, number = name.rpartition(" r")
        return {"sku__code": code, "number": int(number)} if number.isdigit() else {"pk": None}


class RegionGroup(GovernedModel):
    """
    A named set of countries (EU, EEA, EMEA); expanded when a change is planned.

    `revision` rises whenever the set changes, so that an item says which set it was expanded from.
    """

    code = models.CharField(max_length=50)
    name = models.CharField(max_length=200)
    countries = country_array()
    revision = models.PositiveIntegerField(default=1, editable=False)

    history = history()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code"], name="region_group_code_once"),
            models.CheckConstraint(
                condition=~Q(countries=[]),
                name="region_group_has_countries",
                violation_error_message="A region group names at least one country.",
            ),
        ]

    def __str__(self) -> str:
        return self.code
