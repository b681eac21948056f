"""Phone and kiosk may take the special-group pool, for those it is kept for (P7); and whose the partners' bookings
are, as far as the account that made them says so."""

from django.db import migrations

KINDS = """
UPDATE appointments_channelrule SET kinds = array_append(kinds, 'special')
 WHERE channel IN ('phone', 'kiosk') AND NOT 'special' = ANY (kinds)
"""
BOOKED = """
UPDATE appointments_appointment a SET partner_id = held.organization_id
  FROM (SELECT user_id, min(organization_id) AS organization_id FROM hospital_roleassignment
         WHERE role = 'partner' GROUP BY user_id HAVING count(DISTINCT organization_id) = 1) held
 WHERE a.channel = 'partner' AND a.partner_id IS NULL AND a.by_id = held.user_id
"""


class Migration(migrations.Migration):
    dependencies = [("appointments", "0012_booked_by_an_institution"), ("hospital", "0015_kiosk_stays_signed_in")]

    operations = [migrations.RunSQL(sql, migrations.RunSQL.noop) for sql in (KINDS, BOOKED)]
