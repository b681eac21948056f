"""The way from a staff page to what was said to its reader."""

from django import template

from hospital.models import Message

register = template.Library()


@register.inclusion_tag("messages/_door.html")
def messages_door(user) -> dict:
    """消息, with how many are unread. One query."""
    said = Message.objects.filter(user=user, channel=Message.Channel.INAPP, status=Message.Status.SENT, read_at=None)
    return {"unread": said.count() if user.is_authenticated else 0}
