"""A double click, or two of the office at once, leave one of everything (E1, E4)."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client

from appointments.services.defaults import ensure_defaults
from exams.models import ExamGroup, ExamSet, OrderingRule
from exams.services import catalogue, signing
from hospital.models import RoleAssignment
from tests.factories import NOW, OrganizationFactory, UserFactory, exam_variant


@pytest.mark.django_db
def test_the_same_rule_and_the_same_group_written_twice_are_one():
    house, by = OrganizationFactory(), UserFactory()
    first, second = (catalogue.add_group(organization=house, name="新组", by=by, now=NOW) for _each in range(2))
    assert (first.pk, ExamGroup.objects.count()) == (second.pk, 1)

    said = {"first_group": first, "second_group": first, "forward": "other_day", "reverse": "other_day"}

    def write(**more):
        row = OrderingRule(organization=house, name="隔天", why="避免重复", source="科室规定", **said | more)
        return signing.write(row=row, by=by, why="试行", now=NOW)

    once, twice, other = write(), write(), write(forward_minutes=60, reverse_minutes=60)
    assert once.pk == twice.pk != other.pk


@pytest.mark.django_db(transaction=True)
def test_two_who_save_a_set_at_once_are_told_and_nothing_breaks():
    variant = exam_variant()
    house = variant.item.organization
    ensure_defaults(house)
    people = UserFactory.create_batch(3)
    for user in people:
        RoleAssignment.objects.create(user=user, role="office", organization=house)

    def save(user) -> int:
        client = Client(raise_request_exception=False)
        client.force_login(user)
        said = {"code": "AA", "name": "产检", "programme": "产科", "active": "on", "lines": [variant.pk]}
        try:
            return client.post("/office/exams/sets/new/", said).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as crowd:
        assert sorted(crowd.map(save, people)) == [302, 422, 422]
    assert ExamSet.objects.get().lines.get() == variant
