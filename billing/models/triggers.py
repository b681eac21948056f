"""What PostgreSQL refuses of money beyond a single row. The services say the same before, with a sentence."""

import pgtrigger

_SUM = """
        SELECT i.total, coalesce((SELECT sum(c.amount) FROM billing_chargeitem c
                 WHERE c.invoice_id = i.id AND c.status NOT IN ('refunded', 'withdrawn')), 0)
          INTO said, counted FROM billing_invoice i WHERE i.id = {invoice};
        IF said <> counted THEN
            RAISE EXCEPTION 'invoice % says %, its lines %', {invoice}, said, counted
            USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_lines_add_up';
        END IF;
        RETURN NULL;
"""
_AT_THE_END = {
    "when": pgtrigger.After,
    "timing": pgtrigger.Deferred,
    "declare": [("said", "numeric"), ("counted", "numeric")],
}

LINES_ADD_UP = pgtrigger.Trigger(
    name="lines_add_up",
    operation=pgtrigger.Insert | pgtrigger.Update,
    func=_SUM.format(invoice="NEW.id"),
    **_AT_THE_END,
)
LINES_ADD_UP_OF_ITS_INVOICE = pgtrigger.Trigger(
    name="lines_add_up",
    operation=pgtrigger.Insert | pgtrigger.Update,
    func=_SUM.format(invoice="NEW.invoice_id"),
    **_AT_THE_END,
)
"""At the end of the transaction. Who changes lines holds the invoice, so two of them wait for each other."""

NEVER_MORE_THAN_WAS_PAID = pgtrigger.Trigger(
    name="never_more_than_was_paid",
    when=pgtrigger.After,
    operation=pgtrigger.Insert | pgtrigger.UpdateOf("amount", "payment_id", "line_id"),
    declare=[("most", "numeric"), ("state", "text")],
    func="""
        SELECT amount, status INTO most, state FROM billing_payment WHERE id = NEW.payment_id FOR NO KEY UPDATE;
        IF state <> 'succeeded'
           OR (SELECT sum(amount) FROM billing_refund WHERE payment_id = NEW.payment_id) > most THEN
            RAISE EXCEPTION 'more refunded of payment % than was paid', NEW.payment_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_never_more_than_was_paid';
        END IF;
        IF NEW.line_id IS NOT NULL AND (SELECT sum(amount) FROM billing_refund WHERE line_id = NEW.line_id)
           > (SELECT amount FROM billing_chargeitem WHERE id = NEW.line_id FOR NO KEY UPDATE) THEN
            RAISE EXCEPTION 'more refunded of line % than it cost', NEW.line_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_never_more_than_it_cost';
        END IF;
        RETURN NULL;
    """,
)
"""The lock makes two refunds at once wait for each other: the second one sees the first. What a gateway refused still
counts: it is owed to the patient until it is paid otherwise."""

_BALANCE = """
        SELECT e.amount, coalesce(sum(l.debit), 0), coalesce(sum(l.credit), 0) INTO said, debits, credits
          FROM billing_ledgerentry e LEFT JOIN billing_ledgerline l ON l.entry_id = e.id
         WHERE e.id = {entry} GROUP BY e.id;
        IF debits <> credits OR debits <> said THEN
            RAISE EXCEPTION 'entry % of % does not balance: % and %', {entry}, said, debits, credits
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_balances';
        END IF;
        RETURN NULL;
"""
_BALANCES = {
    "when": pgtrigger.After,
    "operation": pgtrigger.Insert,
    "timing": pgtrigger.Deferred,
    "declare": [("said", "numeric"), ("debits", "numeric"), ("credits", "numeric")],
}
ENTRY_BALANCES = pgtrigger.Trigger(name="balances", func=_BALANCE.format(entry="NEW.id"), **_BALANCES)
LINE_BALANCES = pgtrigger.Trigger(name="balances", func=_BALANCE.format(entry="NEW.entry_id"), **_BALANCES)
"""Its amount is written with the entry and never changed, so a balanced pair added later is refused too."""

CLOSED_WITHOUT_DIFFERENCES = pgtrigger.Trigger(
    name="closed_without_differences",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.UpdateOf("status"),
    condition=pgtrigger.Q(new__status="closed"),
    func="""
        IF EXISTS (SELECT 1 FROM billing_difference d
                    WHERE d.reconciliation_id = NEW.id AND d.settled_at IS NULL) THEN
            RAISE EXCEPTION 'the day still has differences'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reconciliation_closed_without_differences';
        END IF;
        RETURN NEW;
    """,
)
OF_AN_OPEN_DAY = pgtrigger.Trigger(
    name="of_an_open_day",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert,
    declare=[("state", "text")],
    func="""
        SELECT status INTO state FROM billing_reconciliation WHERE id = NEW.reconciliation_id FOR NO KEY UPDATE;
        IF state = 'closed' THEN
            RAISE EXCEPTION 'the day is closed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'difference_of_an_open_day';
        END IF;
        RETURN NEW;
    """,
)

IN_AN_OPEN_SHIFT = pgtrigger.Trigger(
    name="in_an_open_shift",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.UpdateOf("shift_id"),
    condition=pgtrigger.Q(new__shift__isnull=False),
    declare=[("state", "text")],
    func="""
        SELECT status INTO state FROM billing_cashiershift WHERE id = NEW.shift_id FOR NO KEY UPDATE;
        IF state <> 'open' THEN
            RAISE EXCEPTION 'the shift is not open'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'money_in_an_open_shift';
        END IF;
        RETURN NEW;
    """,
)
"""Who counts a shift holds its row: nothing is taken into it meanwhile, and nothing afterwards."""
