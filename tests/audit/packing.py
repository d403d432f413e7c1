"""A change with everything that a pack can hold, and packs of it."""

import io
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from approvals.attachments.services import Upload, attach
from approvals.discussion.services import comment
from approvals.governed import Draft
from approvals.requests import review
from approvals.requests.models import ChangeRequest
from audit.packs import services, working
from audit.packs.models import EvidencePack, EvidencePackPart
from audit.sealing import keys
from audit.sealing.services import seal
from foundation.identity.models import User
from tests import given
from tests.approvals import world as building
from tests.approvals.files import PDF
from tests.approvals.world import World, fresh, revision_of

# Runs the program that is in the pack, with nothing of this project importable, nor Django, nor a network.
ALONE = """
import runpy, socket, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("django", "audit", "approvals", "foundation", "entitlements", "config"):
            raise ImportError(f"{name} is not on this machine")
sys.meta_path.insert(0, Refuse())
def closed(*_, **__):
    raise OSError("this machine is offline")
socket.socket.connect = closed
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def seal_all(now: Any = given.NOW) -> None:
    while seal(now=now).events:
        pass


def changed(world: World, **options: Any) -> ChangeRequest:
    """A change in two revisions: asked back, edited, commented, with a file, approved, applied."""
    request = world.submit(world.grant(), Draft("entitlement.amend", {"seats": 9}, world.trial.id), **options)
    review.ask_for_changes(
        change_request_id=request.id,
        digest=revision_of(request).digest,
        reviewer=world.first,
        now=given.NOW,
        comment="Say who pays.",
    )
    building.services.amend(
        change_request_id=request.id, author=world.author, now=given.NOW, drafts=[world.grant(seats=6)]
    )
    building.services.submit(change_request_id=request.id, author=world.author, now=given.NOW)
    comment(change_request_id=request.id, author=world.first, text="=1+1: a word – on “this”.", now=given.NOW)
    attach(change_request_id=request.id, author=world.author, file=Upload("Auftrag Ü.pdf", PDF), now=given.NOW)
    building.approve(request, world.first, world.second)
    world.apply(fresh(request))
    return fresh(request)


def made(pack: EvidencePack, *, now: Any = given.NOW) -> EvidencePack:
    """The pack as a worker leaves it, with a sealer beside it."""
    for _ in range(3):
        seal_all(now)
        working.build_due(now=now + timedelta(seconds=60 * (_ + 1)), wait_seconds=0)
    return EvidencePack.objects.select_related("asked_by").get(id=pack.id)


def asked(user: User, subject: Any = None, kind: str = "approvals.changerequest", **options: Any) -> EvidencePack:
    subject_id = None if subject is None else subject.id
    return services.ask(user=user, kind=kind, subject_id=subject_id, now=options.pop("now", given.NOW), **options)


def ready(about: dict[str, Any], asker: User) -> EvidencePack:
    """A pack that is ready at once, of a few bytes that nothing was put into: for what is asked about packs."""
    digest = "0" * 64
    pack = EvidencePack.objects.create(
        **about, label="a change", asked_by=asker, asked_at=given.NOW, keep_days=1, next_attempt_at=given.NOW,
        status="built", manifest=digest, seal_id=about["subject_id"], built_at=given.NOW,
    )  # fmt: skip
    EvidencePackPart.objects.create(pack=pack, number=0, content=b"a zip")
    pack.status, pack.sha256, pack.size, pack.event_count = "ready", digest, 5, 1
    pack.ready_at, pack.keep_until = given.NOW, given.NOW + timedelta(days=1)
    pack.save()
    return pack


def bytes_of(pack: EvidencePack) -> bytes:
    return b"".join(services.parts_of(pack))


def files_of(pack: EvidencePack) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(bytes_of(pack))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def verify(folder: Path, data: bytes, *options: str, program: bytes | None = None) -> tuple[int, str]:
    """Exit code and output of the pack's own program, in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "PACK.zip"
    path.write_bytes(data)
    script = folder / "verify_pack.py"
    with zipfile.ZipFile(io.BytesIO(data)) if program is None else io.BytesIO() as archive:
        script.write_bytes(archive.read("verify_pack.py") if program is None else program)  # type: ignore[union-attr]
    given_options = options or ("--key", str(keys.verifiers()[0]), "--origin", keys.origin())
    done = subprocess.run(
        [sys.executable, "-I", "-c", ALONE, str(script), str(path), *given_options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
