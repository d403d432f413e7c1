"""Change requests in JSON: what is sent, and what is read."""

from typing import Any

from rest_framework import serializers

from approvals.api.citations import AuthorizationSerializer, CitationSerializer, CoverageSerializer
from approvals.api.facts import FactSerializer, RaisedRiskSerializer, RiskSerializer
from approvals.governed import Operation
from approvals.requests.gates import Step
from approvals.requests.models import Decision
from approvals.requests.replanning import Both
from approvals.requests.revisions import MAXIMUM_ITEMS
from approvals.requests.states import Status

Read = serializers.Serializer[Any]
LONG_TEXT = 20_000


class ItemDraftSerializer(Read):
    """One record's change: `GET /api/v1/kinds` tells each kind's payload."""

    kind = serializers.CharField(max_length=100, help_text="Such as entitlement.grant or entitlement.amend.")
    target_id = serializers.UUIDField(
        required=False,
        allow_null=True,
        help_text="The record to change. Of a new record it may be chosen, so that later items can refer to it.",
    )
    payload = serializers.DictField(child=serializers.JSONField(allow_null=True), help_text="As the kind says.")


class RationaleSerializer(Read):
    """Why, what for whom, how to tell, how to undo. A draft may leave them open; review demands them."""

    justification = serializers.CharField(required=False, allow_blank=True, default="", max_length=LONG_TEXT)
    impact = serializers.CharField(required=False, allow_blank=True, default="", max_length=LONG_TEXT)
    acceptance_criteria = serializers.ListField(
        child=serializers.CharField(max_length=2_000), required=False, default=list, max_length=100
    )
    rollback = serializers.CharField(required=False, allow_blank=True, default="", max_length=LONG_TEXT)


class WaiverSerializer(Read):
    """Accepts the plan's new gaps: why, and who bears the risk."""

    reason = serializers.CharField(max_length=LONG_TEXT)
    risk_owner = serializers.CharField(max_length=200)


class ScheduleSerializer(Read):
    """The window in which the clock applies it once it is approved."""

    opens_at = serializers.CharField(
        max_length=40,
        help_text="With a UTC offset, or local time of the zone; refused if its clocks skip it or show it twice.",
    )
    closes_at = serializers.CharField(
        max_length=40, required=False, allow_null=True, help_text="Not included. An hour after it opens, unless given."
    )
    zone = serializers.CharField(max_length=64, help_text="The IANA zone in which you say it, such as Europe/Berlin.")


class PlanRequestSerializer(Read):
    """What to plan without filing it."""

    items = serializers.ListField(child=ItemDraftSerializer(), min_length=1, max_length=MAXIMUM_ITEMS)
    schedule = ScheduleSerializer(
        required=False, allow_null=True, help_text="When it would be applied: what stands in the way then is told."
    )
    risk = RaisedRiskSerializer(required=False, allow_null=True)


class ProposalSerializer(Read):
    """A new change request."""

    title = serializers.CharField(max_length=200)
    items = serializers.ListField(child=ItemDraftSerializer(), min_length=1, max_length=MAXIMUM_ITEMS)
    rationale = RationaleSerializer(required=False)
    waiver = WaiverSerializer(required=False, allow_null=True)
    schedule = ScheduleSerializer(
        required=False, allow_null=True, help_text="Without one, somebody applies it by hand once it is approved."
    )
    risk = RaisedRiskSerializer(required=False, allow_null=True, help_text="The computed one, unless raised.")
    template_id = serializers.UUIDField(
        required=False, allow_null=True, help_text="The standard template that it cites, at its version of now."
    )


class AmendmentSerializer(Read):
    """A new revision: what is given replaces what stood. Without a waiver the new revision has none."""

    digest = serializers.CharField(
        required=False, max_length=64, help_text="Of the revision that you read; refused if another is current."
    )
    title = serializers.CharField(max_length=200, required=False)
    items = serializers.ListField(child=ItemDraftSerializer(), min_length=1, max_length=MAXIMUM_ITEMS, required=False)
    rationale = RationaleSerializer(required=False)
    waiver = WaiverSerializer(required=False, allow_null=True)
    schedule = ScheduleSerializer(
        required=False, allow_null=True, help_text="Kept as it was unless given; null clears it."
    )
    risk = RaisedRiskSerializer(
        required=False, allow_null=True, help_text="A raised risk is kept unless given; null leaves the computed one."
    )
    template_id = serializers.UUIDField(
        required=False, allow_null=True, help_text="The standard template: kept unless given; null drops it."
    )


class ReplanSerializer(Read):
    """Plan a request again on what stands now."""

    digest = serializers.CharField(
        required=False, max_length=64, help_text="Of the revision that you read; refused if another is current."
    )
    both = serializers.ChoiceField(
        choices=[(one.value, one.value) for one in Both],
        required=False,
        help_text="Whose value holds where both changed a field: this change's (mine) or what stands now (theirs).",
    )


