"""The commercial terms: agreements and what was ordered under them."""

from datetime import date, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from approvals.records.models import GovernedModel, history
from entitlements.catalog.models import SKURevision, country_array
from entitlements.directory.models import Account, owner_field


class Agreement(GovernedModel):
    """
    Commercial terms between a licensor and a licensee.

    `covered_accounts` are the accounts it covers besides the licensee; with `covers_descendants` each covers its
    descendants. `ends_at` null: no fixed end. `clauses` hold the text, its SHA-256, our reading of it and who read it
    when; `consents` what was agreed to in writing, by whom, with the document; `screenings` what was checked for export
    control and data residency, when and with which outcome; `exchange_rates` dated rates: how much of the agreement's
    currency one unit of another is. The notice deadline is derived from the end and `notice_days`, never stored. The
    bridge right is what may be granted without a new order when a transition is late: all its limits are totals over
    the agreement's life; without `bridge_days_total` there is none. Instants are half-open: `ends_at` is
    the first instant at which it no longer holds.
    """

    class Side(models.TextChoices):
        """On which side of the license this registry's owner stands."""

        LICENSOR = "licensor", "Licensor"
        LICENSEE = "licensee", "Licensee"
        RESELLER = "reseller", "Reseller"

    class Renewal(models.TextChoices):
        """What happens at the end."""

        ENDS = "ends", "Ends"
        AUTO = "auto", "Renews by itself"
        EVERGREEN = "evergreen", "Evergreen"

    reference = models.CharField(max_length=100)
    title = models.CharField(max_length=200)
    side = models.CharField(max_length=10, choices=Side.choices)
    licensor = models.CharField(max_length=200)
    licensee = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="agreements")
    purchaser = models.CharField(max_length=200, blank=True, default="")
    reseller = models.CharField(max_length=200, blank=True, default="")
    covered_accounts = ArrayField(models.UUIDField(), default=list, blank=True)
    covers_descendants = models.BooleanField(default=False)
    assignability = models.CharField(max_length=200, blank=True, default="")
    documents = models.JSONField(default=list, blank=True)
    clauses = models.JSONField(default=list, blank=True)
    consents = models.JSONField(default=list, blank=True)
    screenings = models.JSONField(default=list, blank=True)
    exchange_rates = models.JSONField(default=list, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    renewal = models.CharField(max_length=10, choices=Renewal.choices, default=Renewal.ENDS)
    renewal_months = models.PositiveIntegerField(null=True, blank=True)
    notice_days = models.PositiveIntegerField(default=0)
    notice_served_on = models.DateField(null=True, blank=True)
    price_cap_percent = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    termination_terms = models.TextField(blank=True, default="")
    true_up_terms = models.TextField(blank=True, default="")
    bridge_days_total = models.PositiveIntegerField(null=True, blank=True)
    bridge_count_total = models.PositiveIntegerField(null=True, blank=True)
    bridge_seats = models.PositiveIntegerField(null=True, blank=True)
    bridge_countries = country_array(blank=True)
    bridge_production_use = models.BooleanField(default=False)
    bridge_price = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    bridge_needs_written_consent = models.BooleanField(default=True)
    budget = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True, default="")
    owner = owner_field()

    history = history()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="agreement_reference_once"),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="agreement_ends_after_it_starts",
                violation_error_message="An agreement ends after it starts.",
            ),
            models.CheckConstraint(
                condition=~Q(renewal="auto") | Q(renewal_months__isnull=False, ends_at__isnull=False),
                name="agreement_auto_renewal_has_period",
                violation_error_message="An agreement that renews by itself names its end and for how many months.",
            ),
            models.CheckConstraint(
                condition=Q(budget__isnull=True, bridge_price__isnull=True) | ~Q(currency=""),
                name="agreement_money_has_currency",
                violation_error_message="Money needs a currency.",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def notice_deadline_on(self) -> date | None:
        """The last day on which notice still ends the agreement, in the licensee's calendar (UTC date of the end)."""
        return None if self.ends_at is None else (self.ends_at - timedelta(days=self.notice_days)).date()


class OrderLine(GovernedModel):
    """
    What was ordered under an agreement: the right that entitlements share out (INV-13).

    `periods` are rows of starts_at, ends_at (null: to the line's end), quantity (null: explicitly unlimited) and
    unit_price, net, per seat and billing period: ramps. They lie within the line's term, in order, without overlap.
    Trials and bridges have an order line too, at price zero or the agreed price. Cost is computed from these.
    `cancelable_on` is the first day from which it may be canceled; null: not before it ends. `purchase_order_amount` is
    what the purchase order was approved for, net, in the line's currency, over all lines that name it.
    """

    class Billing(models.TextChoices):
        """What one unit price pays for."""

        ONCE = "once", "Once"
        MONTH = "month", "Month"
        YEAR = "year", "Year"

    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="order_lines")
    reference = models.CharField(max_length=100)
    sku_revision = models.ForeignKey(SKURevision, on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    periods = models.JSONField()
    billing = models.CharField(max_length=5, choices=Billing.choices, default=Billing.YEAR)
    list_price = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    discount_percent = models.DecimalField(max_digits=6, decimal_places=3, null=True, blank=True)
    currency = models.CharField(max_length=3)
    proration = models.CharField(max_length=20, default="daily", choices=[("daily", "By the day"), ("none", "None")])
    credit_rule = models.CharField(max_length=200, blank=True, default="")
    co_term_on = models.DateField(null=True, blank=True)
    purchase_order = models.CharField(max_length=100, blank=True, default="")
    purchase_order_on = models.DateField(null=True, blank=True)
    purchase_order_amount = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    cancelable_on = models.DateField(null=True, blank=True)
    tax_percent = models.DecimalField(max_digits=6, decimal_places=3, null=True, blank=True)
    cost_center = models.CharField(max_length=100, blank=True, default="")
    gl_code = models.CharField(max_length=100, blank=True, default="")

    history = history()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="order_line_reference_once"),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="order_line_ends_after_it_starts",
                violation_error_message="An order line ends after it starts.",
            ),
        ]

    def __str__(self) -> str:
        return self.reference
