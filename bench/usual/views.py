"""The usual way, HTTP side: token authentication, a permission, two serializers, a viewset."""

from django.http import JsonResponse
from django.utils.translation import gettext as _
from rest_framework import authentication, exceptions, mixins, permissions, renderers, serializers, viewsets
from rest_framework.response import Response

from appointments.errors import NoSuchPatient
from appointments.models import Appointment
from hospital import clock
from hospital.api.errors import Malformed
from hospital.models import ApiToken, RelatedPerson
from hospital.models.token import digest

from . import booking


class TokenAuthentication(authentication.BaseAuthentication):
    def authenticate(self, request):
        kind, _space, secret = request.headers.get("Authorization", "").partition(" ")
        token = (
            ApiToken.objects.select_related("user")
            .filter(digest=digest(secret), expires_at__gt=clock.now(), revoked_at__isnull=True, user__is_active=True)
            .first()
        )
        if kind.lower() != "bearer" or token is None:
            raise exceptions.AuthenticationFailed()
        return token.user, token

    def authenticate_header(self, request):
        return "Bearer"


class BookingSerializer(serializers.Serializer):
    """What is sent."""

    patient = serializers.IntegerField()
    number = serializers.IntegerField(required=False, allow_null=True)
    start = serializers.DateTimeField(required=False, allow_null=True)

    def validate(self, sent):
        if set(self.initial_data) - set(self.fields):
            raise serializers.ValidationError("unknown field")
        if sent.get("number") is not None and sent.get("start") is not None:
            raise serializers.ValidationError(_("number 和 start 只填一个。"))
        start = self.initial_data.get("start")
        if start and not (start.endswith("Z") or "+" in start[10:] or "-" in start[10:]):
            raise serializers.ValidationError(_("start 必须带时区，例如 2026-12-21T08:30:00+08:00。"))
        return sent


class AppointmentSerializer(serializers.ModelSerializer):
    """What is answered."""

    appointment = serializers.IntegerField(source="pk")
    number = serializers.IntegerField(source="slot.number")
    minutes = serializers.IntegerField(source="slot.minutes")
    hold_until = serializers.DateTimeField(source="slot.hold_until")

    class Meta:
        model = Appointment
        fields = ("appointment", "status", "number", "start", "minutes", "hold_until", "fee")


class AppointmentViewSet(mixins.CreateModelMixin, viewsets.GenericViewSet):
    queryset = Appointment.objects.all()
    serializer_class = AppointmentSerializer
    authentication_classes = (TokenAuthentication,)
    permission_classes = (permissions.IsAuthenticated,)
    renderer_classes = (renderers.JSONRenderer,)

    def create(self, request, *_args, **kwargs):
        key = request.headers.get("Idempotency-Key", "")
        if not 0 < len(key) <= 80:
            raise Malformed(problem=_("请求头 Idempotency-Key 必填，最多80个字符。"))
        sent = self._sent(request)
        if not self._may_book(request.auth, sent["patient"]):
            raise NoSuchPatient()
        appointment, new = booking.book(
            schedule_id=kwargs["schedule_id"], token=request.auth, request_key=key, now=clock.now(), **sent
        )
        return Response(self.get_serializer(appointment).data, status=201 if new else 200)

    def _sent(self, request) -> dict:
        try:
            serializer = BookingSerializer(data=request.data)
            serializer.is_valid(raise_exception=True)
        except (exceptions.ParseError, exceptions.ValidationError) as problem:
            raise Malformed(problem=str(problem.detail)) from None
        return serializer.validated_data

    @staticmethod
    def _may_book(token: ApiToken, patient_id: int) -> bool:
        if ApiToken.Scope.BOOK_ANYONE in token.scopes:
            return True
        own = RelatedPerson.objects.filter(patient=patient_id, account=token.user_id, ended_at=None)
        return ApiToken.Scope.BOOK in token.scopes and own.exists()

    def handle_exception(self, problem):
        if isinstance(problem, exceptions.AuthenticationFailed):
            body = {"code": "unauthorized", "message": _("令牌无效或已过期。"), "next": _("请换用有效的令牌。")}
            return JsonResponse(body, status=401, headers={"WWW-Authenticate": "Bearer"})
        return super().handle_exception(problem)
