"""Which page of the exams 操作留痕 opens for what was done there."""

from appointments.views.office.audit import PAGES

PAGES.update(
    {
        "device": ("exams:device",),
        "downtime": ("exams:downtime",),
        "downtimecase": ("exams:case_call",),
        "examitem": ("exams:office_item",),
        "examset": ("exams:office_set",),
        "examgroup": ("exams:office_group",),
        "preparation": ("exams:office_signed_one", "preparations"),
        "screeningquestion": ("exams:office_signed_one", "questions"),
        "orderingrule": ("exams:office_signed_one", "rules"),
        "examrule": ("exams:office_numbers_one",),
        "importrun.exams": ("exams:device_sheet",),
    }
)
