"""
Tampering by the database's owner, who can switch every guard off but has no signing key: found with a checkpoint that
left the house, and the public key. A short seed always; `TENURE_SOAK_TAMPERINGS=1000` under `make soak`.
"""

import os
import random
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from approvals.governed import Draft
from audit.merkle import notes, tree
from audit.merkle.notes import SignerKey
from audit.models import Checkpoint, Event
from audit.sealing import keys
from audit.sealing.models import LEVELS_APART
from audit.sealing.verification import Report, verify
from foundation.database import provision
from tests import given
from tests.approvals import world as building
from tests.audit.test_sealing import happened, seal_all

TAMPERINGS = int(os.environ.get("TENURE_SOAK_TAMPERINGS") or (1000 if os.environ.get("TENURE_SOAK") == "1" else 60))
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.soak]
TABLES = (
    "audit_event", "audit_leaf", "audit_treenode", "audit_checkpoint", "approvals_revision", "approvals_decision",
    "entitlements_entitlement", "entitlements_historicalentitlement", "entitlements_orderline",
    "entitlements_historicalorderline", "entitlements_product", "entitlements_historicalproduct", "approvals_policy",
    "approvals_historicalpolicy",
)  # fmt: skip
RECORDS = ("entitlements_entitlement", "entitlements_product", "approvals_policy", "entitlements_orderline")
FORGER = SignerKey.new("testserver/ledger", b"\x09" * 32)


