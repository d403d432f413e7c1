"""Evidence packs, their bytes, and the holds that keep them."""

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, Q
from django.db.models.functions import Length

from audit import subjects
from audit.packs import port
from audit.packs.states import TONES, UNFINISHED, Status
from foundation.identity.models import User

PART_BYTES = 1024 * 1024

models.BinaryField.register_lookup(Length)


class EvidencePackQuerySet(models.QuerySet["EvidencePack"]):
    """Reads of evidence packs."""

    def visible_to(self, user: User) -> "EvidencePackQuerySet":
        """Those of a sort that the user may ask for, with nothing in them that is not granted to the user (INV-12)."""
        if not user.is_active:
            return self.none()
        kinds = [kind.name for kind in port.scope_kinds().values() if user.has_perm(kind.permission)]
        found = self.filter(kind__in=kinds)
        granted = subjects.directory().granted(user)
        return found if granted is None else found.filter(everything=False, scope__contained_by=list(granted))

    def due(self, now: datetime) -> "EvidencePackQuerySet":
        """Those that a worker goes on with: nobody has them, or whoever had them is presumed dead."""
        free = Q(leased_until__isnull=True) | Q(leased_until__lt=now)
        return self.filter(free, status__in=UNFINISHED, next_attempt_at__lte=now).order_by("next_attempt_at", "id")

    def to_expire(self, now: datetime) -> "EvidencePackQuerySet":
        """Those whose time is over and that no hold keeps."""
        return self.not_held().filter(keep_until__lte=now).order_by("keep_until", "id")

    def not_held(self) -> "EvidencePackQuerySet":
        """Those that are ready and that no hold keeps."""
        in_force = LegalHold.objects.filter(released_at__isnull=True)
        held = ArraySubquery(in_force.filter(everything=False).values("subject_id"))
        ready = self.filter(~Exists(in_force.filter(everything=True)), status=Status.READY)
        return ready.exclude(held_by__overlap=held)


class EvidencePack(models.Model):
    """
    One evidence pack that somebody asked for, from the asking to its end; rows are never removed. Operational.

    `kind` is the sort of what it is about, `subject_id` the record (null: a period of the whole log), `since` and
    `until` the time, half open. `scope` are the accounts and products that the events in it belong to, and `everything`
    whether one belongs to nobody known: who may see it. `held_by` are the ids by which a hold concerns it: what it is
    about, records, requests and accounts in it. `older` is a checkpoint that it is proven consistent with. `lease` and
    `leased_until` say who is at work; `manifest` is the SHA-256 that the ledger sealed, by the event `seal_id`, and
    `sha256` that of the whole file. Deliberately absent:
    names, and the bytes, which are parts of their own.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=100)
    subject_id = models.UUIDField(null=True)
    label = models.CharField(max_length=300)
    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    purpose = models.TextField(blank=True, default="")
    older = models.TextField(blank=True, default="")
    scope: "ArrayField[Any, Any]" = ArrayField(models.UUIDField(), default=list)
    everything = models.BooleanField(default=False)
    held_by: "ArrayField[Any, Any]" = ArrayField(models.UUIDField(), default=list)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.REQUESTED)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    asked_at = models.DateTimeField()
    keep_days = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    built_at = models.DateTimeField(null=True)
    manifest = models.CharField(max_length=64, blank=True, default="")
    seal_id = models.UUIDField(null=True)
    ready_at = models.DateTimeField(null=True)
    size = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    event_count = models.PositiveIntegerField(null=True)
    keep_until = models.DateTimeField(null=True)
    problem = models.TextField(blank=True, default="")
    ended_at = models.DateTimeField(null=True)

    objects = EvidencePackQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions = [("manage_legalhold", "Can place and release legal holds")]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=Status.values), name="evidence_pack_status_known"),
            # A time has an end after its beginning.
            models.CheckConstraint(
                condition=Q(since__isnull=True, until__isnull=True) | Q(until__gt=models.F("since")),
                name="evidence_pack_period_has_length",
            ),
            # INV-4: what is sealed or given out is named by its digest.
            models.CheckConstraint(
                condition=~Q(status__in=["built", "ready", "expired"])
                | (Q(manifest__regex=r"^[0-9a-f]{64}$", seal_id__isnull=False, built_at__isnull=False)),
                name="evidence_pack_built_is_sealed",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["ready", "expired"])
                | Q(
                    sha256__regex=r"^[0-9a-f]{64}$",
                    size__isnull=False,
                    ready_at__isnull=False,
                    keep_until__isnull=False,
                ),
                name="evidence_pack_ready_has_digest",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["failed", "expired"]) | Q(ended_at__isnull=False),
                name="evidence_pack_ended_has_instant",
            ),
        ]
        indexes = [
            # The list, newest first; also the API's cursor.
            models.Index(fields=["-asked_at", "id"], name="evidence_pack_newest_first"),
            # What a worker goes on with, and what is over.
            models.Index(
                fields=["next_attempt_at", "id"],
                name="evidence_pack_due",
                condition=Q(status__in=["built", "requested"]),
            ),
            models.Index(fields=["keep_until", "id"], name="evidence_pack_kept", condition=Q(status="ready")),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def is_ready(self) -> bool:
        """Whether it can be downloaded."""
        return self.status == Status.READY

    @property
    def is_unfinished(self) -> bool:
        """Whether somebody still works on it."""
        return self.status in UNFINISHED

    @property
    def status_label(self) -> str:
        """The status in words."""
        return str(Status(self.status).label)

    @property
    def tone(self) -> str:
        """The tone of its badge."""
        return TONES[Status(self.status)]

    @property
    def file_name(self) -> str:
        """What the file is called."""
        return f"evidence-{self.asked_at:%Y-%m-%d}-{str(self.id)[:8]}.zip"


class EvidencePackPart(models.Model):
    """A part of a pack's bytes, in order from 0; removed when the pack expires. Operational."""

    pk = models.CompositePrimaryKey("pack_id", "number")
    pack = models.ForeignKey(EvidencePack, on_delete=models.PROTECT, related_name="parts", db_index=False)
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(content__length__lte=PART_BYTES), name="evidence_pack_part_is_small"),
        ]

    def __str__(self) -> str:
        return f"part {self.number}"


