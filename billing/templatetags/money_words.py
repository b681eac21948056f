"""Words and facts of money for templates of all apps: what goes back, what is on credit, what means are called."""

from django import template
from django.utils.translation import gettext as _

from appointments.models import StopCase
from billing.models import Invoice, Means, Refund
from billing.selectors import credit, given_back, rules
from hospital import clock

register = template.Library()


@register.filter
def means_word(code: str) -> str:
    return str(Means(code).label) if code in Means.values else code


@register.filter
def means_listed(codes: list[str]) -> str:
    return listed([means_word(code) for code in codes])


@register.filter
def refund_reason(code: str) -> str:
    return str(Refund.Reason(code).label) if code in Refund.Reason.values else code


@register.filter
def listed(names: list[str]) -> str:
    """挂号费、腹部超声; of many the first three."""
    names = [str(name) for name in names]
    some = _("、").join(names[:3])
    return some if len(names) < 4 else _("%(some)s等%(count)s项") % {"some": some, "count": len(names)}


@register.simple_tag
def back_of(kind: str, booking):
    """What giving up a booking ("appointment" or "exam") gives back now (given_back.Back); None: nothing is charged."""
    return given_back.promise(kind=kind, booking=booking.pk)


@register.simple_tag
def given_of(kind: str, booking):
    """What was given back of it (given_back.Given), or None."""
    return given_back.given(kind=kind, booking=booking.pk)


@register.simple_tag
def credit_of(invoice):
    """Whether it may be paid after the visit (credit.Use)."""
    return credit.use_of(invoice, now=clock.now())


@register.simple_tag
def stop_refunds(stop):
    """How far the refunds of a stop's patients are; None where nobody had paid."""
    rows = StopCase.objects.filter(substitution__suspension=stop).values("appointment")
    found = given_back.of_a_stop(rows)
    return found if found.any else None


@register.simple_tag
def takes_money() -> bool:
    """Some house does: a free clinic shows nothing of it."""
    return rules.anywhere()


@register.filter
def owed_count(bills) -> int:
    """Of listed bills (with `row`), those on credit: two of them may be paid at once."""
    return sum(1 for bill in bills if bill.row.status == Invoice.Status.OWED)


@register.simple_tag
def owed_at(patient, organization):
    """What a person owes a house on credit (credit.Standing), or None. No query where nobody takes money."""
    if patient is None or not rules.anywhere():
        return None
    found = credit.standing(patient.pk, organization=organization, now=clock.now())
    return found if found.owed else None
