"""What is typed or scanned at a kiosk."""

from django import forms

from hospital import plain

from .phone import BookForm


class CodeForm(plain.Form):
    """A whole document number, a medical number, or the code of a booking slip."""

    code = forms.CharField(max_length=80, strip=True)


class LastFourForm(plain.Form):
    last4 = forms.RegexField(r"[0-9A-Za-z]{4}", strip=True)


class KioskBookForm(BookForm):
    """As an operator's; nothing is moved at a kiosk."""

    department = forms.IntegerField(min_value=1, max_value=2**62)
