"""Which heads of the log were copied where."""

from django.db import models


class CheckpointCopy(models.Model):
    """A checkpoint that left the house: where to, without credentials, and when."""

    id = models.BigAutoField(primary_key=True)
    target = models.CharField(max_length=300)
    size = models.BigIntegerField()
    copied_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [
            # What each target had last.
            models.Index(fields=["target", "-copied_at"], name="checkpoint_copy_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.size} events to {self.target}"
