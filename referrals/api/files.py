"""附件 for programs: the file itself is the body, so that nothing is packed into text."""

from io import BytesIO

from django.core.files.base import File
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.parsers import BaseParser
from rest_framework.response import Response

from hospital import clock
from hospital.api import plain, rates
from hospital.api.endpoint import DetailEndpoint
from hospital.api.errors import Invalid, NotAFile
from hospital.models import Organization
from referrals.models import Attachment
from referrals.policies.moves import Act
from referrals.services import attachments

from .referrals import ReferralRows
from .rows import may
from .shapes import AttachmentOut

NAME = OpenApiParameter(
    "name", {"type": "string", "minLength": 1, "maxLength": 120}, required=True,
    description="The file's name, as people see it.",
)  # fmt: skip
FILE = {"type": "string", "format": "binary", "description": "The file as it is."}
LONGEST_NAME = 120


class Whole(BaseParser):
    """Hands the body on unread: the service reads no more of it than it keeps."""

    def parse(self, stream, media_type=None, parser_context=None):
        return stream


def of(kind: str) -> type[Whole]:
    return type("Whole", (Whole,), {"media_type": kind})


@extend_schema_view(
    post=extend_schema(
        operation_id="attachToReferral",
        tags=["referrals"],
        summary="Attach a file 添加附件",
        parameters=[NAME],
        request=dict.fromkeys(Attachment.Kind.values, FILE),
        responses={201: AttachmentOut},
    )
)
class Attachments(ReferralRows, DetailEndpoint):
    """One PDF, JPEG or PNG, told by its own bytes, up to the hospital's limit (at most 20 MB; 413
    `attachment_too_long`). 409 `attached_already` when it is there; 422 `unfit_file` says what it is instead. Either
    side attaches until the referral ends."""

    serializer_class = AttachmentOut
    parser_classes = [of(kind) for kind in Attachment.Kind.values]
    http_method_names = ["post", "options"]
    takes_parameters = True
    wrong_media = NotAFile

    def post(self, request, pk):
        plain.refuse_parameters_but(request.query_params, known={"name"})
        name = request.query_params.get("name", "")
        if not 1 <= len(name) <= LONGEST_NAME:
            raise Invalid({"name": [f"1 … {LONGEST_NAME}"]})
        row, caller = self.get_object(), request.auth
        may(row, Act.ATTACH, caller)
        rates.spend(caller)
        added = attachments.add(
            referral=row, upload=File(request.data or BytesIO(), name=name), by=caller.user,
            organization=Organization.objects.get(pk=caller.organization_id), now=clock.now(),
        )  # fmt: skip
        return Response(AttachmentOut(added).data, status=201)
