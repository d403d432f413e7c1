"""Forms of the pages of agreements and order lines."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminSelectWidget

from approvals.admin.fields import Column, InstantField, LimitField, RowsField
from approvals.admin.forms import ProposalForm
from entitlements.admin.fields import AccountsField, CurrencyField, RegionsField
from entitlements.agreements.models import Agreement, OrderLine

MATTERS = [("", "–"), ("export", "Export control"), ("residency", "Data residency")]
OUTCOMES = [("", "–"), ("clear", "Clear"), ("pending", "Pending"), ("objection", "Objection")]


class QuantityField(LimitField):
    """A number of seats, or unlimited, which must be said."""

    def clean(self, value: Any) -> Any:
        """
        Read a quantity.

        :raises ValidationError: if it is neither
        """
        text = str(value or "").strip().lower()
        if text == "unlimited":
            return None
        if text.isdecimal():
            return int(text)
        raise ValidationError("Write a whole number, or unlimited.")


class AgreementForm(ProposalForm):
    """An agreement."""

    covered_accounts = AccountsField(
        required=False, help_text="Accounts that it covers besides the licensee. Their entitlements may stand under it."
    )
    documents = RowsField(
        columns=(
            Column("name", "Name", forms.CharField(max_length=200)),
            Column("digest", "SHA-256 (hex)", forms.CharField(required=False)),
            Column("url", "Address", forms.CharField(required=False)),
        ),
        required=False,
    )
    clauses = RowsField(
        columns=(
            Column("number", "Number", forms.CharField()),
            Column("title", "Title", forms.CharField(max_length=200)),
            Column("text", "Text", forms.CharField(required=False)),
            Column("interpretation", "Our reading", forms.CharField(required=False)),
            Column("interpreted_by", "Read by", forms.CharField(required=False)),
            Column("interpreted_on", "Read on", forms.DateField(required=False)),
        ),
        required=False,
    )
    consents = RowsField(
        columns=(
            Column("to", "To what", forms.CharField(max_length=200)),
            Column("given_by", "Given by", forms.CharField(max_length=200)),
            Column("given_on", "Given on", forms.DateField()),
            Column("document", "Document", forms.CharField(required=False)),
            Column("digest", "SHA-256 (hex)", forms.CharField(required=False)),
        ),
        required=False,
    )
    screenings = RowsField(
        columns=(
            Column("matter", "Matter", forms.ChoiceField(choices=MATTERS)),
            Column("subject", "Of whom or what", forms.CharField(max_length=200)),
            Column("outcome", "Outcome", forms.ChoiceField(choices=OUTCOMES)),
            Column("screened_on", "Screened on", forms.DateField()),
            Column("screened_by", "Screened by", forms.CharField(required=False)),
            Column("reference", "Reference", forms.CharField(required=False)),
        ),
        required=False,
    )
    exchange_rates = RowsField(
        columns=(
            Column("currency", "Currency", forms.CharField(max_length=3)),
            Column("rate", "One of it is so much of the agreement’s currency", forms.DecimalField(min_value=0)),
            Column("rated_on", "Rated on", forms.DateField()),
            Column("source", "Source", forms.CharField(required=False)),
        ),
        required=False,
    )
    bridge_countries = RegionsField(required=False, label="Bridge: regions")
    currency = CurrencyField(required=False)

    class Meta:
        model = Agreement
        exclude: ClassVar[list[str]] = []


class OrderLineForm(ProposalForm):
    """An order line."""

    periods = RowsField(
        columns=(
            Column("starts_at", "Starts", InstantField()),
            Column("ends_at", "Ends (empty: with the line)", InstantField(required=False)),
            Column("quantity", "Quantity", QuantityField()),
            Column("unit_price", "Unit price, net", forms.DecimalField(min_value=0)),
        ),
        help_text="Ramps: one row for each period, in order. Quantity is a number of seats, or unlimited.",
    )
    currency = CurrencyField()
    proration = forms.ChoiceField(
        choices=[("daily", "By the day"), ("none", "None")], widget=UnfoldAdminSelectWidget, initial="daily"
    )

    class Meta:
        model = OrderLine
        exclude: ClassVar[list[str]] = []
