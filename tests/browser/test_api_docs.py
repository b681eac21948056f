"""The API's page in a real browser: everything from this server, our own content security policy, and a trial."""

from datetime import timedelta

from playwright.sync_api import expect

from hospital import clock
from tests.api.conftest import issue
from tests.factories import AccountFactory, DepartmentFactory


def test_the_document_is_shown_and_tried_out_with_a_token(open_as):
    department = DepartmentFactory(name="心血管内科")
    secret = issue(AccountFactory(), "read", expires_at=clock.now() + timedelta(hours=1))
    page = open_as(None, "/api/v1/docs/")

    expect(page.get_by_text("Hold a number 锁号")).to_be_visible()
    page.get_by_role("button", name="Authorize").first.click()
    page.locator(".auth-container input").fill(secret)
    page.locator(".auth-btn-wrapper .authorize").click()
    page.locator(".auth-btn-wrapper .btn-done").click()
    operation = page.locator("#operations-places-listDepartments")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()

    live = operation.locator(".live-responses-table")
    expect(live).to_contain_text(department.name)
    expect(live.locator(".response-col_status").last).to_contain_text("200")
    assert page.troubles == []
