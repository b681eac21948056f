"""What a signed-in person's role opens, for the frame of the exam pages."""

from django import template

from hospital import permissions

register = template.Library()


@register.simple_tag
def works_in_the_centre(user) -> bool:
    return permissions.may_work_the_exam_centre(user)
