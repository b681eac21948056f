"""下级机构与协作组: who may take what is kept for lower institutions, and how much of it is used."""

from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from appointments.forms.partners import PartnerGroupForm
from appointments.models import PartnerGroup
from appointments.selectors import partners as selectors
from appointments.services import partners as service
from hospital import clock
from hospital.errors import NotAllowed, Refused
from hospital.models import Organization
from hospital.permissions import role_required

from .reach import ACTORS, READERS, may_act, reach_of
from .rules import house_of


@require_safe
@never_cache
@role_required(*READERS)
def partner_groups(request: HttpRequest):
    """The common pool, the groups and their pools, each lower institution's own."""
    reach = reach_of(request)
    house = house_of(request, reach)
    (common, signed), groups, partners = selectors.partners_of(house, today=clock.today(clock.now()))
    context = {
        "house": house,
        "houses": Organization.objects.filter(pk__in=reach.organizations).order_by("pk"),
        "common": common,
        "signed": signed,
        "groups": groups,
        "partners": partners,
        "ahead": selectors.AHEAD,
        "may_act": may_act(request) and reach_of(request, *ACTORS).departments is None,
        "organizations": [house],
    }
    return render(request, "office/partners.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ACTORS)
def partner_group(request: HttpRequest, pk: int | None = None):
    """A new group, or one that is changed or ended."""
    reach = reach_of(request, *ACTORS)
    if reach.departments is not None:
        raise NotAllowed  # groups are the whole house's
    rows = PartnerGroup.objects.filter(organization__in=reach.organizations).select_related("organization")
    group = get_object_or_404(rows, pk=pk) if pk else None
    house = group.organization if group else house_of(request, reach)
    initial = {"name": group.name, "members": group.members.all(), "active": group.active} if group else {}
    form = PartnerGroupForm(request.POST or None, house=house, group=group, initial=initial)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        row = group or PartnerGroup(organization=house)
        row.name, row.active = said["name"], said.get("active", True)
        try:
            service.save_group(group=row, members=said["members"], by=request.user, why=said["why"], now=clock.now())
        except Refused as refusal:
            form.add_error("active", refusal.in_full)
        else:
            messages.success(request, _("协作组已保存。"))
            return redirect(f"{reverse('appointments:office_partner_groups')}?house={house.pk}")
    context = {"form": form, "group": group, "house": house, "organizations": [house]}
    return render(request, "office/partner_group.html", context, status=422 if form.errors else 200)
