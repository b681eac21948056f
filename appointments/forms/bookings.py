"""Shapes of input of a patient's own booking pages."""

from datetime import UTC, datetime

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from hospital import plain

LARGEST_ID = 2**63 - 1  # bigint


class IdField(forms.IntegerField):
    """A row's number. One that the database could not even hold is no number."""

    def __init__(self, **kwargs):
        super().__init__(min_value=1, max_value=LARGEST_ID, **kwargs)


def _moment(text: str) -> datetime:
    """ISO 8601 with its offset, as UTC. A plus sign that an address lost has become a blank: it is put back."""
    try:
        moment = datetime.fromisoformat(text.strip().replace(" ", "+"))
        if moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValidationError(_("时间写得不对。")) from None


class MomentField(forms.Field):
    """A moment as it stands in an address."""

    def to_python(self, value):
        return _moment(str(value)[:40]) if value else None


class SliceField(forms.Field):
    """`<schedule>@<start>`: one radio of the slots page. Gives (schedule, start)."""

    def to_python(self, value):
        schedule, at, start = str(value or "")[:80].partition("@")
        return (IdField().clean(schedule), _moment(start)) if at else None


class ChoiceForm(plain.Form):
    """Which slice, in the address: `slot=12@…`, or `schedule=12&start=…`; and for whom, if that was said before."""

    slot = SliceField(required=False)
    schedule = IdField(required=False)
    start = MomentField(required=False)

    def clean(self):
        said = super().clean()
        if said.get("slot"):
            said["schedule"], said["start"] = said["slot"]
        if not (said.get("schedule") and said.get("start")):
            raise ValidationError(_("请先选一个就诊时段。"))
        return said


class PersonForm(plain.Form):
    """Whom the list is narrowed to, or who is meant; a wrong value is as if it were not there."""

    patient = IdField(required=False)

    def said(self) -> int | None:
        self.is_valid()
        return self.cleaned_data.get("patient")


class BookForm(plain.Form):
    """The one POST of step 4. Whose person it is, is asked of the account."""

    patient = forms.TypedChoiceField(
        coerce=int, label=_("就诊人"), error_messages={"required": _("请先选一位就诊人。")}
    )
    request_key = forms.UUIDField()

    def __init__(self, *args, people, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["patient"].choices = [(each.patient_id, str(each.patient_id)) for each in people]
        self.fields["patient"].error_messages["invalid_choice"] = _("请从自己的就诊人里选一位。")


class KeyForm(plain.Form):
    """A button whose second click must be the first one's answer."""

    request_key = forms.UUIDField(required=False)


class ChangeForm(plain.Form):
    """改约: the slice to move to."""

    slot = SliceField(error_messages={"required": _("请先选一个就诊时段。")})
    request_key = forms.UUIDField()


class DayForm(plain.Form):
    """Which day of the strip is open; a wrong value is as if it were not there."""

    day = forms.DateField(required=False)

    def said(self):
        self.is_valid()
        return self.cleaned_data.get("day")
