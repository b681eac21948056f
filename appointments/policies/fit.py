"""Is this department likely the right one for this person? A question beside the name, never a refusal.

By `Department.specialty`, the national list of clinical departments (诊疗科目名录): 05.01 妇科, 05.02 产科, 07 儿科,
08 小儿外科, 09 儿童保健科, 02 全科医疗科, 03 内科. 05.05 不孕症 and the others of 05 see men, too.
"""

from django.utils.translation import gettext as _

from hospital.models import Patient

WOMEN = ("05.01", "05.02")
CHILDREN = ("07", "08", "09")
PAEDIATRICS = "07"
NEWBORNS = "07.01"
HAS_A_CHILDRENS_TWIN = ("02", "03")

GROWN = 18  # years from which nobody is a child in law
CHILD = 14  # years below which hospitals see a person in 儿科


def _is_of(specialty: str, codes: tuple[str, ...]) -> bool:
    return any(specialty == code or specialty.startswith(f"{code}.") for code in codes)


def doubt(specialty: str, *, sex: str, age: int | None, paediatrics: bool) -> str:
    """Words to put beside a person who hardly fits, or nothing. `paediatrics`: the hospital has a 儿科 to go to."""
    if _is_of(specialty, WOMEN) and sex == Patient.Sex.MALE:
        return _("这个科室看女病人，请确认科室是否合适。")
    if age is None:
        return ""
    if _is_of(specialty, CHILDREN) and age >= GROWN:
        return _("这个科室看小孩，请确认科室是否合适。")
    if paediatrics and age < CHILD and _is_of(specialty, HAS_A_CHILDRENS_TWIN):
        return _("医院有儿科，给孩子看病请确认科室是否合适。")
    return ""


def may_prefer_paediatrics(specialty: str, ages) -> bool:
    """Whether it is worth asking for a 儿科 at all."""
    return _is_of(specialty, HAS_A_CHILDRENS_TWIN) and any(age is not None and age < CHILD for age in ages)
