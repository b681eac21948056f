"""Names are found by what is quickest to type; surnames are read as surnames (B2)."""

import pytest

from hospital import pinyin


@pytest.mark.parametrize(
    ("name", "full", "initials"),
    [
        ("王建国", "wangjianguo", "wjg"),
        ("单文", "shanwen", "sw"),
        ("曾庆", "zengqing", "zq"),
        ("解晓东", "xiexiaodong", "xxd"),
        ("仇英", "qiuying", "qy"),
        ("区海", "ouhai", "oh"),
        ("查良", "zhaliang", "zl"),
        ("朴树", "piaoshu", "ps"),
        ("尉迟恭", "yuchigong", "ycg"),
        ("欧阳春", "ouyangchun", "oyc"),
        ("吕丽", "lvli", "ll"),
        ("阿卜杜拉·买买提", "abodulamaimaiti", "abdlmmt"),
    ],
)
def test_a_persons_name(name, full, initials):
    assert pinyin.of_person(name) == (full, initials)


@pytest.mark.parametrize(
    ("name", "initials"),
    [("心血管内科", "xxgnk"), ("重症医学科", "zzyxk"), ("产科（孕妇学校）", "ckyfxx"), ("CT室", "cts")],
)
def test_a_department(name, initials):
    assert pinyin.of_thing(name)[1] == initials
