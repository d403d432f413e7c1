"""Sealing: every committed event once, in one order, under heads that are signed and prove each other."""

import threading
import uuid
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from approvals import events
from audit.merkle import notes, tree
from audit.merkle.notes import SignerKey
from audit.models import Checkpoint, Event, Leaf, TreeNode
from audit.sealing import keys, proofs
from audit.sealing.errors import LogDamaged, NoSigningKey, NotSealed
from audit.sealing.services import Sealed, seal
from audit.sealing.verification import verify
from audit.services import NewEvent, Subject, record, record_all
from tests import given
from tests.conftest import connect
from tests.support.instance import provision

pytestmark = pytest.mark.django_db(transaction=True)
SUBJECT = Subject("approvals.changerequest", uuid.UUID(int=7), "change 7")


def happened(count: int = 1) -> list[Event]:
    new = NewEvent(type=events.REQUEST_WITHDRAWN, actor=None, subject=SUBJECT, data={"number": 7})
    with transaction.atomic():
        return record_all(events=[new] * count, now=given.NOW)


def seal_all(batch: int = 1000) -> int:
    count = 0
    while (done := seal(now=given.NOW, batch=batch)).events:
        count += done.events
    return count


def sealed_ids() -> list[uuid.UUID]:
    return list(Leaf.objects.order_by("index").values_list("event_id", flat=True))


def holds(*brought: str) -> Any:
    report, _rows = verify(brought=brought, keys=keys.verifiers(), origin="")
    return report


class TestSeal:
    def test_numbers_everything_once_in_the_order_of_transactions(self) -> None:
        before = seal_all()
        made = [event.id for _ in range(3) for event in happened(3)]

        assert seal_all(batch=4) == 9
        assert sealed_ids()[before:] == made
        assert list(Leaf.objects.order_by("index").values_list("index", flat=True)) == list(range(before + 9))
        assert seal(now=given.NOW) == Sealed()

    def test_signs_heads_of_which_each_begins_the_next(self) -> None:
        heads = []
        for count in (1, 2, 5, 16, 40):
            happened(count)
            seal_all(batch=7)
            heads.append(Checkpoint.objects.latest("size"))

        contents = dict(Event.objects.values_list("id", "content"))
        hashes = [tree.leaf_hash(bytes(contents[key])) for key in sealed_ids()]
        for head in heads:
            read = notes.read_checkpoint(head.note, keys=keys.verifiers(), origins=["testserver/ledger"])
            assert (read.size, read.root) == (head.size, tree.Tree.of(hashes[: head.size]).root)
            assert proofs.root(head.size) == read.root
        for first in heads:
            for second in heads[heads.index(first) :]:
                proof = proofs.consistency(first=first.size, second=second.size)
                roots = (bytes(first.root), bytes(second.root))
                tree.check_consistency(first=first.size, second=second.size, proof=proof, roots=roots)
        for index in range(len(hashes)):
            for head in heads:
                if index < head.size:
                    proof = proofs.inclusion(event_id=sealed_ids()[index], size=head.size)
                    tree.check_inclusion(
                        leaf=proof.leaf, index=index, size=head.size, proof=proof.hashes, root=bytes(head.root)
                    )
        assert holds(*(head.note for head in heads)).holds

    def test_leaves_what_may_still_get_a_predecessor(self, app_connection: psycopg.Connection[Any]) -> None:
        seal_all()
        with app_connection.transaction():
            # A transaction that has begun and may still record something.
            app_connection.execute("SELECT pg_current_xact_id()")
            later = happened()[0]
            assert seal_all() == 0

        assert seal_all() == 1
        assert sealed_ids()[-1] == later.id

    def test_takes_nothing_that_was_rolled_back(self) -> None:
        seal_all()
        with transaction.atomic():
            lost = record(
                event=NewEvent(type=events.REQUEST_WITHDRAWN, actor=None, subject=SUBJECT, data={"number": 7}),
                now=given.NOW,
            )
            transaction.set_rollback(True)
        happened()

        assert seal_all() == 1
        assert lost.id not in sealed_ids()

    def test_is_done_by_one_at_a_time(self) -> None:
        happened(5)
        with connect(role=provision.APP) as other, other.transaction():
            other.execute("SELECT pg_advisory_xact_lock(%s)", [0x7E4C_5EA1])
            assert seal(now=given.NOW) == Sealed()
        assert seal_all() >= 5

    def test_goes_on_with_a_dump_in_another_cluster(self, owner_connection: psycopg.Connection[Any]) -> None:
        happened(3)
        seal_all()
        waiting = happened(4)
        # What a dump brings: transactions of another count, some far ahead, and a head of another cluster.
        with replica(owner_connection):
            owner_connection.execute("UPDATE audit_checkpoint SET cluster = 1")
            owner_connection.execute(
                "UPDATE audit_event SET transaction_id = transaction_id + 1000000 WHERE id = ANY(%s)",
                [[event.id for event in waiting]],
            )

        assert seal_all(batch=2) == 4
        later = happened(2)
        assert seal_all() == 2
        assert sealed_ids()[-2:] == [event.id for event in later]
        assert len(set(sealed_ids())) == Event.objects.count()
        assert holds(Checkpoint.objects.latest("size").note).holds


