"""What every view of the API has in common: the foundation's, under the name that change control's views use."""

from foundation.api.base import ApiView, body, pointed, sender

__all__ = ["ApiView", "body", "pointed", "sender"]
