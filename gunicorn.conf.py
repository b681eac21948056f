"""gunicorn for the demo and for a web machine behind nginx.

Persistent connections are per thread: each of the WEB_WORKERS × WEB_THREADS threads may hold one
database connection.
"""

import ctypes
import os
import signal
import sys

bind = os.environ.get("WEB_BIND", "127.0.0.1:8000")
worker_class = "gthread"
preload_app = True  # read the code once; a connection is opened by the first request of each thread, after the fork
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
keepalive = 5  # seconds
timeout = 60  # seconds without a sign of life of a worker
graceful_timeout = int(os.environ.get("WEB_GRACEFUL_SECONDS", "25"))  # for requests under way at a stop
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # the sign of life never waits for a disk
control_socket_disable = True
accesslog = None  # URLs carry search words, which may be names; the application logs requests without them
errorlog = "-"


def post_fork(_server, _worker):
    """A worker whose master was killed would serve on unseen for a while: it goes with its master."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, int(signal.SIGKILL), 0, 0, 0)  # PR_SET_PDEATHSIG
