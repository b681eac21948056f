"""A kept connection is checked at the start of each request: by a look at its socket, not by asking the server."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """A server that stopped, restarted or threw us out has closed the socket, and a closed socket is readable.

    A silent one is trusted: `SELECT 1` before every request cost a tenth of a booking. Whatever a look can't see
    (a cable pulled out) ends as an error of the first query, which hospital.middleware.DatabaseGone shows.
    """

    def close_if_health_check_failed(self):
        if self.connection is not None and not self.health_check_done and self._silent():
            self.health_check_done = True
        super().close_if_health_check_failed()

    def _silent(self) -> bool:
        if self.connection.closed:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
        return not poll.poll(0)
