"""Shapes of input of 候补 (B9)."""

from django import forms

from hospital import plain

from .bookings import BookForm, IdField


class SessionForm(plain.Form):
    """Which half-day, in the address."""

    schedule = IdField()


class JoinForm(BookForm):
    """Who waits. Whose person it is, is asked of the account; a second press finds the entry of the first."""

    request_key = None


class ActForm(plain.Form):
    """What is done with an entry: its number is taken, or the place or the number is given up."""

    ACCEPT, LEAVE = "accept", "leave"

    act = forms.ChoiceField(choices=[(ACCEPT, ACCEPT), (LEAVE, LEAVE)])
