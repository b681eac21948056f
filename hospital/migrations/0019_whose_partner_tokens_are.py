"""Tokens of lower institutions from before they had to name theirs: the one place where the account works as a lower
institution's operator. Where that says nothing, or several, the token ends: a new one is issued with its institution.
"""

from django.db import migrations

NAME = """
UPDATE hospital_apitoken t
   SET organization_id = held.organization_id
  FROM (SELECT user_id, min(organization_id) AS organization_id FROM hospital_roleassignment
         WHERE role = 'partner' GROUP BY user_id HAVING count(DISTINCT organization_id) = 1) held
 WHERE held.user_id = t.user_id AND t.channel = 'partner' AND t.organization_id IS NULL AND t.system = ''
"""
END = """
UPDATE hospital_apitoken SET revoked_at = now()
 WHERE channel = 'partner' AND organization_id IS NULL AND revoked_at IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [("hospital", "0018_ceiling_of_codes")]

    operations = [migrations.RunSQL([NAME, END], migrations.RunSQL.noop)]
