"""What every factory builds on. NOW is one constant: a Monday, 10:00 at the hospital."""

from datetime import UTC, datetime

import factory

from hospital import clock

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # Monday 10:00 at the hospital
TODAY = clock.today(NOW)


class Factory(factory.django.DjangoModelFactory):
    class Meta:
        abstract = True
