"""Forms with files: no larger than the installation keeps."""

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler


class BoundedUpload(FileUploadHandler):
    """Refuses a form before it is read if it is larger than `UPLOAD_BYTES`; keeps nothing itself."""

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, boundary: Any, encoding: Any = None
    ) -> None:
        """
        Look at the length of what is about to be read; a form without one is read as empty.

        :raises RequestDataTooBig: if it is too large
        """
        if content_length > settings.UPLOAD_BYTES:
            raise RequestDataTooBig("The form is larger than this server accepts.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """Leave the bytes to the handlers that follow."""
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Leave the file to the handlers that follow."""
