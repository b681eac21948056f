"""The roof's address table."""

from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language

from .views import duplicates, edition, family, health, home, me, messages, personal_data, privacy, sign_in, window

urlpatterns = [
    path("", home.landing, name="home"),
    path("api/v1/", include("hospital.api.urls")),
    path("healthz/live", health.live, name="healthz-live"),
    path("healthz/ready", health.ready, name="healthz-ready"),
    path("messages/", messages.mine, name="messages"),
    path("messages/read", messages.read, name="messages-read"),
    path("inbox/", messages.inbox, name="inbox"),
    path("accounts/", include("hospital.views.account_urls")),
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-in/code/", sign_in.code, name="sign_in_code"),
    path("sign-in/person/", sign_in.person, name="sign_in_person"),
    path("sign-in/again/", sign_in.code_again, name="code_again"),
    path("sign-in/inbox/", sign_in.inbox, name="sign_in_inbox"),
    path("me/", me.me, name="me"),
    path("me/phone/", me.phone, name="me_phone"),
    path("me/phone/code/", me.phone_code, name="me_phone_code"),
    path("me/language/", me.language, name="me_language"),
    path("me/family/", family.people, name="family"),
    path("me/family/add/", family.add, name="family_add"),
    path("me/family/code/", family.code, name="family_code"),
    path("me/family/<int:pk>/", family.member, name="family_member"),
    path("me/family/<int:pk>/end/", family.end, name="family_end"),
    path("me/family/<int:pk>/consent/", privacy.person, name="consent_person"),
    path("me/consent/", privacy.ask, name="privacy_ask"),
    path("me/privacy/", privacy.overview, name="privacy"),
    path("me/privacy/<int:pk>/withdraw/", privacy.withdraw, name="consent_withdraw"),
    path("me/export/", personal_data.export, name="export"),
    path("me/correction/", personal_data.correction, name="correction"),
    path("me/erasure/", personal_data.erasure, name="erasure"),
    path("me/requests/<int:pk>/drop/", personal_data.drop, name="request_drop"),
    path("notices/<str:kind>/", privacy.notice, name="notice"),
    path("notices/<str:kind>/<int:version>/", privacy.notice, name="notice_version"),
    path("desk/patients/<int:pk>/bind/", window.bind, name="desk_bind"),
    path("desk/patients/<int:pk>/bind/<int:row>/end/", window.end, name="desk_unbind"),
    path("desk/patients/<int:pk>/correct/", window.correct, name="desk_correct"),
    path("office/duplicates/", duplicates.duplicates, name="duplicates"),
    path("office/duplicates/<int:pk>/", duplicates.duplicate, name="duplicate"),
    path("office/duplicates/<int:pk>/differ/", duplicates.differ, name="duplicate_differ"),
    path("office/duplicates/merges/", duplicates.merges, name="merges"),
    path("office/duplicates/merges/<int:pk>/undo/", duplicates.undo, name="merge_undo"),
    path("edition/", edition.edition, name="edition"),
    path("language/", set_language, name="set_language"),
    path("admin/", admin.site.urls),
    path("", include("appointments.urls")),
    path("", include("exams.urls")),
    path("", include("referrals.urls")),
    path("", include("billing.urls")),
]

handler400 = "hospital.views.errors.bad_request"
handler403 = "hospital.views.errors.forbidden"
handler404 = "hospital.views.errors.not_found"
handler500 = "hospital.views.errors.server_error"
