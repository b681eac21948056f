"""JSON as RFC 8259 has it: UTF-8, no NaN, nothing that later can't be stored."""

import msgspec
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser


class StrictJson(BaseParser):
    """Bodies are short by then (API_BODY_LIMIT); form data and files are not taken at all."""

    media_type = "application/json"

    def parse(self, stream, media_type=None, parser_context=None):
        try:
            return msgspec.json.decode(stream.read())
        except (msgspec.DecodeError, UnicodeError, RecursionError) as problem:
            raise ParseError(str(problem)) from None
