"""Pinyin of names, so that people are found by what is quickest to type.

pypinyin reads each character by its commonest sound; as a surname some are read otherwise (单 is Shàn, not Dān).
"""

from pypinyin import Style, lazy_pinyin

SURNAMES = {
    "单": "shan", "曾": "zeng", "解": "xie", "仇": "qiu", "区": "ou", "查": "zha", "朴": "piao", "盖": "ge",
    "任": "ren", "华": "hua", "尹": "yin", "翟": "zhai", "缪": "miao", "覃": "qin", "乐": "yue", "员": "yun",
    "折": "she", "种": "chong", "秘": "bi", "冼": "xian", "洗": "xian", "繁": "po", "尉": "wei", "纪": "ji",
    "那": "na", "召": "shao", "黑": "he", "曲": "qu", "过": "guo", "宁": "ning", "谌": "chen",
    "重": "chong", "句": "gou", "逄": "pang", "钭": "tou", "燕": "yan", "应": "ying", "葛": "ge", "万": "wan",
    "哈": "ha", "牟": "mu", "佴": "nai", "亓": "qi", "隗": "kui", "都": "du",
}  # fmt: skip
DOUBLE_SURNAMES = {
    "尉迟": ("yu", "chi"), "万俟": ("mo", "qi"), "单于": ("chan", "yu"), "澹台": ("tan", "tai"),
    "长孙": ("zhang", "sun"), "令狐": ("ling", "hu"), "宰父": ("zai", "fu"), "贺兰": ("he", "lan"),
    "欧阳": ("ou", "yang"), "上官": ("shang", "guan"), "司马": ("si", "ma"), "诸葛": ("zhu", "ge"),
    "皇甫": ("huang", "fu"), "夏侯": ("xia", "hou"), "东方": ("dong", "fang"), "慕容": ("mu", "rong"),
    "宇文": ("yu", "wen"), "公孙": ("gong", "sun"),
}  # fmt: skip


def of_person(name: str) -> tuple[str, str]:
    """Pinyin and initials of a person's name, the surname read as a surname: 单文 → shanwen, sw."""
    if name[:2] in DOUBLE_SURNAMES and len(name) > 2:
        return _joined([*DOUBLE_SURNAMES[name[:2]], *_sounds(name[2:])])
    if name[:1] in SURNAMES:
        return _joined([SURNAMES[name[0]], *_sounds(name[1:])])
    return of_thing(name)


def of_thing(name: str) -> tuple[str, str]:
    """Pinyin and initials of a department, a team, a place: 心血管内科 → xinxueguanneike, xxgnk."""
    return _joined(_sounds(name))


def _sounds(text: str) -> list[str]:
    return lazy_pinyin(text, style=Style.NORMAL, errors=lambda rest: [sign for sign in rest if sign.isalnum()])


def _joined(sounds: list[str]) -> tuple[str, str]:
    """Written as one word each; ü as v, the way it is typed."""
    sounds = [sound.lower().replace("ü", "v") for sound in sounds if sound]
    return "".join(sounds), "".join(sound[0] for sound in sounds)
