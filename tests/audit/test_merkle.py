"""The Merkle tree and its notes: against public vectors, and against a tree written down as the RFC defines it."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.merkle import notes, tree
from audit.merkle.notes import BadKey, BadNote, Checkpoint, SignerKey, VerifierKey
from audit.merkle.tree import BadProof, Tree

VECTORS = json.loads((Path(__file__).parents[1] / "vendor" / "merkle" / "vectors.json").read_text())

# https://c2sp.org/signed-note, section “Example”.
PUBLIC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
PUBLIC_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)


def decoded(value: Any) -> bytes:
    return base64.b64decode(value or "")


def root_of(leaves: list[bytes]) -> bytes:
    """MTH, as RFC 9162 §2.1.1 writes it."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else tree.EMPTY_ROOT
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return tree.node_hash(root_of(leaves[:middle]), root_of(leaves[middle:]))


def leaves_of(count: int) -> list[bytes]:
    return [tree.leaf_hash(f"leaf {number}".encode()) for number in range(count)]


class TestPublicVectors:
    def test_are_all_there(self) -> None:
        assert (len(VECTORS["inclusion"]), len(VECTORS["consistency"])) == (98, 98)

    @pytest.mark.parametrize("name", sorted(VECTORS["inclusion"]))
    def test_of_inclusion(self, name: str) -> None:
        vector = VECTORS["inclusion"][name]

        def check() -> None:
            tree.check_inclusion(
                leaf=decoded(vector["leafHash"]),
                index=vector["leafIdx"],
                size=vector["treeSize"],
                proof=[decoded(one) for one in vector["proof"] or []],
                root=decoded(vector["root"]),
            )

        expect(check, refused=vector["wantErr"])

    @pytest.mark.parametrize("name", sorted(VECTORS["consistency"]))
    def test_of_consistency(self, name: str) -> None:
        vector = VECTORS["consistency"][name]

        def check() -> None:
            tree.check_consistency(
                first=vector["size1"],
                second=vector["size2"],
                proof=[decoded(one) for one in vector["proof"] or []],
                roots=(decoded(vector["root1"]), decoded(vector["root2"])),
            )

        expect(check, refused=vector["wantErr"])

    def test_of_a_signed_note(self) -> None:
        key = VerifierKey.read(PUBLIC_KEY)

        assert notes.verified(PUBLIC_NOTE, [key]) == "This is an example message.\n"
        assert str(key) == PUBLIC_KEY


def expect(check: Any, *, refused: bool) -> None:
    if refused:
        with pytest.raises(BadProof):
            check()
    else:
        check()


class TestTree:
    @given(st.integers(0, 70), st.integers(0, 70))
    def test_grows_to_the_root_that_the_rfc_defines(self, first: int, more: int) -> None:
        leaves = leaves_of(first + more)
        grown, complete = tree.appended(Tree(), leaves[:first])

        again, later = tree.appended(grown, leaves[first:])

        assert (again.size, again.root) == (first + more, root_of(leaves))
        for row in complete + later:
            for index, found in enumerate(row.hashes, start=row.begin):
                assert found == root_of(leaves[index << row.level : (index + 1) << row.level])
        assert sum(len(row.hashes) for row in complete + later) == first + more - again.size.bit_count()

    @given(st.integers(1, 80), st.data())
    def test_proves_each_leaf(self, size: int, data: Any) -> None:
        leaves, index = leaves_of(size), data.draw(st.integers(0, size - 1))
        proof = [root_of(leaves[begin:end]) for begin, end in tree.inclusion_ranges(index, size)]

        tree.check_inclusion(leaf=leaves[index], index=index, size=size, proof=proof, root=root_of(leaves))
        for other in {index - 1, index + 1, size - 1} - {index}:
            with pytest.raises(BadProof):
                tree.check_inclusion(leaf=leaves[index], index=other, size=size, proof=proof, root=root_of(leaves))

    @given(st.integers(1, 80), st.data())
    def test_proves_that_a_tree_begins_another(self, second: int, data: Any) -> None:
        leaves, first = leaves_of(second), data.draw(st.integers(1, second))
        proof = [root_of(leaves[begin:end]) for begin, end in tree.consistency_ranges(first, second)]
        roots = (root_of(leaves[:first]), root_of(leaves))

        tree.check_consistency(first=first, second=second, proof=proof, roots=roots)
        with pytest.raises(BadProof):
            tree.check_consistency(first=first, second=second, proof=proof, roots=(leaves[0] + b"", b"\x00" * 32))

    @given(st.integers(1, 80), st.data())
    def test_names_the_complete_subtrees_of_a_range(self, size: int, data: Any) -> None:
        leaves = leaves_of(size)
        for begin, end in tree.inclusion_ranges(data.draw(st.integers(0, size - 1)), size):
            parts = tree.subtrees(begin, end)
            hashes = [root_of(leaves[index << level : (index + 1) << level]) for level, index in parts]
            assert Tree(end - begin, tuple(hashes)).root == root_of(leaves[begin:end])

    def test_refuses_what_is_no_tree(self) -> None:
        with pytest.raises(ValueError, match="complete subtrees"):
            Tree(3, (b"one",))
        for wrong in (-1, 5):
            with pytest.raises(ValueError, match="no leaf"):
                tree.inclusion_ranges(wrong, 5)
        for first, second in ((0, 5), (6, 5)):
            with pytest.raises(ValueError, match="no proof"):
                tree.consistency_ranges(first, second)


