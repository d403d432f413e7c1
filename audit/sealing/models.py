"""The sealed log as stored: which event is which leaf, the tree's hashes, and its signed heads. All only grow."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length

models.BinaryField.register_lookup(Length)

# Of the complete subtrees, those of every fourth level are stored: 1/15 of a row for each leaf, and a proof among a
# million leaves reads at most 15 rows of each of five levels.
LEVELS_APART = 4


class Leaf(models.Model):
    """An event's place in the log, counted from 0 without a gap, and its RFC 9162 hash."""

    index = models.BigIntegerField(primary_key=True)
    event_id = models.UUIDField()
    hash = models.BinaryField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["event_id"], name="leaf_event_once"),
            models.CheckConstraint(condition=Q(index__gte=0), name="leaf_index_from_zero"),
            models.CheckConstraint(condition=Q(hash__length=32), name="leaf_hash_is_sha256"),
        ]

    def __str__(self) -> str:
        return f"leaf {self.index}"


class TreeNode(models.Model):
    """The hash of the complete subtree of 2^level leaves that begins at leaf `index * 2^level`."""

    pk = models.CompositePrimaryKey("level", "index")
    level = models.SmallIntegerField()
    index = models.BigIntegerField()
    hash = models.BinaryField()

    class Meta:
        default_permissions = ()
        constraints = [
            # docs/ledger.md: every fourth level.
            models.CheckConstraint(condition=Q(level__gte=1) & Q(index__gte=0), name="tree_node_above_leaves"),
            models.CheckConstraint(condition=Q(hash__length=32), name="tree_node_hash_is_sha256"),
        ]

    def __str__(self) -> str:
        return f"subtree {self.level}/{self.index}"


class Checkpoint(models.Model):
    """
    A signed head of the log.

    `note` is the signed note of C2SP, `root` and `size` repeat it; `frontier` holds the hashes of the complete
    subtrees, which give the root and let the tree grow. `transaction_id` and `position` are those of the last event
    sealed, in the cluster `cluster`: another cluster counts its transactions anew, and what came with a dump is sealed
    out of order, with events of transactions below `contested_below`.
    """

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    frontier = models.BinaryField()
    note = models.TextField()
    signed_at = models.DateTimeField()
    transaction_id = models.BigIntegerField()
    position = models.BigIntegerField()
    cluster = models.BigIntegerField()
    contested_below = models.BigIntegerField()

    class Meta:
        default_permissions = ("view",)
        ordering = ["size"]
        constraints = [
            models.CheckConstraint(condition=Q(size__gt=0), name="checkpoint_of_some_events"),
            models.CheckConstraint(condition=Q(root__length=32), name="checkpoint_root_is_sha256"),
        ]
        indexes = [
            # “The checkpoint at that time”, and what was not exported yet.
            models.Index(F("signed_at").desc(), name="checkpoint_newest_first"),
        ]

    def __str__(self) -> str:
        return f"checkpoint of {self.size} events"
