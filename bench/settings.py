"""The hospital's own settings; only the address table has the usual way beside ours."""

from hospital.settings import *  # noqa: F403

ROOT_URLCONF = "bench.usual.urls"
