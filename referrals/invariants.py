"""What must be true of referrals at any moment: joins the house's invariants (appointments.invariants)."""

from appointments.invariants import Invariant, join

LAST = "(SELECT max(v.at) FROM referrals_referralevent v WHERE v.referral_id = r.id)"

INVARIANTS = (
    Invariant(
        "referral_agrees_with_its_trail",
        "A referral is in the state that the last step of its trail says (referral ids).",
        """SELECT r.id FROM referrals_referral r
            WHERE r.status IS DISTINCT FROM (SELECT v.status FROM referrals_referralevent v WHERE v.referral_id = r.id
                                              ORDER BY v.id DESC LIMIT 1)""",
    ),
    Invariant(
        "referral_number_is_its_patients",
        "The number of a referral is its patient's, at the hospital that received it (referral ids).",
        """SELECT r.id FROM referrals_referral r
             JOIN appointments_appointment a ON a.id = r.appointment_id
             JOIN appointments_schedule c ON c.id = a.schedule_id
            WHERE a.patient_id <> r.patient_id OR c.organization_id <> r.receiver_id""",
    ),
    Invariant(
        "referral_comes_back_with_its_number_gone",
        "A referral whose number was cancelled or missed ten minutes ago waits in the office again; if one does not, "
        "the worker is down (referral ids).",
        """SELECT r.id FROM referrals_referral r
             JOIN appointments_appointment a ON a.id = r.appointment_id
             LEFT JOIN appointments_noshow n ON n.appointment_id = a.id
            WHERE r.status = 'booked' AND (a.status = 'cancelled' AND a.cancelled_at < %(late)s
                                           OR a.status = 'noshow' AND n.marked_at < %(late)s)""",
    ),
    Invariant(
        "referral_that_waits_has_a_deadline",
        "Whoever must answer or book has a deadline for it: no referral waits for ever (referral ids).",
        """SELECT r.id FROM referrals_referral r
            WHERE r.due_at IS NULL
              AND (r.status IN ('sent', 'answered', 'asked', 'redirected')
                   OR r.status = 'accepted' AND r.direction = 'up' AND r.appointment_id IS NULL)""",
    ),
    Invariant(
        "referral_down_has_a_plan",
        "Who goes down goes with a plan, and is on a follow-up list (referral ids).",
        """SELECT r.id FROM referrals_referral r
            WHERE r.direction = 'down' AND r.status NOT IN ('draft', 'withdrawn')
              AND NOT (EXISTS (SELECT FROM referrals_careplan p WHERE p.referral_id = r.id)
                       AND EXISTS (SELECT FROM referrals_followup f WHERE f.referral_id = r.id))""",
    ),
    Invariant(
        "follow_up_is_its_referrals",
        "Whoever is followed up is the patient who went down; an open one is not of a withdrawn referral "
        "(follow-up ids).",
        """SELECT f.id FROM referrals_followup f JOIN referrals_referral r ON r.id = f.referral_id
            WHERE f.patient_id <> r.patient_id
               OR f.done_at IS NULL AND r.status = 'withdrawn' AND r.ended_at < %(late)s""",
    ),
    Invariant(
        "green_referral_has_its_call",
        "A referral by the green channel rang, and its call ends when the patient came or it ended (referral ids).",
        f"""SELECT r.id FROM referrals_referral r LEFT JOIN referrals_greencall g ON g.referral_id = r.id
             WHERE r.direction = 'up' AND r.urgency = 'green' AND r.sent_at IS NOT NULL
               AND (g.id IS NULL
                    OR g.closed_at IS NULL AND (r.ended_at IS NOT NULL OR r.status IN ('arrived', 'seen'))
                       AND {LAST} < %(late)s)""",  # noqa: S608
    ),
    Invariant(
        "admission_is_its_referrals",
        "An admission asked for out of a referral or a consultation is for its patient (admission ids).",
        """SELECT a.id FROM referrals_admissionrequest a
             LEFT JOIN referrals_referral r ON r.id = a.referral_id
             LEFT JOIN appointments_encounter e ON e.id = a.encounter_id
            WHERE r.patient_id <> a.patient_id OR e.patient_id <> a.patient_id""",
    ),
    Invariant(
        "nothing_open_hangs_on_a_merged_record",
        "No open referral or admission is of a record that was merged into another (patient ids).",
        """SELECT m.merged_id FROM hospital_patientmerge m
            WHERE m.undone_at IS NULL
              AND (EXISTS (SELECT FROM referrals_referral r
                            WHERE r.patient_id = m.merged_id AND r.ended_at IS NULL)
                   OR EXISTS (SELECT FROM referrals_admissionrequest a
                               WHERE a.patient_id = m.merged_id AND a.ended_at IS NULL))""",
    ),
)

join(*INVARIANTS)
