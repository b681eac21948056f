"""设备和开机时间: the list, one device with what it can do, its week, zones with walking times, teams."""

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from exams.errors import HoursRefused
from exams.forms import device_lists as forms
from exams.models import Device, DeviceHours, ExamZone, StaffTeam, WalkingTime
from exams.services.devices import Fitted, keeping
from hospital import audit, clock
from hospital.errors import NotAllowed
from hospital.models import Organization
from hospital.permissions import role_required

from . import device_reach as reach


@require_safe
@never_cache
@role_required(*reach.READERS)
def devices(request: HttpRequest) -> HttpResponse:
    today = clock.today(clock.now())
    rows = Device.objects.filter(reach.within(request)).select_related("room", "zone__campus", "team", "organization")
    rows = list(rows.annotate(ways=Count("abilities")).order_by("organization", "-active", "modality", "code"))
    hours: dict[int, list[DeviceHours]] = {}
    in_force = DeviceHours.objects.filter(device__in=rows, effective_from__lte=today).exclude(effective_to__lt=today)
    for each in in_force.order_by("weekday", "starts"):
        hours.setdefault(each.device_id, []).append(each)
    lines = [{"device": row, "days": len({one.weekday for one in hours.get(row.pk, [])})} for row in rows]
    context = {
        "lines": lines,
        "may_keep": reach.may(request, *reach.KEEPERS),
        "may_import": bool(reach.whole_houses(request)),
        **reach.frame(request),
    }
    return render(request, "exams/devices/devices.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*reach.KEEPERS)
def device(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """One device, or a new one."""
    row = reach.device(request, pk, *reach.KEEPERS) if pk else Device(organization=_house(request))
    before = keeping.said(row) if pk else None
    form = forms.DeviceForm(
        request.POST or None, instance=row, organization=row.organization, departments=reach.departments(request)
    )
    if request.method == "POST" and form.is_valid():
        kept = form.save(commit=False)
        try:
            done = keeping.keep_device(
                device=kept, abilities=form.abilities(), by=request.user, now=clock.now(), before=before
            )
        except HoursRefused as refusal:
            form.add_error(None, refusal.in_full)
        except IntegrityError:  # a double click, or a colleague with the same code: looked at again, the form says so
            form.full_clean()
        else:
            messages.success(request, _("已保存%(name)s。") % {"name": kept.name})
            _say(request, done)
            return redirect("exams:device", kept.pk) if pk else redirect("exams:device_hours", kept.pk)
    context = {"form": form, "device": row if pk else None, **reach.frame(request)}
    return render(request, "exams/devices/device.html", context, status=422 if form.errors else 200)


def _house(request: HttpRequest) -> Organization:
    """Of a new device: the one that is asked for, or the first in reach."""
    rows = Organization.objects.filter(pk__in=reach.houses(request, *reach.KEEPERS)).order_by("pk")
    asked = request.GET.get("house", "")
    found = rows.filter(pk=asked).first() if asked.isdecimal() and len(asked) < 10 else None
    found = found or rows.first()
    if found is None:
        raise NotAllowed
    return found


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*reach.KEEPERS)
def hours(request: HttpRequest, pk: int) -> HttpResponse:
    """The device's week from a day on, with what is held back; what could not be changed is said."""
    row, now = reach.device(request, pk, *reach.KEEPERS), clock.now()
    today, whose = clock.today(now), forms.whose_choices(row.organization)
    stretches, reserves = forms.initial_of(row, day=today)
    data = request.POST if request.method == "POST" else None
    first = forms.FromForm(data, today=today, initial={"first_day": today})
    week = forms.StretchSet(data, initial=stretches, prefix="h")
    held = forms.ReserveSet(data, initial=reserves, prefix="r", form_kwargs={"whose": whose})
    valid = data is not None and all([first.is_valid(), week.is_valid(), held.is_valid()])
    if valid:
        try:
            done = keeping.keep_hours(
                device=row, first_day=first.cleaned_data["first_day"], hours=forms.weekly(week),
                reserves=forms.reserved(held), by=request.user, now=now,
            )  # fmt: skip
        except HoursRefused as refusal:
            first.add_error(None, refusal.in_full)
        else:
            messages.success(request, _("已保存%(name)s的开机时间。") % {"name": row.name})
            _say(request, done)
            return redirect("exams:device_hours", pk)
    coming = DeviceHours.objects.filter(device=row, effective_from__gt=today).order_by("effective_from").first()
    context = {"device": row, "first": first, "week": week, "held": held, "coming": coming, **reach.frame(request)}
    wrong = data is not None and bool(first.errors or any(week.errors) or any(held.errors))
    return render(request, "exams/devices/hours.html", context | {"wrong": wrong}, status=422 if wrong else 200)


def _say(request: HttpRequest, done: Fitted) -> None:
    """What followed for the coming days, and which stayed as they were."""
    said = {"added": done.added, "changed": done.changed, "removed": done.removed}
    messages.info(request, _("以后的日子：新排 %(added)s 段，改 %(changed)s 段，撤 %(removed)s 段。") % said)
    for left in done.left[:10]:
        where = {"day": f"{left.day:%m-%d}", "n": left.booked}
        messages.warning(request, _("%(day)s 没有改：已约 %(n)s 项检查。需要改时请先登记停机。") % where)
    if len(done.left) > 10:
        messages.warning(request, _("还有 %(n)s 天没有改，原因相同。") % {"n": len(done.left) - 10})


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*reach.READERS)
def zones(request: HttpRequest) -> HttpResponse:
    """Zones and the minutes between them."""
    houses, mine = reach.houses(request), reach.whole_houses(request)
    keeps, what = bool(mine), request.POST.get("what", "")
    zone = forms.ZoneForm(request.POST if what == "zone" else None, organizations=mine, prefix="z")
    walk = forms.WalkForm(request.POST if what == "walk" else None, organizations=mine, prefix="w")
    if request.method == "POST":
        if not keeps:
            raise NotAllowed
        if what == "zone" and zone.is_valid():
            try:
                with transaction.atomic():
                    _kept(request, ExamZone.objects.create(**zone.cleaned_data), "examzone")
            except IntegrityError:  # as of a device
                zone.full_clean()
            else:
                return redirect("exams:exam_zones")
        if what == "walk" and walk.is_valid():
            _walk(request, **walk.cleaned_data)
            return redirect("exams:exam_zones")
    rows = ExamZone.objects.filter(campus__organization__in=houses).select_related("campus")
    walks = WalkingTime.objects.filter(one__campus__organization__in=houses).select_related(
        "one__campus", "other__campus"
    )
    context = {
        "zones": rows.annotate(count=Count("devices")).order_by("campus", "name"),
        "walks": walks.order_by("one", "other"),
        "zone": zone if keeps else None,
        "walk": walk,
        **reach.frame(request),
    }
    return render(request, "exams/devices/zones.html", context, status=422 if zone.errors or walk.errors else 200)


