"""Telling the worker that facts wait: best effort, and never at a request's cost.

A thread of its own sends the word, at most one each second, and rests a few seconds when Redis does not answer. A
request only sets a flag. Whatever is missed is found by beat's next round.
"""

import os
import threading
import time

import structlog
from celery import current_app
from django.conf import settings

log = structlog.get_logger(__name__)

TASK = "hospital.tasks.deliver_facts"
TOGETHER = 1.0  # seconds: the facts of this time are one word
REST = 5.0  # seconds without trying after a failure
EXPIRES = 10  # seconds: by then beat has sent one


class Waker:
    """One per task and process; a forked child starts its own thread."""

    def __init__(self, task: str = TASK):
        self._task = task
        self._pid: int | None = None
        self._wanted = threading.Event()
        self._failing = False

    def __call__(self) -> None:
        if getattr(settings, "CELERY_TASK_ALWAYS_EAGER", False):
            return  # nobody to wake: tasks run in place
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._wanted = threading.Event()
            threading.Thread(target=self._run, args=(self._wanted,), name="wake", daemon=True).start()
        self._wanted.set()

    def _run(self, wanted: threading.Event) -> None:
        while True:
            wanted.wait()
            wanted.clear()
            time.sleep(TOGETHER if self._send() else REST)

    def _send(self) -> bool:
        try:
            current_app.send_task(self._task, expires=EXPIRES, retry=False, ignore_result=True)
        except Exception as error:  # any broker failure: beat's round heals it
            if not self._failing:
                log.warning("worker_not_woken", error=type(error).__name__)
            self._failing = True
            return False
        self._failing = False
        return True


wake = Waker()
"""Call it after commit."""
