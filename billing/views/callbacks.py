"""Notices of payment gateways (M8). No session and no cookie: who calls is known by its signature alone.

Whatever a genuine notice is worth, the gateway hears that it arrived: what it says is kept, and acted on here or, if
this process dies, by the job. Only what is forged or too old is refused; it is logged, with nothing of what it says.
"""

import hashlib
from collections import deque
from time import monotonic

import structlog
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from billing.errors import NoGateway
from billing.gateways import ports
from billing.models import Payment
from billing.services import hearing
from hospital import clock
from hospital.models import Organization

log = structlog.get_logger(__name__)

LONGEST = 2**20
"""Bytes of a notice."""
FORGED_KEPT = 60
"""So many forged ones a minute are kept by each process; of more only the log tells: nobody fills our tables."""
_kept: deque[float] = deque(maxlen=FORGED_KEPT)


@csrf_exempt
@require_POST
def hear(request, gateway, house):
    """收到渠道通知."""
    organization = get_object_or_404(Organization.objects.only("code"), code=house)
    try:
        port = ports.payment(gateway, organization=organization.pk)
    except NoGateway:
        raise Http404 from None
    body = request.read(LONGEST + 1)
    if len(body) > LONGEST:
        return HttpResponse(status=413)
    digest = hashlib.sha256(body).hexdigest()
    try:
        notice = port.read(request.headers, body)
    except ports.Forged:
        _refused(gateway, organization, digest)
        return _said(port.reply(received=False))
    hearing.hear(gateway=gateway, organization=organization.pk, notice=notice, digest=digest, now=clock.now())
    return _said(port.reply(received=True))


def _refused(gateway: str, organization: Organization, digest: str) -> None:
    log.warning("payment_callback_forged", gateway=gateway, house=organization.code, digest=digest)
    now = monotonic()
    if len(_kept) < FORGED_KEPT or now > _kept[0] + 60:
        _kept.append(now)
        hearing.forged(gateway=gateway, organization=organization.pk, digest=digest, now=clock.now())


def _said(reply: ports.Reply) -> HttpResponse:
    return HttpResponse(reply.body, status=reply.status, content_type=reply.kind)


@require_safe
def back(request, token):
    """支付后返回: the order's number leads the payer's browser to the page of what was paid, which looks by itself
    whether the money has come. The number is known to the payer and the gateway only."""
    payment = get_object_or_404(Payment.objects.select_related("invoice").only("invoice__token"), order=token)
    return redirect(f"{reverse('billing:pay', args=[payment.invoice.token])}?back=1")