def query(sql: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else [cursor.rowcount]


def stock() -> str:
    """A few changes, applied and sealed; answer the checkpoint that somebody outside keeps."""
    world = building.make()
    world.apply(world.approved())
    world.apply(world.approved(Draft("entitlement.amend", {"seats": 4}, world.trial.id)), days=1)
    given.record(
        "policy.create", name="Ask finance", stages=[{"position": 1, "role": "finance", "quorum": 1, "why": "x"}]
    )
    happened(40)
    seal_all(batch=37)
    kept = Checkpoint.objects.latest("size").note
    happened(12)
    seal_all()
    return kept


class Owner:
    """Tampers: each method changes something that the kept checkpoint covers, and answers what it did."""

    def __init__(self, chance: random.Random, covered: int) -> None:
        self.chance, self.covered = chance, covered

    def event(self) -> uuid.UUID:
        return query("SELECT event_id FROM audit_leaf WHERE index = %s", self.chance.randrange(self.covered))[0][0]

    def bytes_of_an_event(self) -> None:
        place = self.chance.randrange(40, 120)
        query(
            "UPDATE audit_event SET content = set_byte(content, %s, get_byte(content, %s) # 1) WHERE id = %s",
            place,
            place,
            self.event(),
        )

    def column_of_an_event(self) -> None:
        change = self.chance.choice(
            (
                "type = 'approvals.change_request.rejected_' || type",
                "recorded_at = recorded_at + interval '1 microsecond'",
                "actor_id = gen_random_uuid()",
                "actor_human_id = gen_random_uuid()",
                "change_request_id = gen_random_uuid()",
                "subject_id = gen_random_uuid()",
                "subject_label = subject_label || '!'",
                "subject_type = subject_type || '!'",
                "data = data || '{\"number\": 99999}'",
            )
        )
        query(f"UPDATE audit_event SET {change} WHERE id = %s", self.event())

    def whole_event(self) -> None:
        """Bytes and columns alike, so that they agree, and the tree after them."""
        self.tell_another_story()
        self.chance.choice((self.rebuild, self.rehash_leaves, lambda: None))()

    def tell_another_story(self) -> None:
        query(
            "UPDATE audit_event SET data = data || '{\"told\": 1}', content = convert_to(jsonb_set("
            "convert_from(content, 'UTF8')::jsonb, '{data,told}', '1')::text, 'UTF8') WHERE id = %s",
            self.event(),
        )

    def remove_an_event(self) -> None:
        event = self.event()
        query("DELETE FROM audit_event WHERE id = %s", event)
        self.chance.choice(
            (self.rebuild, lambda: query("DELETE FROM audit_leaf WHERE event_id = %s", event), lambda: None)
        )()

    def insert_an_event(self) -> None:
        """One that happened long ago."""
        query(
            "INSERT INTO audit_event (id, type, recorded_at, subject_type, subject_label, data, content, records, "
            "transaction_id, position) SELECT gen_random_uuid(), type, recorded_at, subject_type, subject_label, data, "
            "content, records, transaction_id, -position FROM audit_event WHERE id = %s",
            self.event(),
        )
        query(
            "UPDATE audit_event SET content = convert_to(jsonb_set(convert_from(content, 'UTF8')::jsonb, '{id}', "
            "to_jsonb(id::text))::text, 'UTF8') WHERE position < 0"
        )
        self.chance.choice((self.rebuild, lambda: None))()

    def reorder(self) -> None:
        first, second = self.chance.sample(range(self.covered), 2)
        ids = dict(query("SELECT index, event_id FROM audit_leaf WHERE index IN (%s, %s)", first, second))
        query("DELETE FROM audit_leaf WHERE index IN (%s, %s)", first, second)
        for index, event in ((first, ids[second]), (second, ids[first])):
            query(
                "INSERT INTO audit_leaf SELECT %s, id, sha256('\\x00'::bytea || content) FROM audit_event "
                "WHERE id = %s",
                index,
                event,
            )

    def truncate(self) -> None:
        table = self.chance.choice(("audit_event", "audit_leaf", "audit_treenode", "audit_checkpoint"))
        query(f"TRUNCATE {table} CASCADE")

    def cut_the_end(self) -> None:
        """As if a backup from before had been put in place, and signed anew."""
        size = self.chance.randrange(1, self.covered)
        query("DELETE FROM audit_event WHERE id IN (SELECT event_id FROM audit_leaf WHERE index >= %s)", size)
        self.rebuild()

    def stored_hash(self) -> None:
        table = self.chance.choice(("audit_leaf", "audit_treenode"))
        query(
            f"UPDATE {table} SET hash = sha256(hash) WHERE ctid = (SELECT ctid FROM {table} ORDER BY random() LIMIT 1)"
        )

    def record(self) -> None:
        table = self.chance.choice(RECORDS)
        one = f"ctid = (SELECT ctid FROM {table} ORDER BY random() LIMIT 1)"
        self.chance.choice(
            (
                lambda: query(f"UPDATE {table} SET retired_at = now() WHERE {one}"),
                lambda: query(f"UPDATE {table} SET version = version + 1 WHERE {one}"),
                lambda: query(f"DELETE FROM {table} WHERE {one}"),
            )
        )()

    def history(self) -> None:
        table = self.chance.choice(RECORDS).replace("_", "_historical", 1)
        one = f"ctid = (SELECT ctid FROM {table} ORDER BY random() LIMIT 1)"
        self.chance.choice(
            (
                lambda: query(f"UPDATE {table} SET retired_at = now() WHERE {one}"),
                lambda: query(f"UPDATE {table} SET history_date = history_date + interval '1 day' WHERE {one}"),
                lambda: query(f"UPDATE {table} SET change_request_number = change_request_number + 1 WHERE {one}"),
                lambda: query(f"UPDATE {table} SET version = version + 1 WHERE {one}"),
                lambda: query(f"DELETE FROM {table} WHERE {one}"),
            )
        )()

    def revision(self) -> None:
        one = "ctid = (SELECT ctid FROM approvals_revision ORDER BY random() LIMIT 1)"
        self.chance.choice(
            (
                lambda: query(f"UPDATE approvals_revision SET content = content || ' '::bytea WHERE {one}"),
                lambda: query(f"UPDATE approvals_revision SET document = document || '{{\"waiver\": 1}}' WHERE {one}"),
                lambda: query(
                    f"UPDATE approvals_revision SET digest = encode(sha256(content || ' '), 'hex') WHERE {one}"
                ),
                lambda: query(f"UPDATE approvals_revision SET number = number + 9 WHERE {one}"),
            )
        )()

    def decision(self) -> None:
        one = "ctid = (SELECT ctid FROM approvals_decision ORDER BY random() LIMIT 1)"
        self.chance.choice(
            (
                lambda: query(f"UPDATE approvals_decision SET comment = comment || '!' WHERE {one}"),
                lambda: query(
                    f"UPDATE approvals_decision SET decided_at = decided_at + interval '1 second' WHERE {one}"
                ),
                lambda: query(f"UPDATE approvals_decision SET verdict = 'reject', comment = 'No.' WHERE {one}"),
                lambda: query(f"DELETE FROM approvals_decision WHERE {one}"),
            )
        )()

    def rehash_leaves(self) -> None:
        query("UPDATE audit_leaf SET hash = sha256('\\x00'::bytea || content) FROM audit_event WHERE id = event_id")

    def rebuild(self) -> None:
        """The whole log anew, as if it had always been so, signed by a key of the owner's own."""
        for table in ("audit_leaf", "audit_treenode", "audit_checkpoint"):
            query(f"DELETE FROM {table}")
        events = query("SELECT id, content FROM audit_event ORDER BY transaction_id, position")
        grown, complete = tree.appended(tree.Tree(), leaves := [tree.leaf_hash(bytes(row[1])) for row in events])
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO audit_leaf (index, event_id, hash) VALUES (%s, %s, %s)",
                [(index, row[0], leaf) for index, (row, leaf) in enumerate(zip(events, leaves, strict=True))],
            )
            for row in complete:
                if row.level % LEVELS_APART == 0:
                    cursor.executemany(
                        "INSERT INTO audit_treenode (level, index, hash) VALUES (%s, %s, %s)",
                        [(row.level, index, found) for index, found in enumerate(row.hashes, start=row.begin)],
                    )
        if grown.size:
            head = notes.Checkpoint(keys.origin(), grown.size, grown.root)
            query(
                "INSERT INTO audit_checkpoint (size, root, frontier, note, signed_at, transaction_id, position, "
                "cluster, contested_below) VALUES (%s, %s, %s, %s, now(), 1, 1, 1, 0)",
                grown.size, grown.root, b"".join(grown.frontier), notes.sign(head.text(), [FORGER]),
            )  # fmt: skip

    def rebuild_alone(self) -> None:
        """The same events, signed by another key."""
        self.rebuild()

    @classmethod
    def ways(cls) -> list[str]:
        helpers = {"event", "ways", "rebuild", "rehash_leaves", "tell_another_story"}
        return [
            name
            for name, made in vars(cls).items()
            if callable(made) and not name.startswith("_") and name not in helpers
        ]


