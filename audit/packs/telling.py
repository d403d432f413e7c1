"""The events of a selection as people read them: sentences with the names that logins have now, read once."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from audit import contributors
from audit.packs.port import Selection, Told
from foundation.identity import naming

THE_SYSTEM, SOMEBODY = "The system", "Somebody"


@dataclass(frozen=True)
class Teller:
    """Tells events; `names` are those of the logins that acted or are mentioned."""

    names: Mapping[uuid.UUID, str]

    @classmethod
    def of(cls, selection: Selection) -> "Teller":
        """A teller of all events of a selection, after two queries at most."""
        actors = {uuid.UUID(event.document["actor"]) for event in selection.events if event.document["actor"]}
        mentioned = naming.mentioned(event.content.decode() for event in selection.events)
        return cls(naming.names_of(actors | mentioned))

    def actor(self, event: Told) -> str:
        """Who acted."""
        actor = event.document["actor"]
        return THE_SYSTEM if actor is None else self.names.get(uuid.UUID(actor), SOMEBODY)

    def sentence(self, event: Told) -> str:
        """The event in its type's words; of a type that this program does not know, its name."""
        subject = event.document["subject"]
        label = subject["label"] or str(subject["id"] or "")
        try:
            return contributors.sentence(
                type_name=event.type, data=event.data, actor=self.actor(event), subject=label, names=self.names
            )
        except LookupError:
            return f"{event.type}: the program that recorded this knows how to tell it; this one does not."
