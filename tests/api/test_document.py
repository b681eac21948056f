"""The OpenAPI document: complete and valid, true to the addresses, in two forms, and its page."""

import json
from io import StringIO

import pytest
import yaml
from django.core.management import call_command
from django.urls import get_resolver

from hospital.api import schema

HIDDEN = {"api_schema", "api_docs"}
ALWAYS = {"401", "403", "406", "503"}


def operations(document):
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in {"get", "post", "put", "patch", "delete"}
    ]


@pytest.fixture(scope="module")
def document():
    return json.loads(schema.written("json"))


def test_the_document_is_valid_and_without_a_warning():
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO(), stderr=StringIO())


def test_every_address_under_the_version_is_described(document):
    def walk(patterns, prefix=""):
        for pattern in patterns:
            path = prefix + str(pattern.pattern)
            if hasattr(pattern, "url_patterns"):
                yield from walk(pattern.url_patterns, path)
            elif path.startswith("api/v1/") and pattern.name not in HIDDEN:
                yield "/" + path.replace("<int:", "{").replace("<str:", "{").replace(">", "}")

    assert {path.replace("{pk}", "{id}") for path in walk(get_resolver().url_patterns)} == {
        path.replace("{pk}", "{id}") for path in document["paths"]
    }


def test_every_operation_has_a_name_a_summary_a_tag_a_credential_and_its_refusals(document):
    found = operations(document)
    tags = {tag["name"] for tag in document["tags"]}
    assert len({operation["operationId"] for _path, _method, operation in found}) == len(found)
    for path, method, operation in found:
        name = f"{method} {path}"
        assert operation["summary"], name
        assert operation["description"], name
        assert set(operation["tags"]) <= tags, name
        assert operation["security"] == [{"token": []}], name
        expected = ALWAYS | ({"404"} if "{" in path else set())
        expected |= {"409", "413", "415", "422", "429"} if method == "post" else set()
        assert expected <= set(operation["responses"]), name
        for status, response in operation["responses"].items():
            assert response["description"], (name, status)
            if status >= "400":
                reference = response["content"]["application/json"]["schema"]["$ref"]
                assert reference == "#/components/schemas/Error", (name, status)


def test_the_document_speaks_english_and_refers_to_nothing_that_is_missing(document):
    text = json.dumps(document)
    for name in {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in document["components"]["schemas"], name
    assert document["openapi"] == "3.1.0"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "accept", "kind", "read"),
    [
        ("", "*/*", "application/json", json.loads),
        ("?format=yaml", "*/*", "application/yaml", yaml.safe_load),
        ("", "application/yaml", "application/yaml", yaml.safe_load),
        ("", "application/vnd.oai.openapi+json", "application/vnd.oai.openapi+json", json.loads),
    ],
)
def test_a_stranger_may_read_the_document_in_either_form(client, document, query, accept, kind, read):
    answer = client.get(f"/api/v1/schema/{query}", headers={"Accept": accept})

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)
    assert read(answer.content) == document


@pytest.mark.django_db
def test_another_form_is_not_acceptable(client):
    assert client.get("/api/v1/schema/?format=xml").status_code == 406


@pytest.mark.django_db
def test_the_page_of_the_document_passes_our_own_content_security_policy(client):
    answer = client.get("/api/v1/docs/")

    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    page = answer.content.decode()
    assert "<style" not in page
    assert "<script>" not in page
    assert "http://" not in page
    assert "https://" not in page
