-- What book_slot and move_slot share. Each part is called inside their transaction and takes the moment as given.

-- May this schedule be booked by this caller now, from which pools, for which fee?
-- `code` is null when yes. A schedule that is over gives no numbers, not even to the counter. A leading expert's
-- schedule (gate_team) opens only to the holder of a valid internal referral, to the expert's own follow-up of a
-- patient seen in the named encounter, or to p_moving, an appointment that is behind the same gate already (B11).
-- Whoever leads a team today is behind that gate too on schedules laid out before; their pools stay what they were.
CREATE OR REPLACE FUNCTION booking_ground(
    p_schedule bigint, p_patient bigint, p_channel text, p_pools bigint[], p_public bigint, p_team bigint,
    p_referral bigint, p_encounter bigint, p_moving bigint, p_moment timestamptz,
    OUT code text, OUT pools bigint[], OUT day date, OUT department bigint, OUT fee numeric
) LANGUAGE plpgsql AS $$
DECLARE
    s record;
    gates bigint[];
    allowed bigint[] := p_pools;
BEGIN
    SELECT sch.status, sch.day, sch.ends_at, sch.department_id, sch.gate_team_id, sch.role_id, r.practitioner_id,
           svc.active AND coalesce(r.active AND p.active, true) AS active, price.amount
      INTO s
      FROM appointments_schedule sch
      JOIN hospital_healthcareservice svc ON svc.id = sch.service_id
      LEFT JOIN hospital_practitionerrole r ON r.id = sch.role_id
      LEFT JOIN hospital_practitioner p ON p.id = r.practitioner_id
      LEFT JOIN hospital_priceitem price
        ON price.organization_id = sch.organization_id AND price.code = svc.price_code
       AND sch.day >= price.effective_from AND (price.effective_to IS NULL OR sch.day <= price.effective_to)
     WHERE sch.id = p_schedule;
    IF NOT FOUND THEN code := 'not_found'; RETURN; END IF;
    IF s.status <> 'open' THEN code := 'stopped'; RETURN; END IF;
    IF s.ends_at <= p_moment THEN code := 'past'; RETURN; END IF;
    IF NOT s.active THEN code := 'inactive'; RETURN; END IF;
    IF s.amount IS NULL THEN code := 'no_price'; RETURN; END IF;
    IF s.gate_team_id IS NOT NULL THEN
        gates := ARRAY[s.gate_team_id];
    ELSE
        SELECT array_agg(m.team_id) INTO gates
          FROM hospital_practitionerrole led
          JOIN hospital_careteammember m ON m.role_id = led.id AND m.leader AND m.active
          JOIN hospital_careteam team ON team.id = m.team_id AND team.active
         WHERE led.practitioner_id = s.practitioner_id;
    END IF;
    IF gates IS NOT NULL THEN
        IF EXISTS (SELECT 1 FROM appointments_teamreferral t
                    WHERE t.id = p_referral AND t.team_id = ANY (gates) AND t.patient_id = p_patient
                      AND t.valid_until > p_moment)
           OR (p_channel = 'consult' AND EXISTS (
               SELECT 1 FROM appointments_encounter e
                WHERE e.id = p_encounter AND e.patient_id = p_patient AND e.practitioner_id = s.practitioner_id
                  AND e.status IN ('in_room', 'finished')))
           OR EXISTS (
               SELECT 1 FROM appointments_appointment a JOIN appointments_schedule g ON g.id = a.schedule_id
                WHERE a.id = p_moving AND g.role_id = s.role_id
                  AND (g.gate_team_id = s.gate_team_id OR s.gate_team_id IS NULL))
        THEN allowed := CASE WHEN s.gate_team_id IS NULL THEN p_team || p_pools ELSE ARRAY[p_team] END;
        ELSE code := 'needs_referral'; RETURN;
        END IF;
    END IF;
    SELECT array_agg(a.pool_id) INTO pools
      FROM appointments_allotment a
     WHERE a.schedule_id = p_schedule
       AND ((a.opens_at <= p_moment AND a.pool_id = ANY (allowed))
            OR (a.shared_from <= p_moment AND p_public = ANY (allowed)));
    IF pools IS NULL THEN code := 'not_open'; RETURN; END IF;
    day := s.day; department := s.department_id; fee := s.amount;
