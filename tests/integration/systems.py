"""A hospital information system beside the house: its token, its key, its messages."""

import json
from datetime import timedelta

from hospital import clock
from hospital.integration import signing
from hospital.models import ApiToken, IntegrationKey
from tests.factories import OrganizationFactory, UserFactory

CARD = "11010519491231002X"  # a woman born on 1949-12-31


class System:
    """What `his` of the first hospital may do, by HTTP only."""

    def __init__(self, client, *, name="his", organization=None, scopes=("integrate",)):
        self.client, self.name = client, name
        self.organization = organization or OrganizationFactory()
        self.token, self.bearer = ApiToken.issue(
            name=name,
            user=UserFactory(),
            channel="counter",
            scopes=list(scopes),
            organization=self.organization,
            system=name,
            expires_at=clock.now() + timedelta(days=400),
        )

    def put(self, path: str, body, **headers):
        return self.client.put(
            f"/api/v1/integration/{path}/",
            data=body if isinstance(body, str | bytes) else json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.bearer}", **headers},
        )

    def patient(self, number="1001", **changes):
        return self.put(f"patients/{number}", person(**changes))

    def visit(self, number="V1", **changes):
        return self.put(f"visits/{number}", changes)

    def key(self) -> IntegrationKey:
        return IntegrationKey.objects.create(
            organization=self.organization, system=self.name, secret=signing.new_secret()
        )


def person(**changes) -> dict:
    body = {
        "name": "周志明",
        "sex": "F",
        "birth_date": "1949-12-31",
        "phone": "13800136210",
        "insurance": "employee",
        "documents": [{"kind": "id_card", "number": CARD}],
        "changed_at": "2026-11-23T09:00:00+08:00",
    }
    return {name: value for name, value in {**body, **changes}.items() if value is not ...}
