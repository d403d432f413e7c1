"""Files of a change: told by their content, kept once, never changed, read by who sees the change."""

import hashlib
import threading
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given as example
from hypothesis import strategies as st

from approvals.attachments.errors import AlreadyAttached, FileRefused, FileTooLarge, TooManyFiles
from approvals.attachments.models import Attachment, Blob
from approvals.attachments.names import GREATEST_LENGTH, clean
from approvals.attachments.services import (
    Upload,
    attach,
    attachment_of,
    comment_with_file,
    content_of,
    visible_attachment,
)
from approvals.attachments.types import TYPES
from approvals.discussion.models import Comment
from approvals.discussion.services import comment
from approvals.requests.models import ChangeRequest
from audit.models import Event
from foundation.errors import InvalidInput, NotFound, NotPermitted
from foundation.identity.models import User
from tests import given
from tests.approvals import world as building
from tests.approvals.conftest import LedgerDown
from tests.approvals.files import GOOD, MAIL, PDF, PNG, package
from tests.approvals.world import World, fresh, revision_of

EVENT = "approvals.change_request.file_attached"


def put(request: ChangeRequest, author: User, name: str = "order.pdf", content: bytes = PDF, **more: Any) -> Attachment:
    return attach(
        change_request_id=request.id, author=author, file=Upload(name=name, content=content), now=given.NOW, **more
    )


@pytest.mark.django_db
class TestAttach:
    def test_keeps_the_bytes_with_the_revision_that_was_current(self, world: World) -> None:
        request = world.submit()

        kept = put(request, world.first)

        found = attachment_of(request, kept.id)
        assert (found.number, found.name, found.media_type, found.author) == (
            1,
            "order.pdf",
            "application/pdf",
            world.first,
        )
        assert found.revision == revision_of(request)
        assert content_of(found) == PDF
        assert found.blob.size == len(PDF)

    def test_is_an_event_with_name_size_and_digest(self, world: World) -> None:
        kept = put(world.submit(), world.first)

        event = Event.objects.get(type=EVENT)
        assert event.actor_id == world.first.id
        assert event.data["attachment_id"] == str(kept.id)
        assert (event.data["name"], event.data["size"]) == ("order.pdf", len(PDF))
        assert event.data["file_digest"] == hashlib.sha256(PDF).hexdigest()

    @pytest.mark.parametrize("name", GOOD)
    def test_takes_every_type_of_the_list(self, world: World, name: str) -> None:
        kept = put(world.submit(), world.first, name, GOOD[name])

        assert kept.media_type == TYPES[name.rpartition(".")[2]].media_type

    def test_keeps_the_same_bytes_once(self, world: World) -> None:
        first, second = world.submit(), world.propose()

        put(first, world.first)
        put(first, world.first, "another name.pdf")
        put(second, world.author)

        assert Attachment.objects.count() == 3
        assert Blob.objects.count() == 1

    def test_refuses_the_same_file_of_the_same_request(self, world: World) -> None:
        request = world.submit()
        kept = put(request, world.first)

        with pytest.raises(AlreadyAttached, match="as file 1") as refused:
            put(request, world.second)

        assert refused.value.context["attachment_id"] == str(kept.id)
        assert Attachment.objects.count() == 1
        assert Event.objects.filter(type=EVENT).count() == 1

    def test_changes_neither_state_nor_digest(self, world: World) -> None:
        request = world.approved()
        digest = revision_of(request).digest

        put(request, world.author)

        assert (fresh(request).status, revision_of(request).digest) == ("approved", digest)

    def test_is_possible_after_the_end(self, world: World) -> None:
        put(world.apply(world.approved()), world.author)

        assert Attachment.objects.count() == 1

    def test_refuses_who_only_reads(self, world: World) -> None:
        with pytest.raises(NotPermitted):
            put(world.submit(), given.user("auditor"))

    def test_refuses_who_may_not_see_the_request(self, world: World) -> None:
        with pytest.raises(NotFound):
            put(world.submit(), given.user("licensing", everywhere=False))

    def test_refuses_more_bytes_than_the_setting_allows(self, world: World, settings: Any) -> None:
        settings.ATTACHMENT_MEBIBYTES = 1

        with pytest.raises(FileTooLarge, match=r"1\.0 MiB; 1 is the most"):
            put(world.submit(), world.first, "long.txt", b"x" * (1024 * 1024 + 1))

        put(world.submit(), world.first, "long.txt", b"x" * (1024 * 1024))

    def test_refuses_more_files_than_the_setting_allows(self, world: World, settings: Any) -> None:
        settings.ATTACHMENTS_PER_REQUEST = 2
        request = world.submit()
        for name in ("one.pdf", "two.pdf"):
            put(request, world.first, name)

        with pytest.raises(TooManyFiles, match="2 files"):
            put(request, world.first, "three.pdf")

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("empty.txt", b""),
            ("page.html", b"<html></html>"),
            ("image.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
            ("run.exe", b"MZ"),
            ("order.pdf.exe", PDF),
            ("order", PDF),
            (".pdf", b"nothing"),
            ("order.pdf", b"<html><script>alert(1)</script></html>"),
            ("screen.png", PDF),
            ("photo.jpg", PNG),
            ("note.txt", b"\x00\x01"),
            ("note.txt", "Zwölf".encode("latin-1")),
            ("people.csv", b"a\x1b[31m"),
            ("answer.json", b"{"),
            ("answer.json", b"[" * 100_000),
            ("consent.eml", b"Just text."),
            ("consent.eml", b"Subject: without a sender\r\n\r\n"),
            ("terms.docx", package("word/document.xml")),
            ("terms.docx", GOOD["prices.xlsx"]),
            ("terms.docx", package("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin")),
            ("terms.docx", b"PK\x03\x04 and no more"),
            ("letter.odt", package("content.xml", mimetype="application/zip")),
            ("letter.odt", package("content.xml")),
        ],
    )
    def test_refuses_what_is_not_what_it_says_or_of_no_allowed_type(
        self, world: World, name: str, content: bytes
    ) -> None:
        with pytest.raises(FileRefused):
            put(world.submit(), world.first, name, content)

        assert not Attachment.objects.exists()
        assert not Blob.objects.exists()

    def test_keeps_nothing_if_the_event_cannot_be_recorded(self, world: World, break_ledger: Any) -> None:
        request = world.submit()
        break_ledger(EVENT)

        with pytest.raises(LedgerDown), transaction.atomic():
            put(request, world.first)

        assert not Attachment.objects.exists()
        assert not Blob.objects.exists()