def replica(owner: psycopg.Connection[Any]) -> Any:
    """A transaction of the owner without triggers."""
    return _WithoutTriggers(owner)


class _WithoutTriggers:
    TABLES = ("audit_event", "audit_leaf", "audit_treenode", "audit_checkpoint")

    def __init__(self, owner: psycopg.Connection[Any]) -> None:
        self.owner = owner

    def __enter__(self) -> None:
        for table in self.TABLES:
            self.owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")

    def __exit__(self, *_: object) -> None:
        for table in self.TABLES:
            self.owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


class TestRefusals:
    @pytest.mark.parametrize(
        "damage",
        [
            "DELETE FROM audit_leaf WHERE index = (SELECT max(index) FROM audit_leaf)",
            "INSERT INTO audit_leaf SELECT max(index) + 1, gen_random_uuid(), sha256('') FROM audit_leaf",
            "UPDATE audit_leaf SET hash = sha256('') WHERE index = (SELECT max(index) FROM audit_leaf)",
            "UPDATE audit_treenode SET hash = sha256('')",
            "UPDATE audit_checkpoint SET root = sha256('')",
            "UPDATE audit_checkpoint SET frontier = root",
            "UPDATE audit_checkpoint SET note = replace(note, 'testserver', 'elsewhere')",
            "UPDATE audit_checkpoint SET size = size - 1 WHERE size = (SELECT max(size) FROM audit_checkpoint)",
            "DELETE FROM audit_checkpoint",
        ],
    )
    def test_sign_nothing_on_what_was_not_signed(self, damage: str, owner_connection: psycopg.Connection[Any]) -> None:
        # No round number of leaves: the last one, and a frontier of several hashes, are what the next round builds on.
        happened(21 + (5 - 21 - Event.objects.count()) % 16)
        seal_all()
        count = Checkpoint.objects.count()
        with replica(owner_connection):
            owner_connection.execute(damage)
        happened()

        with pytest.raises(LogDamaged):
            seal(now=given.NOW)
        assert Checkpoint.objects.count() == (0 if damage.startswith("DELETE FROM audit_checkpoint") else count)
        assert not holds().holds

    def test_sign_nothing_without_a_key(self, settings: Any) -> None:
        settings.EMBEDDED = False
        happened()
        with pytest.raises(NoSigningKey, match="new-key"):
            seal(now=given.NOW)
        assert not Leaf.objects.exists()

    def test_prove_nothing_that_is_not_sealed(self) -> None:
        event = happened()[0]
        size = seal_all()
        later = happened()[0]

        for wrong in (later.id, uuid.UUID(int=0)):
            with pytest.raises(NotSealed):
                proofs.inclusion(event_id=wrong, size=size)
        with pytest.raises(NotSealed):
            proofs.inclusion(event_id=event.id, size=size - 1)
        for first, second in ((0, size), (size, size + 1), (2, 1)):
            with pytest.raises(NotSealed):
                proofs.consistency(first=first, second=second)


class TestKeys:
    def test_take_over_from_each_other_while_both_sign(self, settings: Any) -> None:
        old, new = (SignerKey.new("testserver/ledger") for _ in range(2))
        settings.LEDGER_SIGNING_KEYS = [old.text()]
        happened()
        seal_all()
        first = Checkpoint.objects.latest("size").note
        settings.LEDGER_SIGNING_KEYS = [new.text(), old.text()]
        settings.LEDGER_VERIFIER_KEYS = [str(old.verifier)]
        happened()
        seal_all()
        both = Checkpoint.objects.latest("size").note
        settings.LEDGER_SIGNING_KEYS = [new.text()]
        happened()
        seal_all()

        assert holds(first, both, Checkpoint.objects.latest("size").note).holds
        for known in (old, new):
            assert notes.read_checkpoint(both, keys=[known.verifier], origins=["testserver/ledger"])

    def test_of_strangers_are_not_believed(self, settings: Any) -> None:
        happened()
        seal_all()
        forged = notes.sign(
            notes.verified(Checkpoint.objects.latest("size").note, keys.verifiers()),
            [SignerKey.new("testserver/ledger")],
        )

        assert [finding.code for finding in holds(forged).findings] == ["bad_checkpoint"]


class TestManyWriters:
    def test_lose_nothing_while_it_is_sealed(self) -> None:
        seal_all()
        before, stop, counts = Leaf.objects.count(), threading.Event(), []

        def write() -> None:
            try:
                counts.append(sum(len(happened(2)) for _ in range(15)))
            finally:
                connection.close()

        def keep_sealing() -> None:
            try:
                while not stop.is_set():
                    seal(now=given.NOW, batch=25)
            finally:
                connection.close()

        sealer = threading.Thread(target=keep_sealing)
        writers = [threading.Thread(target=write) for _ in range(8)]
        for thread in (sealer, *writers):
            thread.start()
        for thread in writers:
            thread.join()
        stop.set()
        sealer.join()
        seal_all()

        assert Leaf.objects.count() - before == sum(counts) == 240
        assert set(sealed_ids()) == set(Event.objects.values_list("id", flat=True))
        assert TreeNode.objects.filter(level=4).count() == Leaf.objects.count() >> 4
        assert holds().holds
