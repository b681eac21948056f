"""What must be true of the money at any moment: joins the house's invariants (appointments.invariants)."""

from appointments.invariants import Invariant, join

_HELD = """(SELECT coalesce(sum(p.amount), 0) FROM billing_payment p
             WHERE p.invoice_id = i.id AND p.status = 'succeeded')
         - (SELECT coalesce(sum(r.amount), 0) FROM billing_refund r JOIN billing_payment p ON p.id = r.payment_id
             WHERE p.invoice_id = i.id)"""


_NOT_EARNED = f"""{_HELD} + (SELECT coalesce(sum(s.fund_paid + s.account_paid), 0) FROM billing_insurancesettlement s
                             WHERE s.invoice_id = i.id AND s.status IN ('settled', 'reversing'))
               - (SELECT coalesce(sum(c.amount), 0) FROM billing_chargeitem c WHERE c.invoice_id = i.id
                   AND c.earned_at IS NOT NULL AND c.status IN ('paid', 'confirmed', 'returning'))"""  # noqa: S608
"""Received and borne for an invoice, less what is earned of it; below zero the person owes it."""


def _balance(account: str, of: str) -> str:
    return f"""(SELECT coalesce(sum(l.debit - l.credit), 0) FROM billing_ledgerline l
                  JOIN billing_ledgerentry e ON e.id = l.entry_id WHERE l.account_id = '{account}' AND {of})"""  # noqa: S608


def _prepaid(organization: str, of: str) -> str:
    """The rule of the house that was in force when the booking was confirmed has its channel among the prepaid."""
    return f"""{of}.channel = ANY(coalesce((SELECT r.prepaid FROM billing_paymentrule r
                 WHERE r.organization_id = {organization}
                   AND r.effective_from <= ({of}.confirmed_at AT TIME ZONE 'Asia/Shanghai')::date
                   AND (r.effective_to IS NULL
                        OR r.effective_to >= ({of}.confirmed_at AT TIME ZONE 'Asia/Shanghai')::date)
                 ORDER BY r.effective_from DESC, r.id DESC LIMIT 1), '{{}}'))"""  # noqa: S608


_PAID_OR_OWED = """(c.status IN ('paid', 'confirmed', 'returning') OR c.earned_at IS NOT NULL
                     OR (c.status = 'refunded' AND c.why = 'moved'))"""
"""On credit counts as paid; a number moved to where it is charged anew is paid at the visit."""

