"""How freezes change: by the policy in force, like everything else, and by no freeze stopped."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

import pycountry
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from approvals import governed
from approvals.freezes import locks
from approvals.freezes.calendar import check_places
from approvals.freezes.models import Freeze
from approvals.governed import Application, Kind, Preparation, PreparedItem, Scope
from approvals.records.kinds import AmendKind, CreateKind, RecordKind, RetireKind
from approvals.records.payloads import Country, Name, Payload, RetirePayload, Text, partial
from approvals.records.undoing import RestoreKind
from approvals.requests.schedules import check_zone
from foundation.errors import InvalidInput

Place = Annotated[str, StringConstraints(to_upper=True, pattern=r"^[A-Za-z]{2}(-[A-Za-z0-9]{1,10})?$")]
MOST = 1_000


class FreezePayload(Payload):
    """
    A time in which changes are not applied.

    Either `starts_at` and `ends_at`, or `holidays_of`: countries and subdivisions (DE, DE-BY), each holiday for the
    local calendar day in `zone`. It concerns `everything`, or what each sort that it names fits: accounts with their
    descendants, products, countries of use.
    """

    name: Name
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    zone: Text = "UTC"
    holidays_of: Annotated[list[Place], Field(max_length=50)] = []
    everything: bool = False
    account_ids: Annotated[list[UUID], Field(max_length=MOST)] = []
    product_ids: Annotated[list[UUID], Field(max_length=MOST)] = []
    countries: Annotated[list[Country], Field(max_length=300)] = []
    stops_review: bool = False
    allows_emergency: bool = False


class _FreezeKind(RecordKind):
    """What all kinds of freezes share."""

    def scope(self, row: Mapping[str, Any], preparation: Preparation) -> Scope:
        """The accounts and products that the freeze names: who may not see them all does not propose it."""
        return Scope(
            frozenset(UUID(str(key)) for key in row["account_ids"]),
            frozenset(UUID(str(key)) for key in row["product_ids"]),
        )

    def check(
        self,
        *,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any],
        payload: BaseModel,
        preparation: Preparation,
    ) -> None:
        """Refuse unknown zones, holidays, accounts and products."""
        check_zone(after["zone"])
        check_places(after["holidays_of"])
        _check_countries(after["countries"])
        _check_known(after, preparation)

    def write(self, *, items: Sequence[PreparedItem], application: Application) -> None:
        """Write the freezes once no application is under way (Note "Taking turns")."""
        locks.hold_alone()
        super().write(items=items, application=application)


class CreateFreeze(_FreezeKind, CreateKind):
    """Announce a freeze."""


class AmendFreeze(_FreezeKind, AmendKind):
    """Change a freeze."""


class RetireFreeze(_FreezeKind, RetireKind):
    """Lift a freeze."""


def _check_countries(countries: Sequence[str]) -> None:
    unknown = [code for code in countries if pycountry.countries.get(alpha_2=code) is None]
    if unknown:
        sentence = f"{', '.join(unknown)} is no country of ISO 3166. Write codes such as DE and US."
        raise InvalidInput(sentence, errors=[{"field": "countries", "message": sentence}])


class RestoreFreeze(_FreezeKind, RestoreKind):
    """Restore a freeze."""


def _check_known(after: Mapping[str, Any], preparation: Preparation) -> None:
    scope = Scope(
        frozenset(UUID(str(key)) for key in after["account_ids"]),
        frozenset(UUID(str(key)) for key in after["product_ids"]),
    )
    if not scope.account_ids | scope.product_ids:
        return
    pending = {record_id for _table, record_id in preparation.pending}
    known = governed.access().names(scope=scope, user=None)
    for field, ids in (("account_ids", scope.account_ids), ("product_ids", scope.product_ids)):
        missing = sorted(str(key) for key in ids - known.keys() - pending)
        if missing:
            sentence = f"There is no such {field.partition('_')[0]}: {', '.join(missing[:5])}."
            raise InvalidInput(sentence, errors=[{"field": field, "message": sentence}])


KINDS: tuple[Kind, ...] = (
    CreateFreeze(name="freeze.create", title="Announce freeze", model=Freeze, payload=FreezePayload),
    AmendFreeze(name="freeze.amend", title="Amend freeze", model=Freeze, payload=partial(FreezePayload)),
    RetireFreeze(name="freeze.retire", title="Lift freeze", model=Freeze, payload=RetirePayload),
    RestoreFreeze(model=Freeze),
)
