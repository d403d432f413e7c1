"""Why something sensitive is not shown."""

from foundation.errors import Conflict


class ReadNotRecorded(Conflict):
    """What is sensitive is shown only if that can be recorded."""

    code = "read_not_recorded"
    title = "Not shown, because it can’t be recorded"