class LegalHoldQuerySet(models.QuerySet["LegalHold"]):
    """Reads of legal holds."""

    def in_force(self) -> "LegalHoldQuerySet":
        """Those that were not released."""
        return self.filter(released_at__isnull=True)

    def covering(self, ids: Collection[uuid.UUID]) -> "LegalHoldQuerySet":
        """Those in force that concern any of the records, accounts, requests or people."""
        return self.in_force().filter(Q(everything=True) | Q(subject_id__in=ids))


class LegalHold(models.Model):
    """
    That nothing which concerns something may be removed, and why; released once, never removed. Operational.

    `subject_id` is a change request, an entitlement or an account; `everything` holds all there is.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=100, blank=True, default="")
    subject_id = models.UUIDField(null=True)
    everything = models.BooleanField(default=False)
    label = models.CharField(max_length=300)
    reason = models.TextField()
    placed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    placed_at = models.DateTimeField()
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    released_at = models.DateTimeField(null=True)
    release_reason = models.TextField(blank=True, default="")

    objects = LegalHoldQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(everything=True, subject_id__isnull=True) | Q(everything=False, subject_id__isnull=False),
                name="legal_hold_names_what_it_holds",
            ),
            models.CheckConstraint(condition=Q(reason__regex=r"\S"), name="legal_hold_says_why"),
            models.CheckConstraint(
                condition=Q(released_at__isnull=True, released_by__isnull=True, release_reason="")
                | Q(released_at__isnull=False, released_by__isnull=False, release_reason__regex=r"\S"),
                name="legal_hold_release_says_why",
            ),
            # One hold on one thing at a time: releasing it releases it.
            models.UniqueConstraint(
                fields=["kind", "subject_id"],
                condition=Q(released_at__isnull=True),
                nulls_distinct=False,
                name="legal_hold_in_force_once",
            ),
        ]
        indexes = [models.Index(fields=["subject_id"], name="legal_hold_of_subject")]

    def __str__(self) -> str:
        return self.label
