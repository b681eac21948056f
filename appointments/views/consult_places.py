"""The middle of the consult-room page: where and when this patient can be booked, and why not."""

from functools import cached_property

from django.utils.translation import gettext as _

from appointments.errors import NeedsTeamReferral
from appointments.forms.consult import ReferralForm
from appointments.models.rules import Channel
from appointments.policies import booking as policy
from appointments.selectors import consult, find, rules
from appointments.selectors.extras import given_extras
from hospital.errors import Refused
from hospital.models import HealthcareService

from .consult_options import Option


class Places:
    """The part of Page that is chosen from. Uses the page's doctor, patient, wish, form, today and now."""

    # ---- where: numbers and places ----

    @cached_property
    def pools(self) -> rules.ChannelPools:
        return rules.pools_for(Channel.CONSULT, organization_id=self.doctor.organization_id, day=self.today)

    @cached_property
    def open_levels(self) -> list[str] | None:
        return rules.consult_levels(self.doctor.organization_id, day=self.today)

    def level_refusal_of(self, level: str) -> Refused | None:
        return policy.refusal_by_level(channel=Channel.CONSULT, level=level, levels=self.open_levels)

    @cached_property
    def strip(self) -> consult.Strip:
        rows = consult.sources(self.wish, doctor=self.doctor, patient=self.patient, now=self.now)
        return consult.strip(self.wish, rows=rows, pools=self.pools, patient=self.patient, now=self.now)

    @cached_property
    def can_choose_time(self) -> bool:
        wish = self.wish
        return {
            "own": True,
            "other": bool(wish.role or (wish.department and wish.level and not self.level_refusal_of(wish.level))),
            "team": bool(wish.team),
            "leader": bool(wish.team and self.referral),
        }.get(wish.kind, False)

    @property
    def closed(self) -> Refused | None:
        """Why nothing of the chosen session may be booked from here, the same policy that the service asks (B4)."""
        chosen = self.strip.chosen
        return self.level_refusal_of(chosen.schedule.service.level) if chosen else None

    @property
    def sessions(self) -> list[dict]:
        chosen = self.strip.chosen
        return [
            {"session": one, "chosen": one is chosen, "href": self.href(schedule=one.schedule.pk)}
            for one in self.strip.sessions
        ]

    @property
    def names_differ(self) -> bool:
        return self.wish.kind == "other" and not self.wish.role

    @property
    def earlier(self) -> str:
        return self.href(day=max(self.strip.earlier, self.today), weeks=None)

    @property
    def later(self) -> str:
        return self.href(day=self.strip.later, weeks=None)

    @cached_property
    def levels(self) -> list[Option]:
        """Levels of the chosen department, those closed to the consult room with the reason (B2, B4)."""
        if self.wish.kind != "other" or not self.wish.department:
            return []
        return [
            Option(
                str(HealthcareService.Level(level).label),
                href=self.level_href(level),
                chosen=self.wish.level == level,
                refusal=self.level_refusal_of(level),
            )
            for level in find.levels_in(self.wish.department, day=self.today)
        ]

    def level_href(self, level: str) -> str:
        """A department's expert teams are chosen by name, the other levels by day and time."""
        if level == HealthcareService.Level.TEAM:
            return self.place_href(kind="team", department=self.wish.department)
        return self.href(level=level, role=None)

    @property
    def level_refusal(self) -> Refused | None:
        return next((level.refusal for level in self.levels if level.refusal), None)

    @cached_property
    def doctors(self) -> list[Option]:
        if self.wish.kind != "other" or not self.wish.department:
            return []
        return [
            Option(
                role.practitioner.name,
                note=role.practitioner.title,
                href=self.href(role=role.pk, level=None),
                chosen=self.wish.role == role.pk,
                refusal=self.level_refusal_of(role.service.level),
            )
            for role in find.doctors_in(self.wish.department)
        ]

    @cached_property
    def departments(self) -> list[Option]:
        if self.wish.kind != "other" or self.wish.department or self.wish.role:
            return []
        return [
            Option(one.name, note=one.location or str(one.campus or ""), href=self.href(department=one.pk))
            for one in find.departments_of(self.doctor)
        ]

    @cached_property
    def teams(self) -> list[Option]:
        if self.wish.kind != "team" or self.wish.team:
            return []
        lines = find.teams_of(
            self.doctor,
            department=self.wish.department,
            pools=self.pools,
            near=self.wish.day,
            levels=self.open_levels,
            now=self.now,
        )
        closed = self.level_refusal_of(HealthcareService.Level.TEAM)
        return [
            Option(line.name, note=self.team_note(line), href=self.href(team=line.pk), refusal=closed) for line in lines
        ]

    @staticmethod
    def team_note(line: find.Place) -> str:
        if not line.schedule:
            return f"{line.note} {_('近期没有号')}"
        return f"{line.note} {line.schedule.day:%m-%d} {_('余')}{line.left}"

    @cached_property
    def places(self) -> list[dict]:
        """Search results, or without a search the places that this patient most likely goes next."""
        asked = {"pools": self.pools, "near": self.wish.day, "levels": self.open_levels, "now": self.now}
        if self.q:
            found = find.search(self.q, doctor=self.doctor, **asked)
        else:
            department = self.current.department
            found = find.suggestions(doctor=self.doctor, patient=self.patient, department=department, **asked)
        return [self._place(place) for place in found]

    def _place(self, place: find.Place) -> dict:
        href, sort = {
            "department": (self.place_href(department=place.pk), _("科室")),
            "role": (self.place_href(role=place.pk), _("医生")),
            "team": (self.place_href(kind="team", team=place.pk), _("团队")),
        }[place.sort]
        refusal = self.level_refusal_of(place.level) if place.level else None
        return {"place": place, "href": href, "sort": sort, "refusal": refusal}

    @cached_property
    def heading(self) -> str:
        wish, chosen = self.wish, self.strip.chosen if self.can_choose_time else None
        schedule = chosen.schedule if chosen else next((one.schedule for one in self.strip.sessions), None)
        if wish.kind == "own":
            return _("我的出诊")
        if wish.kind == "other" and (wish.role or wish.level) and schedule:
            whom = schedule.actor_name if wish.role else schedule.service.get_level_display()
            return f"{schedule.department.name} {whom}"
        if wish.kind == "team" and schedule:
            return schedule.actor_name
        if wish.kind == "leader":
            return _("组内转诊给领衔专家")
        return _("选团队") if wish.kind == "team" else _("选科室、级别或医生")

    @property
    def subheading(self) -> str:
        notes = {"own": _("诊间号源只对诊室开放"), "team": _("约团队，由成员先看；领衔专家只接组内转诊")}
        return notes.get(self.wish.kind, "")

    @property
    def empty(self) -> tuple[str, str] | None:
        if self.wish.kind == "team" and not self.wish.team and not self.teams:
            return (_("还没有专家团队"), _("团队由门诊办公室建立。"))
        return None

    @cached_property
    def extra(self) -> dict | None:
        """加号 (B10): only to the doctor's own half-days; how many are left, or why there is none."""
        session = self.strip.chosen
        if self.wish.kind != "own" or not session or self.moving:
            return None
        rule = rules.booking_rule_for(session.schedule, day=self.today)
        used = given_extras(session.schedule)
        refusal = self.closed or policy.refusal_to_add_extra(
            session.schedule, extras=used, reason="-", rule=rule, now=self.now
        )
        return {
            "left": max(0, rule.extra_limit - used),
            "refusal": refusal,
            "href": self.href(schedule=session.schedule.pk, extra="on"),
            "asked": bool(self.form.said("extra")) and not refusal,
        }

    # ---- expert team: internal referral (B11) ----

    @cached_property
    def referral_team(self):
        return consult.referable_team(doctor=self.doctor, encounter=self.current)

    @cached_property
    def referral(self):
        """The patient's valid referral to the leader of the team that is wished."""
        if not self.wish.team:
            return None
        return consult.valid_referrals(patient=self.patient, now=self.now).filter(team=self.wish.team).first()

    @property
    def leader_rule(self) -> str:
        if self.wish.kind == "team" and self.wish.team:
            return str(NeedsTeamReferral.message)
        return ""

    @cached_property
    def referral_form(self) -> ReferralForm | None:
        return ReferralForm() if self.wish.kind == "leader" and not self.referral else None
