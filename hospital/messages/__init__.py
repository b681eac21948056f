"""消息: telling people, by template id and parameters (O11), in their language, in the app and by SMS (V1).

`tell` writes what is to be said, once per `dedupe`, in the caller's transaction. `send_waiting` sends it, with
back-off, outside any lock. The words are in templates/messages/texts/<template>.txt: first line the title, then the
body that an SMS carries.
"""

from .sending import only_while, send_waiting
from .telling import tell
from .wording import Wording, moment, wording_of

__all__ = ["Wording", "moment", "only_while", "send_waiting", "tell", "wording_of"]
