"""What every JSON endpoint under /api/v1/ shares: who calls, what is refused and how, pages of rows, the document.

Ordinary endpoints are Django REST framework with the settings' defaults; the three hot ones (appointments/api/hot.py)
are plain views. Both answer errors with the same body: {code, message, next}, and `fields` where a field is to blame.
"""
