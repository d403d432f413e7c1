"""Filing an inventory as one change request that also carries its people's seats."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from approvals.requests import services
from approvals.requests.models import ChangeRequest
from approvals.requests.revisions import Rationale
from entitlements.directory.services import stage_details
from entitlements.imports.drafts import Drafted, Placement, draft_inventory
from entitlements.imports.parsing import prepare_inventory
from entitlements.imports.values import ImportOptions, Inventory
from foundation.errors import InvalidInput
from foundation.identity.models import User


class BadInventory(InvalidInput):
    """The file has rows that cannot be read, and the user did not say that the good ones come alone."""

    code = "bad_inventory"
    title = "The inventory has problems"


class NothingToImport(InvalidInput):
    """Nothing in the file is new."""

    code = "nothing_to_import"
    title = "Nothing to import"


@dataclass(frozen=True)
class Filed:
    """What came of an import: the request, what the file said, and what was made of it."""

    change_request: ChangeRequest
    inventory: Inventory
    drafted: Drafted


@transaction.atomic
def file_inventory(
    *,
    data: bytes,
    name: str,
    options: ImportOptions,
    placement: Placement,
    author: User,
    now: datetime,
    rationale: Rationale | None = None,
) -> Filed:
    """
    Read an inventory file and file it as one change request, whole or (if the options say so) its good rows alone.

    Nothing is written of a file with problems otherwise. Names and mails are staged apart from the request.

    :raises BadInventory: if there are problems and good rows are not wanted alone; each is in the context
    :raises NothingToImport: if every license is in the registry already
    :raises NotPermitted: if the author may not propose
    """
    inventory = prepare_inventory(data, options)
    if not inventory.licenses:
        count = len(inventory.problems)
        raise BadInventory(
            f"{name} has {count} {'problem' if count == 1 else 'problems'}, so nothing was filed. Mend the file, "
            "or say that the good rows come in alone.",
            problems=[str(problem) for problem in inventory.problems],
        )
    drafted = draft_inventory(licenses=inventory.licenses, placement=placement, now=now)
    if not drafted.drafts:
        raise NothingToImport(
            f"Every license of {name} is in the registry already: {', '.join(drafted.already_there[:5])} …",
            references=drafted.already_there,
        )
    change_request = services.propose(
        title=f"Import {name}: {len(inventory.licenses) - len(drafted.already_there)} licenses",
        drafts=drafted.drafts,
        author=author,
        now=now,
        rationale=rationale,
        source="import",
    )
    stage_details(details=drafted.details, now=now)
    return Filed(change_request, inventory, drafted)