class MovedFieldSerializer(Read):
    """A field that others changed since the revision was planned."""

    field = serializers.CharField()
    base = serializers.JSONField(allow_null=True)
    now = serializers.JSONField(allow_null=True)
    proposed = serializers.JSONField(allow_null=True)
    differs = serializers.BooleanField(help_text="Both changed it, and not to the same.")


class DriftSerializer(Read):
    """A record that others changed since the revision was planned."""

    record_id = serializers.UUIDField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name
    gone = serializers.BooleanField()
    changes = MovedFieldSerializer(many=True)


ON_BEHALF = "The login that lets you decide for them by a delegation in force. Null: you decide for yourself."


class ApprovalSerializer(Read):
    """A yes to what was on the reviewer's screen."""

    digest = serializers.CharField(max_length=64, help_text="Of the revision that you read.")
    comment = serializers.CharField(required=False, allow_blank=True, default="", max_length=LONG_TEXT)
    on_behalf_of = serializers.UUIDField(required=False, allow_null=True, default=None, help_text=ON_BEHALF)


class ObjectionSerializer(Read):
    """A no to what was on the reviewer's screen, and why."""

    digest = serializers.CharField(max_length=64, help_text="Of the revision that you read.")
    comment = serializers.CharField(allow_blank=True, max_length=LONG_TEXT, help_text="What should change, or why not.")
    on_behalf_of = serializers.UUIDField(required=False, allow_null=True, default=None, help_text=ON_BEHALF)


class PersonReferenceSerializer(Read):
    """A login, by name."""

    id = serializers.UUIDField()
    name = serializers.CharField(source="__str__")


class RevisionSerializer(Read):
    """One version of what is asked."""

    number = serializers.IntegerField()
    digest = serializers.CharField(help_text="SHA-256 of the revision's canonical bytes: what decisions are bound to.")
    author = PersonReferenceSerializer(allow_null=True)
    created_at = serializers.DateTimeField()


class RevisionReferenceSerializer(Read):
    """The revision that is current."""

    number = serializers.IntegerField()
    digest = serializers.CharField()


class ChangeSerializer(Read):
    """A field of a record, whole values."""

    field = serializers.CharField()
    old = serializers.JSONField(allow_null=True)
    new = serializers.JSONField(allow_null=True)


class ItemSerializer(Read):
    """One record's change as planned."""

    position = serializers.IntegerField()
    kind = serializers.CharField()
    title = serializers.CharField()
    record_id = serializers.UUIDField()
    operation = serializers.ChoiceField(choices=[(operation.value, operation.value) for operation in Operation])
    base_version = serializers.IntegerField(allow_null=True)
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name
    changes = ChangeSerializer(many=True)
    payload = serializers.DictField(child=serializers.JSONField(allow_null=True))
    effects = serializers.DictField(child=serializers.JSONField(allow_null=True))
    facts = serializers.DictField(
        child=serializers.JSONField(allow_null=True), help_text="What policies compare: docs/facts.md."
    )


class NamedPersonSerializer(Read):
    """A human whom a step names, whatever their login."""

    human_id = serializers.UUIDField()
    name = serializers.CharField()


class StageRequirementSerializer(Read):
    """One approval step, whom it asks, and why it is asked for."""

    position = serializers.IntegerField()
    role = serializers.CharField(help_text="Empty: any deciding role, of the people named.")
    quorum = serializers.IntegerField()
    reasons = serializers.ListField(child=serializers.CharField())
    people = NamedPersonSerializer(many=True, help_text="If there are any, only they decide, holding the role.")
    backup_role = serializers.CharField(help_text="Decides as well once the step is escalated. Empty: nobody.")
    due_hours = serializers.IntegerField(allow_null=True, help_text="How long it may stay open. Null: for ever.")
    within_limit = serializers.BooleanField(
        help_text="Whoever decides needs an authority limit that covers the change."
    )


class DecisionSerializer(Read):
    """What one reviewer said, and of which revision."""

    revision = serializers.IntegerField(source="revision.number")
    digest = serializers.CharField()
    verdict = serializers.ChoiceField(choices=Decision.Verdict.choices)
    comment = serializers.CharField(allow_blank=True)
    decider = PersonReferenceSerializer()
    on_behalf_of = PersonReferenceSerializer(
        source="on_behalf_of.delegator",
        allow_null=True,
        default=None,
        help_text="Whose authority was used, if another's.",
    )
    decided_at = serializers.DateTimeField()


class StageSerializer(StageRequirementSerializer):
    """One approval step with the decisions given."""

    opened_at = serializers.DateTimeField(allow_null=True, help_text="Null: it is not asked yet.")
    due_at = serializers.DateTimeField(allow_null=True)
    escalated_at = serializers.DateTimeField(allow_null=True, help_text="From then on its backup decides as well.")
    completed_at = serializers.DateTimeField(allow_null=True)
    decisions = DecisionSerializer(many=True)