INVARIANTS = (
    Invariant(
        "ledger_balances",
        "Every entry balances, and is as large as it says (ledger entry ids).",
        """SELECT e.id FROM billing_ledgerentry e LEFT JOIN billing_ledgerline l ON l.entry_id = e.id
            GROUP BY e.id HAVING coalesce(sum(l.debit), 0) <> e.amount OR coalesce(sum(l.credit), 0) <> e.amount""",
    ),
    Invariant(
        "invoice_adds_up",
        "An invoice costs what its live lines cost (invoice ids).",
        """SELECT i.id FROM billing_invoice i WHERE i.total <> (SELECT coalesce(sum(c.amount), 0)
             FROM billing_chargeitem c WHERE c.invoice_id = i.id AND c.status NOT IN ('refunded', 'withdrawn'))""",
    ),
    Invariant(
        "never_more_refunded_than_paid",
        "All refunds of a payment together are at most the payment (payment ids).",
        """SELECT p.id FROM billing_payment p JOIN billing_refund r ON r.payment_id = p.id
            GROUP BY p.id HAVING sum(r.amount) > p.amount OR p.status <> 'succeeded'""",
    ),
    Invariant(
        "nothing_held_too_much",
        "What is held for an invoice is at most what is due, but while the insurance's part is reversed (invoice ids).",
        f"""SELECT i.id FROM billing_invoice i WHERE {_HELD} > i.cash_paid""",  # noqa: S608
    ),
    Invariant(
        "paid_is_covered",
        "A paid invoice is covered to the fen (invoice ids).",
        f"""SELECT i.id FROM billing_invoice i WHERE i.status = 'paid' AND {_HELD} <> i.cash_paid""",  # noqa: S608
    ),
    Invariant(
        "every_fen_has_an_owner",
        "The journal's deposits of an invoice are what was received for it and neither earned nor promised back.",
        f"""SELECT i.id FROM billing_invoice i WHERE -{_balance("deposits", "e.invoice_id = i.id")}
              <> greatest({_NOT_EARNED}, 0)""",  # noqa: S608
    ),
    Invariant(
        "credit_is_owed",
        "What the journal says a patient owes is what was confirmed on credit and not paid, and what the insurance no "
        "longer bears (invoice ids).",
        f"""SELECT i.id FROM billing_invoice i WHERE {_balance("patient_due", "e.invoice_id = i.id")}
              <> (SELECT coalesce(sum(c.amount), 0) FROM billing_chargeitem c WHERE c.invoice_id = i.id
                   AND c.earned_at IS NOT NULL AND c.status = 'open') + greatest(-({_NOT_EARNED}), 0)""",  # noqa: S608
    ),
    Invariant(
        "refunds_are_promised",
        "What the journal promises back is the refunds that are not done (refund ids).",
        f"""SELECT r.id FROM billing_refund r WHERE -{_balance("refunds_due", "e.refund_id = r.id")}
              <> CASE WHEN r.status = 'done' THEN 0 ELSE r.amount END""",  # noqa: S608
    ),
    Invariant(
        "paid_line_is_looked_after",
        "What is paid is confirmed or given back within ten minutes; if not, the worker is down (charge item ids).",
        "SELECT id FROM billing_chargeitem WHERE status = 'paid' AND paid_at < %(late)s",
    ),
    Invariant(
        "confirmed_line_stands",
        "A confirmed line's number or exam is not on hold any more (charge item ids).",
        """SELECT c.id FROM billing_chargeitem c
             LEFT JOIN appointments_appointment a ON a.id = c.appointment_id
             LEFT JOIN exams_exambooking b ON b.id = c.exam_id
            WHERE c.status = 'confirmed' AND (a.status = 'pending' OR b.status = 'pending')""",
    ),
    Invariant(
        "prepaid_is_paid",
        "No number of a prepaid channel is confirmed unpaid, unless it is on credit (appointment ids).",
        f"""SELECT a.id FROM appointments_appointment a JOIN appointments_schedule s ON s.id = a.schedule_id
             WHERE a.fee > 0 AND a.status IN ('booked', 'arrived') AND {_prepaid("s.organization_id", "a")}
               AND NOT EXISTS (SELECT 1 FROM billing_chargeitem c WHERE c.appointment_id = a.id AND {_PAID_OR_OWED})
               AND NOT EXISTS (SELECT 1 FROM hospital_externalrecord x WHERE x.subject = 'appointment:' || a.id)""",  # noqa: S608
    ),
    Invariant(
        "prepaid_exam_is_paid",
        "No exam of a prepaid channel is confirmed unpaid, unless it is on credit (exam booking ids).",
        f"""SELECT b.id FROM exams_exambooking b JOIN exams_examrequest q ON q.id = b.request_id
             WHERE b.fee > 0 AND b.status IN ('booked', 'arrived', 'called') AND NOT b.walk_in
               AND {_prepaid("q.organization_id", "b")}
               AND NOT EXISTS (SELECT 1 FROM billing_chargeitem c WHERE c.exam_id = b.id AND {_PAID_OR_OWED})""",  # noqa: S608
    ),
    Invariant(
        "no_yuan_without_an_owner",
        "Money whose owner nobody knows is on the office's list, to the fen (organization ids).",
        f"""SELECT o.id FROM hospital_organization o WHERE -{_balance("unowned", "e.organization_id = o.id")}
              <> (SELECT coalesce(sum(k.amount), 0) FROM billing_moneycase k
                   WHERE k.organization_id = o.id AND k.settled_at IS NULL AND k.kind IN ('unknown', 'amount')
                     AND (k.key LIKE 'bill:%%' OR k.key LIKE 'difference:%%'
                          OR k.kind = 'amount' AND EXISTS (SELECT 1 FROM billing_ledgerentry e
                                WHERE e.kind = 'unowned' AND e.payment_id = k.payment_id AND e.amount = k.amount)))""",  # noqa: S608
    ),
    Invariant(
        "closed_day_reached_the_bank",
        "What a gateway's closed day comes to stands in the journal, to the fen (reconciliation ids).",
        """SELECT c.id FROM billing_reconciliation c WHERE c.status = 'closed'
              AND c.received - c.given_back <> (SELECT coalesce(sum(l.credit - l.debit), 0) FROM billing_ledgerline l
                    JOIN billing_ledgerentry e ON e.id = l.entry_id
                   WHERE e.reconciliation_id = c.id AND e.kind = 'payout' AND l.account_id = c.gateway)""",
    ),
    Invariant(
        "closed_day_is_explained",
        "A closed day has no difference that nobody settled (reconciliation ids).",
        """SELECT c.id FROM billing_reconciliation c JOIN billing_difference d ON d.reconciliation_id = c.id
            WHERE c.status = 'closed' AND d.settled_at IS NULL""",
    ),
)

join(*INVARIANTS)
