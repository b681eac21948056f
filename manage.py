#!/usr/bin/env python
"""Django's command line."""

import gc
import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hospital.settings")
    from django.core.management import execute_from_command_line

    if sys.argv[1:2] == ["migrate"]:
        gc.set_threshold(100_000, 20, 100)  # a quarter of a first start went into walking over the states of the models
    execute_from_command_line(sys.argv)
