"""The access check over HTTP. A no is an answer (200), not an error."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from approvals.api.base import ApiView, sender
from approvals.api.views import parsed
from entitlements.checks.decision import MAX_QUESTIONS
from entitlements.checks.reasons import REASONS, Code, Outcome
from entitlements.checks.values import Answer, Environment, LimitKind, Phase
from entitlements.surfaces import checking
from entitlements.surfaces.checking import Asked
from foundation import clock

ANSWER_CODES = [(code.value, code.value) for code in Code if REASONS[code].outcome is not Outcome.WARNING]
WARNING_CODES = [
    (code.value, code.value) for code in Code if REASONS[code].outcome is Outcome.WARNING or code is Code.IN_GRACE
]


class QuestionSerializer(serializers.Serializer[Any]):
    """May this subject use this product, or this feature of it, here and now?"""

    account = serializers.CharField(max_length=100, help_text="Id or code.")
    product = serializers.CharField(max_length=100, help_text="Id or code.")
    feature = serializers.CharField(max_length=100, required=False, help_text="Code; without one the product itself.")
    person_id = serializers.UUIDField(required=False)
    device_id = serializers.CharField(max_length=200, required=False)
    region = serializers.RegexField(r"^[A-Za-z]{2}$", required=False, help_text="ISO 3166 country of use, such as DE.")
    deployment = serializers.CharField(max_length=200, required=False, help_text="Id or name; its environment counts.")
    environment = serializers.ChoiceField(choices=[(item.value, item.value) for item in Environment], required=False)
    release = serializers.CharField(max_length=50, required=False, help_text="The release in use, by its version name.")
    at = serializers.DateTimeField(
        required=False, help_text="Another instant than now; only for people who may ask hypothetically."
    )


class QuestionsSerializer(serializers.Serializer[Any]):
    """Up to 1,000 questions."""

    questions = serializers.ListField(child=QuestionSerializer(), min_length=1, max_length=MAX_QUESTIONS)


class OwnerSerializer(serializers.Serializer[Any]):
    """Whom to ask."""

    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name
    contact_id = serializers.UUIDField(allow_null=True)


class AnswerSerializer(serializers.Serializer[Any]):
    """Yes or no, and why: docs/reason-codes.md."""

    allowed = serializers.BooleanField()
    code = serializers.ChoiceField(choices=ANSWER_CODES, help_text="The reason; codes never change their meaning.")
    sentence = serializers.CharField()
    next_action = serializers.CharField()
    guidance = serializers.CharField(help_text="Path of the page that explains the code.")
    limit = serializers.IntegerField(allow_null=True, help_text="Null: no limit, or nothing to limit.")
    limit_kind = serializers.ChoiceField(choices=[(item.value, item.value) for item in LimitKind], allow_null=True)
    until = serializers.DateTimeField(allow_null=True, help_text="When this answer may change.")
    entitlement_id = serializers.UUIDField(allow_null=True)
    phase = serializers.ChoiceField(choices=[(item.value, item.value) for item in Phase], allow_null=True)
    owner = OwnerSerializer(allow_null=True)
    duplicates = serializers.ListField(
        child=serializers.UUIDField(), help_text="Entitlements of which the subject holds a seat too many."
    )
    warnings = serializers.ListField(child=serializers.ChoiceField(choices=WARNING_CODES))
    asked_at = serializers.DateTimeField(help_text="The instant that the answer is for.")


class AnswersSerializer(serializers.Serializer[Any]):
    """One answer for each question, in their order."""

    answers = AnswerSerializer(many=True)


class Check(ApiView):
    """One question."""

    @extend_schema(summary="May this be used?", request=QuestionSerializer, responses=AnswerSerializer, tags=["check"])
    def post(self, request: Request) -> Response:
        """Answer a question. What is not granted to the sender is answered as if it did not exist."""
        asked, now = question_from(parsed(QuestionSerializer, request)), clock.now()
        (answer,) = checking.answer(questions=[asked], user=sender(request), now=now)
        return Response(document_of(answer, asked.at or now))


class CheckBulk(ApiView):
    """Many questions."""

    @extend_schema(
        summary="May these be used?", request=QuestionsSerializer, responses=AnswersSerializer, tags=["check"]
    )
    def post(self, request: Request) -> Response:
        """Answer up to 1,000 questions of one instant, in their order."""
        asked = [question_from(row) for row in parsed(QuestionsSerializer, request)["questions"]]
        now = clock.now()
        answers = checking.answer(questions=asked, user=sender(request), now=now)
        rows = [document_of(answer, question.at or now) for question, answer in zip(asked, answers, strict=True)]
        return Response({"answers": rows})


def question_from(values: dict[str, Any]) -> Asked:
    """A validated question as a value."""
    given = {name: value for name, value in values.items() if name not in ("region", "environment")}
    return Asked(
        **given,
        country=values["region"].upper() if "region" in values else None,
        environment=Environment(values["environment"]) if "environment" in values else None,
    )


def document_of(answer: Answer, asked_at: datetime) -> dict[str, Any]:
    """An answer as JSON values; by hand, because a serializer would cost more than the decision."""
    owner = answer.owner
    return {
        "allowed": answer.allowed,
        "code": answer.code.value,
        "sentence": answer.sentence,
        "next_action": answer.next_action,
        "guidance": answer.guidance,
        "limit": answer.limit,
        "limit_kind": answer.limit_kind.value if answer.limit_kind else None,
        "until": answer.until,
        "entitlement_id": answer.entitlement_id,
        "phase": answer.phase.value if answer.phase else None,
        "owner": {"label": owner.label, "contact_id": owner.contact_id} if owner else None,
        "duplicates": list(answer.duplicate_ids),
        "warnings": [code.value for code in answer.warnings],
        "asked_at": asked_at,
    }