class TestNotes:
    KEY = SignerKey.new("tenure.example/ledger", b"\x07" * 32)
    OTHER = SignerKey.new("tenure.example/ledger", b"\x08" * 32)
    CHECKPOINT = Checkpoint("tenure.example/ledger", 7, b"\x05" * 32)

    def test_keys_are_read_as_they_are_written(self) -> None:
        assert SignerKey.read(self.KEY.text()) == self.KEY
        assert VerifierKey.read(str(self.KEY.verifier)) == self.KEY.verifier
        assert self.KEY.text() not in repr(self.KEY)

    @pytest.mark.parametrize(
        "text", ["", "a+b+c", PUBLIC_KEY.replace("530d", "530e"), PUBLIC_KEY[:-4], PUBLIC_KEY.replace("foo", "fo o")]
    )
    def test_refuse_what_is_no_key(self, text: str) -> None:
        with pytest.raises(BadKey):
            VerifierKey.read(text)
        with pytest.raises(BadKey):
            SignerKey.read(f"PRIVATE+KEY+{text}")

    def test_are_signed_by_several_keys_while_one_takes_over(self) -> None:
        note = notes.sign(self.CHECKPOINT.text(), [self.KEY, self.OTHER])

        for known in ([self.KEY.verifier], [self.OTHER.verifier], [self.KEY.verifier, self.OTHER.verifier]):
            assert notes.read_checkpoint(note, keys=known, origins=[self.CHECKPOINT.origin]) == self.CHECKPOINT

    @given(st.data())
    def test_refuse_any_other_byte(self, data: Any) -> None:
        note = notes.sign(self.CHECKPOINT.text(), [self.KEY])
        place = data.draw(st.integers(0, len(note) - 1))
        other = data.draw(st.characters(codec="utf-8").filter(lambda one: one != note[place]))

        with pytest.raises(BadNote):
            notes.read_checkpoint(
                note[:place] + other + note[place + 1 :], keys=[self.KEY.verifier], origins=[self.CHECKPOINT.origin]
            )

    def test_refuse_another_log_and_an_unknown_key(self) -> None:
        note = notes.sign(self.CHECKPOINT.text(), [self.KEY])

        with pytest.raises(BadNote, match="is of the log"):
            notes.read_checkpoint(note, keys=[self.KEY.verifier], origins=["tenure.example/other"])
        with pytest.raises(BadNote, match="No key that is known"):
            notes.verified(note, [self.OTHER.verifier])

    @pytest.mark.parametrize(
        "text",
        ["", "a\n1\n", f"a\n01\n{'B' * 43}=\n", f"a\n-1\n{'A' * 43}=\n", "a\n1\nAAAA\n", f"\n1\n{'A' * 43}=\n"],
    )
    def test_refuse_what_is_no_checkpoint(self, text: str) -> None:
        with pytest.raises(BadNote):
            Checkpoint.read(text)
