"""英文目录: complete at all times (V5). `make messages` brings it up to date."""

import re

import polib
import pytest
from django.conf import settings
from django.utils import translation

from hospital import catalogue
from hospital.models import Role
from tests.factories import StaffFactory


@pytest.fixture(scope="module")
def english():
    return polib.pofile(str(catalogue.po_path()))


def test_every_sentence_of_the_house_has_its_english(english):
    assert catalogue.problems(english) == []


def test_the_compiled_catalogue_is_the_written_one(english):
    compiled = catalogue.po_path().with_suffix(".mo")
    assert compiled.read_bytes() == english.to_binary()


def test_the_house_speaks_english_when_asked():
    with translation.override("en"):
        assert translation.gettext("已预约") == "Booked"
        assert translation.ngettext("%(counter)s 分钟", "%(counter)s 分钟", 1) == "%(counter)s minute"
    with translation.override("zh-hans"):
        assert translation.gettext("已预约") == "已预约"


def test_what_the_extractor_finds():
    code = '_("甲") + gettext("乙") + ngettext("丙", "丁", 2) + f"{_(\'戊\')}" + _(variable) + other("己")'
    code += ' + pgettext("庚", "甲") + npgettext("辛", "丙", "丁", 2) + pgettext("壬", variable)'
    found = {(sentence.context, sentence.text, sentence.plural) for sentence in catalogue._of_python(code, "x")}
    assert found == {
        (None, "甲", ""), (None, "乙", ""), (None, "丙", "丁"), (None, "戊", ""), ("庚", "甲", ""), ("辛", "丙", "丁")
    }  # fmt: skip


AS_WRITTEN = {"templates/components/_language.html": "中文", "templates/me/me.html": "简体中文"}
"""Names of the language itself."""

MARKED = (
    r"{#.*?#}", r"{% comment %}.*?{% endcomment %}", r"{% blocktranslate.*?{% endblocktranslate %}",
    r'{% translate "[^"]*".*?%}', r'_\("[^"]*"\)',
)  # fmt: skip


def test_no_template_writes_chinese_past_the_catalogue():
    """V5: not even a comma: ， between two translated words stays Chinese on an English page."""
    found = {}
    for path in sorted((settings.BASE_DIR / "templates").rglob("*.*")):
        name, text = path.relative_to(settings.BASE_DIR).as_posix(), path.read_text()
        for marked in MARKED:
            text = re.sub(marked, "", text, flags=re.S)
        left = catalogue.HAN.findall(text.replace(AS_WRITTEN.get(name, "\0"), ""))
        if left:
            found[name] = left
    assert found == {}


PAGES = [
    "/", "/accounts/2fa/", "/accounts/2fa/totp/activate/", "/accounts/password/change/", "/accounts/password/reset/",
    "/accounts/logout/", "/messages/", "/inbox/", "/desk/", "/office/", "/admin/", "/admin/hospital/rolepolicy/",
    "/admin/appointments/slot/", "/nowhere/",
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES)
def test_a_page_in_english_has_no_chinese_left(client, path):
    """Beside names: of people, of the hospital, and of the language to go back to."""
    user = StaffFactory(roles=[role for role in Role.values if role != "doctor"], full_name="Anna Berg")
    client.force_login(user)
    client.post("/accounts/reauthenticate/", {"password": "correct horse battery"})
    client.post("/language/", {"language": "en", "next": "/"})
    page = client.get(path).content.decode()
    visible = re.sub(r"<script.*?</script>|<!--.*?-->", "", page, flags=re.S)
    for name in ("江州市中心医院", "中文"):
        visible = visible.replace(name, "")
    assert sorted(set(re.findall(r"[\u3400-\u9fff]+", visible))) == []