END $$;

-- Why no number could be taken, by a look without locks that only the database's own rows answer:
-- sold_out (nothing takeable), past (only numbers whose minute has gone), time_conflict (the patient is elsewhere),
-- busy (something takeable stands there, somebody is at it right now).
CREATE OR REPLACE FUNCTION booking_miss(
    p_schedule bigint, p_number int, p_from timestamptz, p_to timestamptz, p_pools bigint[], p_patient bigint,
    p_except bigint, p_allow_past boolean, p_moment timestamptz
) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN bool_or(t.ahead AND t.fits) THEN 'busy'
                WHEN bool_or(t.ahead) THEN 'time_conflict'
                WHEN bool_or(true) THEN 'past'
                ELSE 'sold_out' END
      FROM (SELECT p_allow_past OR s.start > p_moment AS ahead,
                   NOT EXISTS (SELECT 1 FROM hospital_patienttime t
                                WHERE t.patient_id = p_patient AND t.during && tstzrange(s.start, s.start + s.minutes * interval '1 minute')
                                  AND (t.source <> 'appointment' OR t.source_id IS DISTINCT FROM p_except)) AS fits
              FROM appointments_slot s
             WHERE s.schedule_id = p_schedule AND s.status IN ('free', 'held', 'resting')
               AND (s.status = 'free' OR s.hold_until <= p_moment)
               AND s.pool_id = ANY (p_pools)
               AND (p_number IS NULL OR s.number = p_number)
               AND (p_from IS NULL OR (s.start >= p_from AND s.start < p_to))) t
$$;

-- How long a hold of a self-service channel rests when nobody confirmed it: the rule in force on p_moment's day at the
-- hospital (as selectors.rules.booking_rule_for), a random part of it.
CREATE OR REPLACE FUNCTION booking_rest(p_schedule bigint, p_moment timestamptz) RETURNS interval LANGUAGE sql VOLATILE AS $$
    SELECT (least_rest + random() * (most_rest - least_rest)) * interval '1 minute'
      FROM (SELECT 60 AS least_rest, 120 AS most_rest, -1 AS specific, NULL::date AS since, 0 AS id
            UNION ALL
            SELECT r.rest_minutes_min, r.rest_minutes_max,
                   CASE WHEN r.role_id IS NULL THEN 0 ELSE 4 END + CASE WHEN r.service_id IS NULL THEN 0 ELSE 2 END
                     + CASE WHEN r.department_id IS NULL THEN 0 ELSE 1 END,
                   r.effective_from, r.id
              FROM appointments_bookingrule r JOIN appointments_schedule s ON s.organization_id = r.organization_id
             WHERE s.id = p_schedule
               AND r.effective_from <= (p_moment AT TIME ZONE 'Asia/Shanghai')::date
               AND (r.effective_to IS NULL OR r.effective_to >= (p_moment AT TIME ZONE 'Asia/Shanghai')::date)
               AND (r.role_id IS NULL OR r.role_id = s.role_id)
               AND (r.service_id IS NULL OR r.service_id = s.service_id)
               AND (r.department_id IS NULL OR r.department_id = s.department_id)) rules
     ORDER BY specific DESC, since DESC, id DESC LIMIT 1
$$;

