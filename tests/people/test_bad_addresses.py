"""An address that nobody can have typed is no page; it is not an error of ours either."""

import pytest


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/prices/?q=%00", "/receipt/%00/", "/receipt/a%00b/", "/api/v1/%00/"])
def test_a_nul_in_an_address_is_no_page(client, address):
    assert client.get(address).status_code == 404
