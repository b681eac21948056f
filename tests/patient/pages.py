"""A page as a browser without script reads it."""

import re
from urllib.parse import urlencode

from django.test import Client


def read(path, client=None, **headers):
    response = (client or Client()).get(path, headers=headers or None)
    assert response.status_code == 200, response
    return response.content.decode()


def words(path, client=None):
    """What the page says, without its tags."""
    text = re.sub(r"<(svg|script).*?</\1>", "", read(path, client), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def department_page(place, **query):
    return f"/book/departments/{place.pk}/?{urlencode(query)}"
