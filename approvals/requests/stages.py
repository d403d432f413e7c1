"""The open stage of a revision in review: which it is, and asking it."""

from datetime import datetime

from approvals.requests import notices
from approvals.requests.models import ChangeRequest, Revision, Stage


def open_stage(revision: Revision) -> Stage | None:
    """The first stage that lacks its quorum, or None if all are passed."""
    return revision.stages.filter(completed_at__isnull=True).order_by("position").first()


def ask(*, change_request: ChangeRequest, revision: Revision, now: datetime) -> Stage | None:
    """Open the first stage that lacks its quorum, from now on, and tell whom it asks; None if all are passed."""
    stage = open_stage(revision)
    if stage is not None:
        stage.opened_at = now
        stage.save(update_fields=["opened_at"])
        notices.tell_reviewers(change_request=change_request, revision=revision, stage=stage, now=now)
    return stage