@pytest.fixture
def as_owner(transactional_db: None) -> Iterator[Callable[[], None]]:
    """Have a function from whose call on this process uses the database as its owner."""
    user = connection.settings_dict["USER"]

    def become() -> None:
        connection.close()
        connection.settings_dict["USER"] = provision.OWNER

    yield become
    connection.close()
    connection.settings_dict["USER"] = user


def verified(*brought: str) -> Report:
    report, _rows = verify(brought=brought, keys=[key.verifier for key in keys.signers()], origin="")
    return report


class TestTampering:
    def test_is_found_with_a_checkpoint_and_the_public_key(
        self, as_owner: Callable[[], None], capsys: pytest.CaptureFixture[str]
    ) -> None:
        kept = stock()
        covered = notes.Checkpoint.read(notes.verified(kept, keys.verifiers())).size
        assert verified(kept).holds
        as_owner()
        chance, done, missed = random.Random(20_261_124), Counter[str](), []
        ways = Owner.ways()
        for number in range(TAMPERINGS):
            way = ways[number % len(ways)]
            seed = chance.getrandbits(64)
            with transaction.atomic():
                for table in TABLES:
                    query(f"ALTER TABLE {table} DISABLE TRIGGER USER")
                query("SELECT setseed(%s)", random.Random(seed).random())
                getattr(Owner(random.Random(seed), covered), way)()
                if verified(kept).holds:
                    missed.append((way, seed))
                transaction.set_rollback(True)
            done[way] += 1
        with capsys.disabled():
            sys.stdout.write(
                f"\n{sum(done.values())} tamperings of {covered} sealed events: {dict(sorted(done.items()))}\n"
            )
        assert missed == []
        assert set(done) == set(ways)
        assert verified(kept).holds


class TestWhatIsNotFound:
    """docs/threat-model.md says who finds these instead, or that nobody does."""

    def test_an_older_state_without_a_newer_checkpoint(self, as_owner: Callable[[], None]) -> None:
        kept = stock()
        newer = Checkpoint.objects.latest("size").note
        size = notes.Checkpoint.read(notes.verified(kept, keys.verifiers())).size
        as_owner()
        with transaction.atomic():
            for table in TABLES:
                query(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            query("DELETE FROM audit_event WHERE id IN (SELECT event_id FROM audit_leaf WHERE index >= %s)", size)
            query("DELETE FROM audit_leaf WHERE index >= %s", size)
            query("DELETE FROM audit_checkpoint WHERE size > %s", size)
            query("DELETE FROM audit_treenode WHERE (index + 1) * (1 << level) > %s", size)

            # Nothing contradicts itself, and the older checkpoint covers no more than what is left …
            assert verified(kept).holds
            # … whoever holds the newer one sees it.
            assert [finding.code for finding in verified(newer).findings] == ["shorter"]
            transaction.set_rollback(True)

    def test_what_is_changed_before_it_is_sealed(self, as_owner: Callable[[], None]) -> None:
        kept = stock()
        late = happened()[0]
        as_owner()
        with transaction.atomic():
            query("ALTER TABLE audit_event DISABLE TRIGGER USER")
            query("DELETE FROM audit_event WHERE id = %s", late.id)

            assert verified(kept).holds
            transaction.set_rollback(True)

    def test_a_whole_log_anew_by_whoever_has_the_signing_key(self, as_owner: Callable[[], None]) -> None:
        kept = stock()
        as_owner()
        with transaction.atomic():
            for table in TABLES:
                query(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            chance = random.Random(1)
            owner = Owner(chance, Event.objects.count())
            query("DELETE FROM audit_event WHERE id IN (SELECT event_id FROM audit_leaf ORDER BY index DESC LIMIT 12)")
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("tests.audit.test_tampering.FORGER", keys.signers()[0])
                owner.rebuild()
                # Without a checkpoint from outside nothing tells; the kept one covers what is left, and still holds.
                assert verified().holds
                owner.tell_another_story()
                owner.rebuild()
                assert verified().holds
                # Whoever holds one finds it.
                assert "other_root" in [finding.code for finding in verified(kept).findings]
            transaction.set_rollback(True)
