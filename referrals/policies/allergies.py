"""What somebody wrote under 过敏史. Pure."""

import re

_PUNCTUATION = re.compile(r"[\s，,。.、；;：:/（）()“”\"]+")
_DENIED = re.compile(
    r"(患者|本人|自述|家属)*(无|没有|否认|未发现|未见|暂无|nkda|nka|none|no)"
    r"(已知|明确|明显|任何|有)*(药物|药品|食物|其他|及|和|与|或|接触物)*(过敏)?(史|物|记录)?"
)


def names_one(text: str) -> bool:
    """Whether it names what the patient must not get: 无 and 否认药物过敏史 are no reason for alarm. What is not
    plainly a denial counts as a name: better one alarm too many."""
    said = _PUNCTUATION.sub("", text or "").lower()
    return bool(said) and _DENIED.fullmatch(said) is None
