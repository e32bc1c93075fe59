"""How a request holds what is uploaded with it."""

from __future__ import annotations

import io
from typing import IO

from flask import Request


class MemoryRequest(Request):
    """Uploads stay in memory (at most MAX_CONTENT_LENGTH): the usual temporary files would lie on the disk in clear."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return io.BytesIO()
