"""The web's side of files: how much of an upload is read at all, and how a file goes out."""

from collections.abc import Callable
from functools import wraps
from pathlib import PurePath
from urllib.parse import quote

from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from .errors import FileTooLong

UNREAD = 4
"""A body of so many times a file's limit is refused by its Content-Length, unread. What is less, but too long for a
file, is thrown away as it comes in, and the form with all that was typed is shown again."""

MEGABYTE = 1024**2


class CutOff(FileUploadHandler):
    """First of the handlers: a file beyond the limit is thrown away as it comes; the rest of the form is still read.

    `request.cut_off` names those files.
    """

    def __init__(self, request: HttpRequest, *, most: int):
        super().__init__(request)
        self.most = most

    def new_file(self, *args, **kwargs):
        super().new_file(*args, **kwargs)
        self.length = 0

    def receive_data_chunk(self, raw_data, start):
        self.length += len(raw_data)
        if self.length > self.most:
            self.request.cut_off.append(self.file_name)
            raise SkipFile
        return raw_data

    def file_complete(self, file_size):
        return None


def takes_a_file(*, most: Callable[[], int], bodies: int = UNREAD):
    """For views with an upload: the limits hold before anything reads the body, the check of the form's token too.

    `most`: bytes of one file; `bodies`: of so many files' length the whole body may be. Raises FileTooLong.
    """

    def protect(view):
        @csrf_exempt
        @wraps(view)
        def guarded(request: HttpRequest, *args, **kwargs):
            length, limit = request.META.get("CONTENT_LENGTH") or "0", most()
            if length.isdigit() and int(length) > bodies * limit:
                raise FileTooLong(limit=limit // MEGABYTE)
            request.cut_off = []
            request.upload_handlers.insert(0, CutOff(request, most=limit))
            return csrf_protect(view)(request, *args, **kwargs)

        return guarded

    return protect


def download(content: bytes, *, kind: str, name: str) -> HttpResponse:
    """As a download of this origin that can do nothing here. `name`: a cleaned one."""
    response = HttpResponse(content, content_type=kind)
    plain = name if name.isascii() else f"file{PurePath(name).suffix}"
    said = f'attachment; filename="{plain}"'
    response["Content-Disposition"] = said if name.isascii() else f"{said}; filename*=UTF-8''{quote(name, safe='')}"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return quiet(response)


def quiet(response: HttpResponse) -> HttpResponse:
    """Kept by no browser and no proxy, found by no search engine."""
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "same-origin"
    return response
