"""What bench.apart's processes have read before they begin: the code, and nothing of any database."""

import django

django.setup()

from django.urls import get_resolver  # noqa: E402

from bench import large, pages, past, search  # noqa: E402, F401

get_resolver().url_patterns  # noqa: B018
