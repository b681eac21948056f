"""先诊疗后付费 on the phone /credit/ (M4): what may be signed, what is owed and till when, all of it paid at once.

Signing makes debts in a person's name, so the account must have answered a code a moment ago, and a phone or a window
must have proved who the person is.
"""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing.errors import CreditNeedsTheWindow, NothingOwed
from billing.forms.credit import SignForm
from billing.selectors import credit as selectors
from billing.selectors import rules
from billing.services import agreements, gathering
from hospital import clock, family, masking
from hospital.errors import Refused
from hospital.models import Organization, RelatedPerson
from hospital.permissions import freshly_signed_in, patient_required


@dataclass(frozen=True)
class Card:
    """One person at one house."""

    person: RelatedPerson
    house: Organization
    credit: selectors.Standing

    @property
    def masked(self) -> str:
        return masking.name(self.person.patient.name)

    @property
    def refusal(self) -> Refused | None:
        """Why the account can't sign for them."""
        return CreditNeedsTheWindow() if self.person.proof == family.UNPROVED else None


@require_safe
@never_cache
@patient_required
def mine(request: HttpRequest):
    now = clock.now()
    houses = list(Organization.objects.filter(pk__in=rules.houses_with_rules()).order_by("pk"))
    people = family.people_of(request.user)
    cards = [_card(person, house, now=now) for person in people for house in houses]
    context = {"cards": [card for card in cards if card.credit.there], "people": people}
    return render(request, "billing/credit/mine.html", context)


def _card(person: RelatedPerson, house: Organization, *, now: datetime) -> Card:
    return Card(person, house, selectors.standing(person.patient_id, organization=house.pk, now=now))


def _own(request: HttpRequest, house: int, patient: int) -> Card:
    """One of the account's people. Anybody else does not exist, whatever the number."""
    person = next((each for each in family.people_of(request.user) if each.patient_id == patient), None)
    organization = Organization.objects.filter(pk=house).first()
    if person is None or organization is None:
        raise Http404
    card = _card(person, organization, now=clock.now())
    if not card.credit.there:
        raise Http404
    return card


@require_http_methods(["GET", "POST"])
@never_cache
@freshly_signed_in
def sign(request: HttpRequest, house: int, patient: int):
    """签署: the terms with the house's numbers, read and ticked."""
    card = _own(request, house, patient)
    if card.refusal:
        return _show(request, card, refusal=card.refusal if request.method == "POST" else None)
    form = SignForm(request.POST) if request.method == "POST" else SignForm()
    if form.is_valid():
        said = {"patient": card.person.patient, "organization": card.house, "by": request.user, "now": clock.now()}
        try:
            agreements.sign(**said, where="phone", request=request)
        except Refused as refusal:
            return _show(request, card, form=form, refusal=refusal)
        messages.success(request, _("已签署。付款时选“先诊疗后付费”，看诊、检查就不用先付钱。"))
        return redirect("billing:my_credit")
    return _show(request, card, form=form)


def _show(request: HttpRequest, card: Card, *, form: SignForm | None = None, refusal: Refused | None = None):
    context = {"card": card, "credit": card.credit, "form": form or SignForm(), "refusal": refusal}
    status = refusal.status if refusal else 422 if form is not None and form.errors else 200
    return render(request, "billing/credit/sign.html", context, status=status)


@require_POST
@patient_required
def end(request: HttpRequest, house: int, patient: int):
    """终止: anybody of the family may, and at once."""
    card = _own(request, house, patient)
    said = {"patient": card.person.patient, "organization": card.house, "by": request.user, "now": clock.now()}
    if agreements.end(**said, where="phone", request=request):
        messages.success(request, _("协议已终止，有效到今天。已记账的费用仍请按期付清。"))
    return redirect("billing:my_credit")


@require_POST
@patient_required
def settle(request: HttpRequest, house: int, patient: int):
    """一次付清: all that is owed at the house on one invoice, and to its page of paying."""
    card = _own(request, house, patient)
    invoice = gathering.gather(patient=card.person.patient, organization=card.house, by=request.user, now=clock.now())
    if invoice is None:
        messages.warning(request, NothingOwed().in_full)
        return redirect("billing:my_credit")
    return redirect("billing:pay", invoice.token)