-- Let an expired hold go: the number is given back, the patient's time too, and a fact says so. What was held by
-- self-service rests like a returned number, so that nobody can hand it on by letting the clock run out (B14).
-- The caller holds the slot and the patient.
CREATE OR REPLACE FUNCTION booking_lapse(p_appointment bigint, p_slot bigint, p_moment timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    gone record;
BEGIN
    UPDATE appointments_appointment SET status = 'cancelled', cancelled_at = p_moment, note = 'lapsed'
     WHERE id = p_appointment AND slot_id = p_slot AND status = 'pending'
    RETURNING schedule_id, self_service, extra INTO gone;
    IF NOT FOUND THEN RETURN; END IF;
    DELETE FROM hospital_patienttime WHERE source = 'appointment' AND source_id = p_appointment;
    PERFORM booking_give_back(p_slot, gone.schedule_id, gone.extra,
                              CASE WHEN gone.self_service THEN booking_rest(gone.schedule_id, p_moment) END, p_moment);
    INSERT INTO hospital_fact (topic, key, payload, happened_at, fanned_out)
    VALUES ('appointment.lapsed', 'appointment:' || p_appointment,
            jsonb_build_object('appointment', p_appointment, 'slot', p_slot), p_moment, false);
END $$;

-- A patient's own expired holds stand in nobody's way. The caller holds the patient.
CREATE OR REPLACE FUNCTION booking_lapse_own(p_patient bigint, p_moment timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    own record;
BEGIN
    FOR own IN
        SELECT a.id, s.id AS slot FROM appointments_appointment a JOIN appointments_slot s ON s.id = a.slot_id
         WHERE a.patient_id = p_patient AND a.status = 'pending' AND s.hold_until <= p_moment
         ORDER BY s.id FOR NO KEY UPDATE OF s SKIP LOCKED
    LOOP
        PERFORM booking_lapse(own.id, own.slot, p_moment);
    END LOOP;
END $$;

-- Is one more visit on p_day too many? Null when not. By visit day, live and counting rows only; `p_limits` is
-- {per day, in any 7 days, in any 90 days} around that day; `p_except` is the row that is being moved.
CREATE OR REPLACE FUNCTION booking_over_limit(
    p_patient bigint, p_day date, p_department bigint, p_limits int[], p_self_service boolean, p_except bigint
) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    n record;
BEGIN
    IF p_self_service AND EXISTS (
        SELECT 1 FROM appointments_appointment a
         WHERE a.patient_id = p_patient AND a.day = p_day AND a.department_id = p_department
           AND a.status <> 'cancelled' AND a.id IS DISTINCT FROM p_except)
    THEN RETURN 'already_booked'; END IF;
    IF p_limits IS NULL THEN RETURN NULL; END IF;
    SELECT max(w.one) FILTER (WHERE w.day = p_day) AS day,
           max(w.seven) FILTER (WHERE w.day > p_day - 7 AND w.day <= p_day) AS week,
           max(w.ninety) FILTER (WHERE w.day <= p_day) AS quarter
      INTO n
      FROM (SELECT d.day, count(*) OVER (PARTITION BY d.day) AS one,
                   count(*) OVER (ORDER BY d.day RANGE BETWEEN CURRENT ROW AND interval '6 days' FOLLOWING) AS seven,
                   count(*) OVER (ORDER BY d.day RANGE BETWEEN CURRENT ROW AND interval '89 days' FOLLOWING) AS ninety
              FROM (SELECT p_day AS day
                    UNION ALL
                    SELECT a.day FROM appointments_appointment a
                     WHERE a.patient_id = p_patient AND a.day > p_day - 90 AND a.day < p_day + 90
                       AND a.status <> 'cancelled' AND a.counts AND a.id IS DISTINCT FROM p_except) d) w;
    IF n.day > p_limits[1] OR n.week > p_limits[2] OR n.quarter > p_limits[3] THEN RETURN 'limit'; END IF;
    RETURN NULL;
END $$;

-- Take one number for a patient who is locked: free and rested ones first, else one whose hold has passed, lowest
-- first, that fits the patient's day. `slot` is null on a miss. A former holder is let go here; his patient row is
-- taken with SKIP LOCKED (who holds a patient waits for nobody), and `code` is busy when that was not to be had.
-- A number that rests once its holder is let go is nobody's for now: the next one is looked for.
CREATE OR REPLACE FUNCTION booking_claim(
    p_schedule bigint, p_number int, p_from timestamptz, p_to timestamptz, p_pools bigint[], p_patient bigint,
    p_except bigint, p_allow_past boolean, p_moment timestamptz,
    OUT code text, OUT slot bigint, OUT number int, OUT start timestamptz, OUT minutes int
) LANGUAGE plpgsql AS $$
DECLARE
    was text;
    former record;
BEGIN
    LOOP
        SELECT s.id, s.number, s.start, s.minutes, s.status INTO slot, number, start, minutes, was
          FROM appointments_slot s
         WHERE s.schedule_id = p_schedule AND s.status IN ('free', 'held', 'resting')
           AND (s.status = 'free' OR s.hold_until <= p_moment)
           AND s.pool_id = ANY (p_pools)
           AND (p_number IS NULL OR s.number = p_number)
           AND (p_from IS NULL OR (s.start >= p_from AND s.start < p_to))
           AND (p_allow_past OR s.start > p_moment)
           AND NOT EXISTS (SELECT 1 FROM hospital_patienttime t
                            WHERE t.patient_id = p_patient AND t.during && tstzrange(s.start, s.start + s.minutes * interval '1 minute')
                              AND (t.source <> 'appointment' OR t.source_id IS DISTINCT FROM p_except))
         ORDER BY (s.status = 'held'), s.number
         LIMIT 1
           FOR NO KEY UPDATE SKIP LOCKED;
        IF slot IS NULL THEN
            code := booking_miss(
                p_schedule, p_number, p_from, p_to, p_pools, p_patient, p_except, p_allow_past, p_moment);
            RETURN;
        END IF;
        EXIT WHEN was <> 'held';
        SELECT a.id, a.patient_id INTO former
          FROM appointments_appointment a WHERE a.slot_id = slot AND a.status = 'pending';
        EXIT WHEN NOT FOUND;
        IF former.patient_id <> p_patient THEN
            PERFORM 1 FROM hospital_patient p WHERE p.id = former.patient_id FOR NO KEY UPDATE SKIP LOCKED;
            IF NOT FOUND THEN code := 'busy'; RETURN; END IF;
        END IF;
        PERFORM booking_lapse(former.id, slot, p_moment);
        EXIT WHEN EXISTS (SELECT 1 FROM appointments_slot s WHERE s.id = slot AND s.status = 'free');
    END LOOP;
END $$;

-- The answer to a repeated request: null when the key is new; replayed while what it did still stands;
-- lapsed when that went away meanwhile; key_reused when the same key asked for something else.
CREATE OR REPLACE FUNCTION booking_replay(
    p_account bigint, p_request_key text, p_body text, p_moment timestamptz,
    OUT code text, OUT appointment bigint
) LANGUAGE plpgsql AS $$
DECLARE
    f record;
    a record;
BEGIN
    IF p_request_key IS NULL THEN RETURN; END IF;
    SELECT body, payload INTO f FROM hospital_fact WHERE account = p_account AND request_key = p_request_key;
    IF NOT FOUND THEN RETURN; END IF;
    IF f.body IS DISTINCT FROM p_body THEN code := 'key_reused'; RETURN; END IF;
    appointment := (f.payload ->> 'appointment')::bigint;
    SELECT ap.status, s.hold_until INTO a
      FROM appointments_appointment ap JOIN appointments_slot s ON s.id = ap.slot_id WHERE ap.id = appointment;
    code := CASE WHEN a.status = 'cancelled' OR (a.status = 'pending' AND a.hold_until <= p_moment)
                 THEN 'lapsed' ELSE 'replayed' END;
END $$;

-- Somebody waits for a number of this schedule (B9), through a channel that may take this one: until when is it kept
-- from everybody else, when it is returned? Long enough for the worker to offer it, also one that comes back at night,
-- and never past the cut-off. Null: nobody waits for it. The hours are those of the rule in force (as booking_rest).
CREATE OR REPLACE FUNCTION booking_kept_until(p_slot bigint, p_schedule bigint, p_moment timestamptz)
RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
    keep constant interval := '10 minutes';
    there timestamp := p_moment AT TIME ZONE 'Asia/Shanghai';
    closes timestamptz;
    first_at time := '06:00';
    last_at time := '23:00';
    opens timestamp;
BEGIN
    SELECT max(w.closes_at) INTO closes FROM appointments_waitlistentry w
     WHERE w.schedule_id = p_schedule AND w.status = 'waiting' AND w.closes_at > p_moment
       AND EXISTS (
           SELECT 1 FROM appointments_slot s
             JOIN appointments_pool p ON p.id = s.pool_id
             JOIN appointments_channelrule c ON c.organization_id = p.organization_id AND c.channel = w.channel
             LEFT JOIN appointments_allotment t ON t.schedule_id = s.schedule_id AND t.pool_id = s.pool_id
            WHERE s.id = p_slot
              AND c.effective_from <= there::date AND (c.effective_to IS NULL OR c.effective_to >= there::date)
              AND (p.kind = ANY (c.kinds) OR (t.shared_from <= p_moment AND 'public' = ANY (c.kinds))));
    IF closes IS NULL THEN RETURN NULL; END IF;
    SELECT r.waitlist_from, r.waitlist_until INTO first_at, last_at
      FROM (SELECT time '06:00' AS waitlist_from, time '23:00' AS waitlist_until, -1 AS specific, NULL::date AS since, 0 AS id
            UNION ALL
            SELECT b.waitlist_from, b.waitlist_until,
                   CASE WHEN b.role_id IS NULL THEN 0 ELSE 4 END + CASE WHEN b.service_id IS NULL THEN 0 ELSE 2 END
                     + CASE WHEN b.department_id IS NULL THEN 0 ELSE 1 END,
                   b.effective_from, b.id
              FROM appointments_bookingrule b JOIN appointments_schedule s ON s.organization_id = b.organization_id
             WHERE s.id = p_schedule
               AND b.effective_from <= there::date AND (b.effective_to IS NULL OR b.effective_to >= there::date)
               AND (b.role_id IS NULL OR b.role_id = s.role_id)
               AND (b.service_id IS NULL OR b.service_id = s.service_id)
               AND (b.department_id IS NULL OR b.department_id = s.department_id)) r
     ORDER BY r.specific DESC, r.since DESC, r.id DESC LIMIT 1;
    opens := CASE WHEN there::time < first_at THEN there::date + first_at
                  WHEN there::time >= last_at THEN there::date + 1 + first_at
                  ELSE there END;
    RETURN least(closes, opens AT TIME ZONE 'Asia/Shanghai' + keep);
END $$;

-- A number comes back. Add-on numbers are closed with their patient. With `p_rest`, a number of a schedule that is
-- more than a day away and sold out for those who may take it (its own pool and what is shared by now) rests that long
-- before it can be taken, so that nobody can hand it on (B14). Who waits for one that they may take comes first (B9): kept for
-- them, a number rests in any case, and the waitlist may take it while it does.
-- The caller holds the slot.
CREATE OR REPLACE FUNCTION booking_give_back(
    p_slot bigint, p_schedule bigint, p_extra boolean, p_rest interval, p_moment timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    rests boolean;
    stopped boolean;
    until timestamptz;
BEGIN
    SELECT sch.status <> 'open',
           p_rest IS NOT NULL AND sch.starts_at > p_moment + interval '24 hours' AND NOT EXISTS (
               SELECT 1 FROM appointments_slot s
                 JOIN appointments_slot own ON own.id = p_slot
                 LEFT JOIN appointments_allotment t ON t.schedule_id = s.schedule_id AND t.pool_id = s.pool_id
                WHERE s.schedule_id = p_schedule AND s.status = 'free' AND s.id <> p_slot
                  AND (s.pool_id = own.pool_id OR t.shared_from <= p_moment))
      INTO stopped, rests FROM appointments_schedule sch WHERE sch.id = p_schedule;
    IF NOT p_extra AND NOT stopped THEN
        until := greatest(CASE WHEN rests THEN p_moment + p_rest END, booking_kept_until(p_slot, p_schedule, p_moment));
    END IF;
    UPDATE appointments_slot
       SET status = CASE WHEN p_extra OR stopped THEN 'blocked' WHEN until IS NOT NULL THEN 'resting' ELSE 'free' END,
           hold_until = until
     WHERE id = p_slot;
END $$;
