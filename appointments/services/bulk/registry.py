"""Which handler does which kind of act: one line each."""

from appointments.models import BulkAct

from .add import AddNumbers
from .effects import Handler
from .moments import Extra, Hold
from .reallocate import Reallocate
from .recall import Recall
from .reshare import Reshare

_handlers: dict[str, Handler] = {}


def register(kind: str, handler: Handler) -> None:
    _handlers[kind] = handler


def handler_of(kind: str) -> Handler:
    return _handlers[kind]


register(BulkAct.Kind.REALLOCATE, Reallocate())
register(BulkAct.Kind.ADD_NUMBERS, AddNumbers())
register(BulkAct.Kind.RECALL, Recall())
register(BulkAct.Kind.HOLD_RELEASE, Hold())
register(BulkAct.Kind.EXTRA_RELEASE, Extra())
register(BulkAct.Kind.RESHARE, Reshare())
