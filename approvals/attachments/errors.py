"""What is refused of files."""

from foundation.errors import Conflict, InvalidInput


class FileRefused(InvalidInput):
    """The file is empty, of a type that is not allowed, or not what its name says."""

    code = "file_refused"
    title = "The file cannot be attached"


class FileTooLarge(InvalidInput):
    """The file is larger than this installation keeps."""

    code = "file_too_large"
    title = "The file is too large"
    status = 413


class TooManyFiles(Conflict):
    """The request has as many files as this installation keeps."""

    code = "too_many_files"
    title = "The change has too many files"


class AlreadyAttached(Conflict):
    """The same bytes are attached to the request under the same name; `attachment_id` in the context names them."""

    code = "already_attached"
    title = "The file is attached already"
