"""医生, their 出诊身份, and 专家团队."""

from collections import defaultdict

from django.db.models import F, Q

from appointments.services.importing.matching import Import, Wanted, bring, deactivate
from appointments.services.importing.places import sounds
from appointments.services.importing.report import CHANGED, Change
from hospital import pinyin
from hospital.models import CareTeam, CareTeamMember, Practitioner, PractitionerRole
from hospital.workbook import spec
from hospital.workbook.sheet import Content

AT_HOME = Q(practitioner__organization=F("department__organization"))
"""Roles that a workbook speaks of. What a doctor does at another house rests on a contract, and is arranged there."""


def doctors(run: Import, content: Content) -> None:
    """People first, then what they are in which department. Who is off duty has no role in use either."""
    homes, departments = run.places["organization"], run.places["department"]
    known = Practitioner.objects.filter(organization__in=homes.values()).select_related("organization")
    on_duty = {row.code for row in content["doctor"] if row.active}
    wanted: dict[tuple, Wanted] = {}
    for row in content["doctor"]:
        home = departments[row.department].organization
        values = {name: row.values[name] for name in ("code", "name", "sex", "title", "specialty_text")}
        values |= sounds(row, pinyin.of_person) | {"organization": home, "active": row.code in on_duty}
        wanted.setdefault((home.code, row.code), Wanted((home.code, row.code), row.number, row.name, values))
    people = bring(
        run, model=Practitioner, sheet=spec.DOCTORS,
        existing={(row.organization.code, row.code): row for row in known},
        wanted=wanted.values(), retire=deactivate(run),
    )  # fmt: skip
    run.places["practitioner"] = people
    _roles(run, content)


def _roles(run: Import, content: Content) -> None:
    departments, services = run.places["department"], run.places["service"]
    known = PractitionerRole.objects.filter(AT_HOME, practitioner__organization__in=run.places["organization"].values())
    known = known.select_related("practitioner", "department", "service")
    existing = {(row.practitioner_id, row.department_id, row.service_id): row for row in known}
    wanted, keys = [], {}
    for row in content["doctor"]:
        department = departments[row.department]
        home = department.organization.code
        person, service = run.places["practitioner"][home, row.code], services[home, row.service]
        key = (person.pk, department.pk, service.pk)
        keys[row.code, row.department, row.service] = key
        values = {"practitioner": person, "department": department, "service": service, "active": row.active}
        wanted.append(Wanted(key, row.number, f"{row.name} {department}", values))
    placed = bring(
        run, model=PractitionerRole, sheet=spec.DOCTORS, existing=existing, wanted=wanted, retire=deactivate(run)
    )
    run.places["role"] = {code: placed[key] for code, key in keys.items()}


def teams(run: Import, content: Content) -> None:
    homes, departments, services = (run.places[key] for key in ("organization", "department", "service"))
    known = CareTeam.objects.filter(organization__in=homes.values()).select_related("organization")
    wanted = []
    for row in content["team"]:
        department = departments[row.department]
        home = department.organization
        values = {name: row.values[name] for name in ("code", "name", "introduction", "active")} | sounds(row)
        values |= {"organization": home, "department": department, "service": services[home.code, row.service]}
        wanted.append(Wanted((home.code, row.code), row.number, row.name, values))
    placed = bring(
        run, model=CareTeam, sheet=spec.TEAMS,
        existing={(row.organization.code, row.code): row for row in known},
        wanted=wanted, retire=deactivate(run),
    )  # fmt: skip
    run.places["team"] = {key[1]: row for key, row in placed.items()}
    _members(run, content)


def _members(run: Import, content: Content) -> None:
    """Who is in a team is part of the team's row: a name taken out of the cell is out of the team."""
    roles = defaultdict(dict)
    for (code, department, _service), role in run.places["role"].items():
        roles[code].setdefault(department, role)
    members = CareTeamMember.objects.filter(team__in=run.places["team"].values()).select_related("role__practitioner")
    before: dict[int, dict[int, CareTeamMember]] = defaultdict(dict)
    for member in members:
        before[member.team_id][member.role_id] = member
    for row in content["team"]:
        team = run.places["team"][row.code]
        wanted = {}
        for code in (row.leader, *(row.members or ())):
            role = roles[code].get(row.department) or next(iter(roles[code].values()))
            wanted[role.pk] = (role, code == row.leader)
        _seat(run, row, team, before[team.pk], wanted)


def _seat(run: Import, row, team: CareTeam, before: dict[int, CareTeamMember], wanted: dict) -> None:
    """Those who leave or stop leading first: a team never has two leaders, not even for a moment."""
    was = [_name(member.role, member.leader) for member in before.values() if member.active]
    now = [_name(role, leader) for role, leader in wanted.values()]
    leaving = [member for key, member in before.items() if member.active and key not in wanted]
    for member in leaving:
        member.active = False
        member.save(update_fields=["active"])
    staying = [(before[key], leader) for key, (_role, leader) in wanted.items() if key in before]
    changed = [(member, leader) for member, leader in staying if (member.leader, member.active) != (leader, True)]
    for member, leader in sorted(changed, key=lambda pair: pair[1]):
        member.leader, member.active = leader, True
        member.save(update_fields=["leader", "active"])
    joining = [
        CareTeamMember(team=team, role=role, leader=leader)
        for key, (role, leader) in wanted.items()
        if key not in before
    ]
    CareTeamMember.objects.bulk_create(joining)
    if before and (leaving or changed or joining):
        fields = {"成员": ("、".join(sorted(was)), "、".join(sorted(now)))}
        run.report.changes.append(Change(CHANGED, spec.TEAMS.title, row.number, row.name, fields))


def _name(role: PractitionerRole, leader: bool) -> str:
    return f"{role.practitioner.name}（领衔）" if leader else role.practitioner.name
