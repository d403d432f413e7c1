"""Who is served: accounts and their tree, people, deployments; and who may see which account and product."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from approvals.records.models import GovernedModel, history
from entitlements.catalog.models import Environment, Product, Release
from foundation.identity.models import ERASED


class Account(GovernedModel):
    """
    An organization: customer, subsidiary or business unit; a tree.

    A parent's entitlement serves descendants only where its agreement says so. `time_zone` is that in which its dates
    are meant. The tree's closure is kept by a trigger in AccountClosure.
    """

    class Type(models.TextChoices):
        """What sort of organization it is."""

        CUSTOMER = "customer", "Customer"
        SUBSIDIARY = "subsidiary", "Subsidiary"
        BUSINESS_UNIT = "business_unit", "Business unit"

    code = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    type = models.CharField(max_length=20, choices=Type.choices, default=Type.CUSTOMER)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    country = models.CharField(max_length=2, blank=True, default="")
    time_zone = models.CharField(max_length=64, default="UTC")

    history = history()

    class Meta:
        permissions = [
            ("access_account", "Is granted the account and its descendants"),
            ("all_accounts", "Is granted all accounts"),
        ]
        constraints = [models.UniqueConstraint(fields=["code"], name="account_code_once")]

    def __str__(self) -> str:
        return self.name


class AccountClosure(models.Model):
    """
    One ancestor of one account, itself included (depth 0). Operational: derived from the tree by a trigger.

    Deliberately absent: a writer in the application; it may only read.
    """

    id = models.BigAutoField(primary_key=True)
    ancestor = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="descendant_rows")
    descendant = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="ancestor_rows")
    depth = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["ancestor", "descendant"], name="account_closure_once"),
        ]

    def __str__(self) -> str:
        return f"{self.ancestor_id} → {self.descendant_id}"


class Person(models.Model):
    """
    Someone known from the identity provider who can hold a seat. Operational: registered by services, each with its
    event.

    `human_id` is shared with the logins of the same human; `country` is where they work, empty if not known.
    Deliberately absent: name, mail and external ids, which live in
    PersonalDetails and can be erased.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    human_id = models.UUIDField(default=uuid.uuid4, db_index=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="people")
    country = models.CharField(max_length=2, blank=True, default="")
    registered_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "people"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return str(self.id)


class PersonalDetails(models.Model):
    """
    A person's name, mail and external ids: one erasable row without history.

    `person_id` is no foreign key on purpose: details are staged when an import is filed, before its people exist, and
    removed if it is not applied. `erased_at` remains when the rest has been emptied.
    """

    person_id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=200, blank=True, default="")
    mail = models.CharField(max_length=320, blank=True, default="")
    external_ids = models.JSONField(default=dict, blank=True)
    staged_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        verbose_name_plural = "personal details"
        indexes = [
            # Imports recognize people by mail.
            models.Index(Lower("mail"), name="personal_details_mail"),
        ]
        constraints = [
            # Nothing of who was erased comes back.
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True) | Q(name="", mail="", external_ids={}),
                name="personal_details_erased_are_empty",
            ),
        ]

    def __str__(self) -> str:
        return ERASED if self.erased_at else self.name


class Deployment(GovernedModel):
    """Where an account runs a product: trial, staging or production; hosting country; release."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="deployments")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    environment = models.CharField(max_length=12, choices=Environment.choices)
    hosting_country = models.CharField(max_length=2, blank=True, default="")
    release = models.ForeignKey(Release, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    history = history()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "product", "name"], name="deployment_name_once"),
        ]

    def __str__(self) -> str:
        return self.name


class AccountUserGrant(UserObjectPermissionBase):
    """One user's grant on one account; it covers the account's descendants. Operational."""

    content_object = models.ForeignKey(Account, on_delete=models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        default_permissions = ()


class AccountGroupGrant(GroupObjectPermissionBase):
    """One group's grant on one account; it covers the account's descendants. Operational."""

    content_object = models.ForeignKey(Account, on_delete=models.CASCADE)

    class Meta(GroupObjectPermissionBase.Meta):
        default_permissions = ()


class ProductUserGrant(UserObjectPermissionBase):
    """One user's grant on one product. Operational."""

    content_object = models.ForeignKey(Product, on_delete=models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        default_permissions = ()


class ProductGroupGrant(GroupObjectPermissionBase):
    """One group's grant on one product. Operational."""

    content_object = models.ForeignKey(Product, on_delete=models.CASCADE)

    class Meta(GroupObjectPermissionBase.Meta):
        default_permissions = ()


def owner_field() -> "models.ForeignKey[Any, Any]":
    """A reference to the user who answers for a record."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
