"""The worker and its clock. Tasks find their own work, so a missed beat heals itself."""

import os

from celery import Celery
from kombu.transport import redis
from redis.exceptions import ConnectionError as ConnectionLost

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hospital.settings")

app = Celery("hospital")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


class _Channel(redis.Channel):
    """kombu 5.7: a worker with a task in hand ends with an AttributeError when Redis goes away, because it puts back
    or acknowledges the task over a channel whose connection is closed. Said as what it is, a lost connection, celery
    knows what to do: it reconnects. Jobs find their own work: nothing is lost by an unanswered message."""

    def _connparams(self, asynchronous=False):
        if getattr(self.connection, "client", None) is None:
            raise ConnectionLost("the channel is closed")
        return super()._connparams(asynchronous=asynchronous)


redis.Transport.Channel = _Channel
