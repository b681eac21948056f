"""Signing in."""

from django.shortcuts import render


def locked_out(request, credentials, *_args, **_kwargs):
    return render(request, "account/locked_out.html", status=429)
