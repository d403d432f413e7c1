"""Answers kept so that a repeated request is answered, not repeated."""

from django.db import models
from knox.models import AuthToken


class IdempotencyRecord(models.Model):
    """
    The answer to one successful request that carried an Idempotency-Key, written in the transaction of its effect.

    `principal_id` is the login that sent it. Rows live for 24 hours, so a body that names a person outlives that
    person's erasure by a day at most. Deliberately absent: requests in flight (an advisory lock tells of them, and
    cannot outlive its transaction) and refused ones (they changed nothing, so they may be tried again).
    """

    principal_id = models.UUIDField()
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status_code = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = "idempotency record"
        verbose_name_plural = "idempotency records"
        constraints = [
            # One effect per key, whatever the lock says; keys of different principals never meet.
            models.UniqueConstraint(fields=["principal_id", "key"], name="idempotency_record_key_once"),
        ]
        indexes = [
            # Purging.
            models.Index(fields=["expires_at"], name="idempotency_record_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.principal_id} {self.key}"


class TokenUse(models.Model):
    """When an API token was last used, to the hour: what nobody uses can be revoked. Goes with its token."""

    token = models.OneToOneField(AuthToken, primary_key=True, on_delete=models.CASCADE, related_name="use")
    used_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"used at {self.used_at:%Y-%m-%d %H:%M}"