class TestJson:
    def test_of_a_mebibyte_is_read_and_of_more_is_looked_at(self) -> None:
        fits = TYPES["json"].fits

        assert fits(b"[" + b"1," * 10 + b"1]")
        assert not fits(b"[" + b"1," * 10 + b"]")
        assert fits(b"[" + b"[]," * 1_000_000 + b"[]]\n")
        assert not fits(b"[" + b"[]," * 1_000_000)
        assert not fits(b"<html>" + b" " * 2_000_000)


@pytest.mark.django_db
class TestFilesOfComments:
    def test_are_kept_with_what_was_said(self, world: World) -> None:
        request = world.submit()

        said = comment_with_file(
            change_request_id=request.id,
            author=world.first,
            text="As ordered.",
            file=Upload("consent.eml", MAIL),
            now=given.NOW,
        )

        assert [file.name for file in said.attachments.all()] == ["consent.eml"]

    def test_are_refused_together_with_it(self, world: World) -> None:
        with pytest.raises(FileRefused), transaction.atomic():
            comment_with_file(
                change_request_id=world.submit().id,
                author=world.first,
                text="As ordered.",
                file=Upload("run.exe", b"MZ"),
                now=given.NOW,
            )

        assert not Comment.objects.exists()

    def test_are_attached_by_its_author_alone(self, world: World) -> None:
        request = world.submit()
        said = comment(change_request_id=request.id, author=world.first, text="Look.", now=given.NOW)

        with pytest.raises(NotPermitted, match="Only who wrote a comment"):
            put(request, world.second, comment_id=said.id)

    def test_are_of_the_same_request(self, world: World) -> None:
        said = comment(change_request_id=world.submit().id, author=world.first, text="Look.", now=given.NOW)

        with pytest.raises(NotFound, match="no such comment"):
            put(world.submit(), world.first, comment_id=said.id)


@pytest.mark.django_db
class TestReading:
    def test_is_for_who_sees_the_request(self, world: World) -> None:
        request = world.submit()
        kept = put(request, world.first)

        assert visible_attachment(user=world.second, change_request_id=request.id, attachment_id=kept.id) == kept
        for user in (given.user("licensing", everywhere=False), given.user("licensing", is_active=False)):
            with pytest.raises(NotFound):
                visible_attachment(user=user, change_request_id=request.id, attachment_id=kept.id)

    def test_is_not_possible_by_way_of_another_request(self, world: World) -> None:
        kept = put(world.submit(), world.first)

        with pytest.raises(NotFound, match="no such file"):
            attachment_of(world.propose(), kept.id)


