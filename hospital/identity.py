"""Who is who: sign-in of staff, documents and their check digits, masking."""

from allauth.account.adapter import DefaultAccountAdapter


class StaffAccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request):
        """Staff accounts are made by the administrator."""
        return False
