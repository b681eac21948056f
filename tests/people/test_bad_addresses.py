"""An address that nobody can have typed is no page; it is not an error of ours either."""

import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("address", ["/receipt/%00/", "/receipt/a%00b/", "/api/v1/%00/"])
def test_a_nul_in_an_address_is_no_page(client, address):
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("asked", ["q=%00", "q=%0%000", "house=%00"])
def test_a_nul_in_what_is_asked_is_as_if_it_were_not_there(client, asked):
    assert client.get(f"/prices/?{asked}").status_code == 200