@transaction.atomic
def _walk(request: HttpRequest, *, one: ExamZone, other: ExamZone, minutes: int) -> None:
    low, high = sorted((one, other), key=lambda zone: zone.pk)
    before = WalkingTime.objects.filter(one=low, other=high).values_list("minutes", flat=True).first()
    row, _new = WalkingTime.objects.update_or_create(one=low, other=high, defaults={"minutes": minutes})
    _kept(request, row, "walkingtime", before={"walk_minutes": before}, after={"walk_minutes": minutes})


def _kept(request: HttpRequest, row, kind: str, **detail) -> None:
    audit.record(
        action=f"{kind}.kept", actor=request.user, now=clock.now(), subject=f"{kind}:{row.pk}", detail=detail,
        request=request,
    )  # fmt: skip
    messages.success(request, _("已保存。"))


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*reach.READERS)
def teams(request: HttpRequest) -> HttpResponse:
    """How many exams a team can do at once. A smaller size holds for what is booked from now on."""
    houses, mine = reach.houses(request), reach.whole_houses(request)
    keeps = bool(mine)
    form = forms.TeamForm(request.POST if request.method == "POST" else None, organizations=mine)
    if request.method == "POST":
        if not keeps:
            raise NotAllowed
        if form.is_valid():
            said = form.cleaned_data
            before = (
                StaffTeam.objects.filter(organization=said["organization"], name=said["name"]).values("size").first()
            )
            row, _new = StaffTeam.objects.update_or_create(
                organization=said["organization"], name=said["name"], defaults={"size": said["size"]}
            )
            _kept(request, row, "staffteam", before=before or {}, after={"size": row.size})
            return redirect("exams:exam_teams")
    rows = StaffTeam.objects.filter(organization__in=houses).prefetch_related("devices")
    context = {"teams": rows.order_by("organization", "name"), "form": form if keeps else None, **reach.frame(request)}
    return render(request, "exams/devices/teams.html", context, status=422 if form.errors else 200)
