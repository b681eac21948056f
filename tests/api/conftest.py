"""A program with its token, and the hospital's clock stopped at NOW."""

import json
from datetime import timedelta

import pytest
from django.test import Client

from hospital.models import ApiToken
from tests.factories import NOW, AccountFactory, PatientFactory


@pytest.fixture
def stopped_clock(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def account(db):
    return AccountFactory()


@pytest.fixture
def patient(account):
    return PatientFactory(account=account)


def issue(account, *scopes, channel="app", **fields) -> str:
    """A token's secret."""
    fields = {"name": "app", "expires_at": NOW + timedelta(days=30), **fields}
    return ApiToken.issue(user=account, channel=channel, scopes=list(scopes), **fields)[1]


class Program:
    """Calls the API as a program does: a token, JSON, and a new key for each act unless one is given."""

    def __init__(self, secret: str):
        self.client = Client()
        self.secret = secret
        self.keys = 0

    def get(self, path, query=None, **headers):
        return self.client.get(f"/api/v1{path}", query or {}, headers=self._headers(headers))

    def post(self, path, body=None, *, key=None, content_type="application/json", **headers):
        self.keys += 1
        sent = body if isinstance(body, (str, bytes)) else json.dumps({} if body is None else body)
        headers = {"Idempotency-Key": key or f"key-{self.keys}", **headers}
        return self.client.post(f"/api/v1{path}", data=sent, content_type=content_type, headers=self._headers(headers))

    def _headers(self, more):
        return {"Authorization": f"Bearer {self.secret}", **more}

    def rows(self, path, query=None):
        answer = self.get(path, query)
        assert answer.status_code == 200, answer.content
        return answer.json()["results"]


@pytest.fixture
def program(account, stopped_clock):
    """The account's own app: reads, and books for its people."""
    return Program(issue(account, "read", "book"))
