"""消息: what a person was told, and in a demo what the SMS gateway took in."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Q
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from hospital import clock, messages, permissions
from hospital.errors import NotAllowed
from hospital.family import seen
from hospital.models import Fact, GatewayReceipt, Message

PER_PAGE = 30


@dataclass(frozen=True)
class Shown:
    """One message with its words in the reader's language."""

    row: Message
    wording: messages.Wording


def _mine(user):
    """What was said in the app to this account or to a person it looks after; of the unproved, about what it booked."""
    did = Q(Exists(Fact.objects.filter(key=OuterRef("about"), actor=user)))
    mine = Q(user=user) | seen(user, own=did, inactive_too=True)
    sent = Message.objects.filter(mine, channel=Message.Channel.INAPP, status=Message.Status.SENT)
    return sent.select_related("patient").order_by("-sent_at", "-pk")


def _door(view):
    """For any account: who has none yet is most likely a patient."""
    return login_required(view, login_url="sign_in")


@require_safe
@never_cache
@_door
def mine(request):
    page = Paginator(_mine(request.user), PER_PAGE).get_page(request.GET.get("page"))
    language = translation.get_language()
    shown = [Shown(row, messages.wording_of(row, language=language)) for row in page]
    unread = _mine(request.user).filter(read_at=None).count()
    template = "messages/told.html" if permissions.is_patient_account(request.user) else "messages/mine.html"
    return render(request, template, {"page": page, "shown": shown, "unread": unread})


@require_POST
@_door
def read(request):
    """全部已读."""
    _mine(request.user).filter(read_at=None).order_by().update(read_at=clock.now())
    return redirect("messages")


@require_safe
@never_cache
@login_required
def inbox(request):
    """开发收件箱: only in a demo, only for staff; phones are masked already when they are kept."""
    if not settings.DEMO:
        raise Http404
    if not permissions.roles_of(request.user):
        raise NotAllowed
    page = Paginator(GatewayReceipt.objects.order_by("-received_at", "-pk"), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "messages/inbox.html", {"page": page})