class TestNames:
    @pytest.mark.parametrize(
        ("name", "kept"),
        [
            ("Order.PDF", "Order.pdf"),
            ("C:\\Users\\ada\\order.pdf", "order.pdf"),
            ("../../etc/passwd.txt", "passwd.txt"),
            ("..", "file"),
            ("", "file"),
            (".pdf", "file.pdf"),
            ("a\u202efdp.exe", "afdp.exe"),
            ("two\nlines\x00.txt", "two lines.txt"),
            ("  much   space .txt ", "much space.txt"),
            ("Zu\u0308rich.txt", "Zürich.txt"),
            ("half \ud83d.txt", "half.txt"),
            ("no extension", "no extension"),
            ("x" * 300 + ".pdf", "x" * 146 + ".pdf"),
        ],
    )
    def test_are_cleaned(self, name: str, kept: str) -> None:
        assert clean(name) == kept

    @example(name=st.text(max_size=400))
    def test_can_be_shown_and_saved_whatever_was_sent(self, name: str) -> None:
        kept = clean(name)

        assert 1 <= len(kept) <= GREATEST_LENGTH
        assert clean(kept) == kept
        assert not set(kept) & set("/\\\n\r\t\x00")
        kept.encode()

    @example(content=st.binary(max_size=200))
    def test_do_not_let_any_content_break_the_reading(self, content: bytes) -> None:
        for file_type in TYPES.values():
            assert file_type.fits(content) in (True, False)
            assert file_type.fits(b"PK\x03\x04" + content) in (True, False)


@pytest.mark.django_db
class TestTables:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE approvals_attachment SET name = 'other.pdf'",
            "DELETE FROM approvals_attachment",
            "UPDATE approvals_blob SET content = 'x'",
            "DELETE FROM approvals_blob",
        ],
    )
    def test_only_grow(self, world: World, statement: str) -> None:
        put(world.submit(), world.first)

        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)

    def test_hold_no_bytes_under_another_digest(self, world: World) -> None:
        with pytest.raises(DatabaseError, match="blob_digest_is_of_content"), transaction.atomic():
            Blob.objects.create(digest="0" * 64, size=1, content=b"x", created_at=given.NOW)

    def test_hold_no_bytes_of_another_size(self, world: World) -> None:
        digest = hashlib.sha256(b"x").hexdigest()

        with pytest.raises(DatabaseError, match="blob_size_is_of_content"), transaction.atomic():
            Blob.objects.create(digest=digest, size=2, content=b"x", created_at=given.NOW)

    @pytest.mark.parametrize("name", ["a/b.pdf", "a\\b.pdf", "a\nb.pdf", ""])
    def test_hold_no_name_that_is_a_path(self, world: World, name: str) -> None:
        kept = put(world.submit(), world.first)

        with pytest.raises(DatabaseError, match="attachment_has_clean_name"), transaction.atomic():
            Attachment.objects.create(**_copied(kept, number=2, name=name))

    def test_hold_no_file_of_another_requests_comment(self, world: World) -> None:
        kept = put(world.submit(), world.first)
        said = comment(change_request_id=world.submit().id, author=world.first, text="Look.", now=given.NOW)

        with pytest.raises(DatabaseError, match="attachment_comment_of_its_request"), transaction.atomic():
            Attachment.objects.create(**_copied(kept, number=2, name="b.pdf", comment=said))


def _copied(kept: Attachment, **changed: Any) -> dict[str, Any]:
    names = ("change_request", "number", "revision", "comment", "author", "blob", "name", "media_type", "created_at")
    return {name: getattr(kept, name) for name in names} | changed


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    """Two requests, the same bytes, the same moment: one blob, two files."""

    def test_the_same_bytes_are_kept_once(self) -> None:
        world = building.make()
        requests = [world.submit(), world.submit(), world.submit()]
        barrier, refused = threading.Barrier(len(requests)), []

        def work(request: ChangeRequest) -> None:
            try:
                barrier.wait()
                put(request, world.first, "note.txt", b"x" * 200_000)
            except Exception as error:  # noqa: BLE001  told below
                refused.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=work, args=(request,)) for request in requests]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert refused == []
        assert (Blob.objects.count(), Attachment.objects.count()) == (1, 3)


class TestInput:
    def test_errors_are_bad_input(self) -> None:
        assert issubclass(FileRefused, InvalidInput)
        assert FileTooLarge.status == 413
