"""英文目录: complete at all times (V5). `make messages` brings it up to date."""

import polib
import pytest
from django.utils import translation

from hospital import catalogue


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
    found = {(sentence.text, sentence.plural) for sentence in catalogue._of_python(code, "x")}
    assert found == {("甲", ""), ("乙", ""), ("丙", "丁"), ("戊", "")}
