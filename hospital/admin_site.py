"""Django's admin for support staff: our own sign-in, lock-out and second factor, and roles instead of is_staff."""

from allauth.account.adapter import get_adapter
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from .errors import NotAllowed
from .permissions import may_open_the_admin


class HospitalAdminSite(AdminSite):
    site_header = _("预约诊疗后台")
    site_title = _("后台")
    index_title = _("查看与设置")
    enable_nav_sidebar = True

    def has_permission(self, request) -> bool:
        return may_open_the_admin(request.user)

    def login(self, request, extra_context=None):
        """There is one sign-in page. Who is in already but has no such role hears so."""
        if request.user.is_authenticated:
            raise NotAllowed
        return redirect_to_login(request.GET.get("next") or "/admin/")

    def logout(self, request, extra_context=None):
        get_adapter(request).logout(request)
        return redirect("account_login")

    def password_change(self, request, extra_context=None):
        return redirect("account_change_password")
