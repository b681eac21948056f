"""What must be true of exams at any moment: joins the house's invariants (appointments.invariants)."""

from appointments.invariants import Invariant, join

LIVE = "('pending', 'booked', 'arrived', 'called', 'running')"

INVARIANTS = (
    Invariant(
        "exam_holds_its_patient",
        "Every exam that holds its time holds its patient's, exactly the stay (exam booking ids).",
        """SELECT b.id FROM exams_exambooking b
             LEFT JOIN hospital_patienttime t ON t.source = 'exam' AND t.source_id = b.id
                   AND t.patient_id = b.patient_id AND t.during = b.stay
            WHERE b.holds AND t.id IS NULL""",
    ),
    Invariant(
        "exam_patient_time_is_held",
        "No exam that holds nothing keeps a patient's time (patient time ids).",
        """SELECT t.id FROM hospital_patienttime t LEFT JOIN exams_exambooking b ON b.id = t.source_id AND b.holds
            WHERE t.source = 'exam' AND b.id IS NULL""",
    ),
    Invariant(
        "exam_request_agrees_with_booking",
        "A booked request has a live booking, an open one has none (exam request ids).",
        f"""SELECT r.id FROM exams_examrequest r
            WHERE r.status IN ('open', 'booked')
              AND (r.status = 'booked') <> EXISTS (SELECT 1 FROM exams_exambooking b
                                                    WHERE b.request_id = r.id AND b.status IN {LIVE})""",  # noqa: S608
    ),
    Invariant(
        "exam_is_its_requests",
        "A booking is of its request's patient and exam, and a done one's request is done (exam booking ids).",
        """SELECT b.id FROM exams_exambooking b JOIN exams_examrequest r ON r.id = b.request_id
            WHERE b.patient_id <> r.patient_id OR b.variant_id <> r.variant_id
               OR b.status = 'done' AND r.status <> 'done'""",
    ),
    Invariant(
        "no_exam_while_its_device_is_down",
        "Nobody is booked on a device that is down (exam booking ids).",
        """SELECT b.id FROM exams_exambooking b
             JOIN exams_downtime d ON d.device_id = b.device_id AND d.stands AND d.during && b.during
            WHERE b.holds AND b.status IN ('pending', 'booked')""",
    ),
    Invariant(
        "displaced_exam_is_asked_about",
        "An exam whose time a downtime took has an open question to its patient (exam booking ids).",
        """SELECT b.id FROM exams_exambooking b
            WHERE NOT b.holds AND b.status IN ('booked', 'arrived', 'called')
              AND NOT EXISTS (SELECT 1 FROM exams_downtimecase c WHERE c.booking_id = b.id AND c.answer = '')""",
    ),
    Invariant(
        "no_exam_hold_outlives_its_clock",
        "No hold stands ten minutes after its clock; if one does, the worker is down (exam booking ids).",
        "SELECT id FROM exams_exambooking WHERE status = 'pending' AND hold_until < %(late)s",
    ),
    Invariant(
        "exam_noshow_agrees",
        "An exam's no-show has its row, and nothing else has one (exam booking ids).",
        """SELECT b.id FROM exams_exambooking b LEFT JOIN exams_examnoshow n ON n.booking_id = b.id
            WHERE (b.status = 'noshow') <> (n.id IS NOT NULL)""",
    ),
    Invariant(
        "critical_value_has_a_notice",
        "A released critical value was told to somebody (report version ids).",
        """SELECT v.id FROM exams_reportversion v LEFT JOIN exams_criticalnotice n ON n.version_id = v.id
            WHERE v.critical AND v.released_at IS NOT NULL AND n.id IS NULL""",
    ),
)

join(*INVARIANTS)