class ActionSerializer(Read):
    """What the reader could do; `why_not` is the sentence of the refusal."""

    action = serializers.CharField()
    allowed = serializers.BooleanField()
    why_not = serializers.CharField(allow_null=True)


class ChangeRequestSerializer(Read):
    """A change request as lists show it."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    title = serializers.CharField()
    status = serializers.ChoiceField(choices=Status.choices)
    source = serializers.CharField()  # type: ignore[assignment]  # a field of that name
    system = serializers.BooleanField()
    created_by = PersonReferenceSerializer(allow_null=True)
    created_at = serializers.DateTimeField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    approved_at = serializers.DateTimeField(allow_null=True)
    applied_at = serializers.DateTimeField(allow_null=True)
    applied_by = PersonReferenceSerializer(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    revision = RevisionReferenceSerializer(source="current_revision")


class ObstacleSerializer(Read):
    """Something besides approvals that stands in the way, such as a freeze."""

    title = serializers.CharField()
    sentence = serializers.CharField()
    stops = serializers.ListField(
        source="steps",
        child=serializers.ChoiceField(choices=[(step.value, step.value) for step in Step]),
        help_text="The steps that it stops; empty: a warning.",
    )
    until = serializers.DateTimeField(allow_null=True, help_text="When it ends by itself, if it does.")
    passes_emergency = serializers.BooleanField(help_text="An emergency permit passes it.")
    change_number = serializers.IntegerField(allow_null=True, help_text="Another change that it is about.")


class _PlannedSerializer(Read):
    items = ItemSerializer(many=True)
    plan = serializers.DictField(
        child=serializers.JSONField(allow_null=True), help_text="What it would do: docs/plan-document.md."
    )
    risk = RiskSerializer(allow_null=True, help_text="Null: the system wrote it without a plan.")
    new_gaps = serializers.BooleanField(help_text="Somebody would lose access; a waiver must declare it.")
    failures = serializers.ListField(child=serializers.CharField(), help_text="Rules that keep it from review.")
    obstacles = ObstacleSerializer(many=True, help_text="What else stands in the way, or may.")


class ExcludedSerializer(Read):
    """Somebody of a stage's role who could not decide, and why."""

    user = PersonReferenceSerializer()
    why = serializers.CharField()


class DeputySerializer(Read):
    """Somebody who could decide in another's place."""

    user = PersonReferenceSerializer()
    delegator = PersonReferenceSerializer()


class StageOutlookSerializer(StageRequirementSerializer):
    """One approval step, who could give it, and who of its role could not."""

    could_decide = PersonReferenceSerializer(many=True)
    could_not_decide = ExcludedSerializer(many=True)
    deputies = DeputySerializer(many=True, help_text="Who could decide for one of those, by a delegation in force.")
    enough = serializers.BooleanField(help_text="This step alone could be passed.")


class ApproversSerializer(Read):
    """Who would have to approve, and who could."""

    stages = StageOutlookSerializer(many=True)
    missing_people = serializers.IntegerField(
        help_text="How many more people the chain needs; one human decides once on a revision."
    )


class PlanSerializer(_PlannedSerializer, ApproversSerializer):
    """A plan that is not filed."""

    standards = CoverageSerializer(many=True, help_text="Templates that pre-approve such kinds of change.")


class ChangeRequestDetailSerializer(ChangeRequestSerializer, _PlannedSerializer):
    """Everything about a change request, for one reader."""

    revision = RevisionReferenceSerializer()
    awaits = serializers.CharField(help_text="Who acts next.")
    rationale = RationaleSerializer()
    waiver = WaiverSerializer(allow_null=True)
    schedule = ScheduleSerializer(allow_null=True, help_text="Null: somebody applies it by hand.")
    standard = CitationSerializer(allow_null=True, help_text="Null: its stages are asked.")
    authorization = AuthorizationSerializer(allow_null=True, help_text="Null until it is applied.")
    revisions = RevisionSerializer(many=True)
    stages = StageSerializer(many=True)
    sentence = serializers.CharField(help_text="The whole change in one sentence.")
    statement = serializers.CharField(allow_null=True, help_text="What a decision of the open stage signs.")
    stale_decisions = DecisionSerializer(many=True, help_text="On earlier revisions: they count no longer.")
    actions = ActionSerializer(many=True)
    moved = DriftSerializer(many=True, help_text="Records that others changed since this was planned.")
    expires_at = serializers.DateTimeField(allow_null=True, help_text="When it is closed if nobody goes on with it.")


class KindSerializer(Read):
    """One way in which one sort of record changes."""

    name = serializers.CharField()
    title = serializers.CharField()
    operation = serializers.ChoiceField(choices=[(operation.value, operation.value) for operation in Operation])
    payload = serializers.DictField(child=serializers.JSONField(allow_null=True), help_text="JSON Schema.")
    facts = FactSerializer(many=True)
