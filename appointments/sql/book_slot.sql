-- The claim: the one function that gives a patient a number. One call, one transaction, one round trip.
--
-- Order of waiting (booking.md): nobody holding a patient waits for a slot, and the only row waited for here is
-- the patient's own. Pools, limits, lengths, actor and time are arguments, so policy stays in Python and in rule rows.
-- p_now is null in production: the database's clock decides.
--
-- code: booked | replayed | lapsed | key_reused | not_found | stopped | inactive | no_price | needs_referral |
--       not_open | sold_out | past | time_conflict | busy | no_patient | suspended | limit | already_booked
CREATE OR REPLACE FUNCTION book_slot(
    p_schedule bigint, p_number int, p_from timestamptz, p_to timestamptz,
    p_pools bigint[], p_public bigint, p_team bigint,
    p_patient bigint, p_channel text, p_self_service boolean, p_counts boolean, p_limits int[],
    p_hold interval, p_confirm boolean, p_allow_past boolean, p_visit_type text, p_extra boolean, p_note text,
    p_actor bigint, p_account bigint, p_request_key text, p_body text,
    p_basket uuid, p_encounter bigint, p_referral bigint, p_opened_at timestamptz, p_now timestamptz,
    OUT code text, OUT appointment bigint, OUT number int, OUT start timestamptz, OUT minutes int,
    OUT hold_until timestamptz, OUT fee numeric, OUT until timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := coalesce(p_now, clock_timestamp());
    ground record;
    claim record;
    broken text;
BEGIN
    -- 0. The same request again?
    SELECT r.code, r.appointment INTO code, appointment FROM booking_replay(p_account, p_request_key, p_body, moment) r;
    IF code IS NOT NULL THEN RETURN; END IF;

    -- 1. Is the schedule open to this caller, and from which pools?
    SELECT * INTO ground FROM booking_ground(
        p_schedule, p_patient, p_channel, p_pools, p_public, p_team, p_referral, p_encounter, NULL, moment);
    code := ground.code;
    IF code IS NOT NULL THEN RETURN; END IF;

    -- 2. A look without locks: what makes a loser cheap. The winner's own double click must not hear "sold out",
    --    so the key is looked at once more.
    PERFORM 1 FROM appointments_slot s
      WHERE s.schedule_id = p_schedule AND s.status IN ('free', 'held', 'resting')
        AND (s.status = 'free' OR s.hold_until <= moment)
        AND s.pool_id = ANY (ground.pools)
        AND (p_number IS NULL OR s.number = p_number)
        AND (p_from IS NULL OR (s.start >= p_from AND s.start < p_to))
        AND (p_allow_past OR s.start > moment)
      LIMIT 1;
    IF NOT FOUND THEN
        SELECT r.code, r.appointment INTO code, appointment
          FROM booking_replay(p_account, p_request_key, p_body, moment) r;
        IF code IS NULL THEN
            code := booking_miss(p_schedule, p_number, p_from, p_to, ground.pools, p_patient, NULL, p_allow_past, moment);
            IF code = 'time_conflict' THEN code := 'busy'; END IF;  -- it came back just now: try again
        END IF;
        RETURN;
    END IF;

    -- 3. The patient: from here on one request at a time for one person.
    PERFORM 1 FROM hospital_patient p WHERE p.id = p_patient AND p.active FOR NO KEY UPDATE;
    IF NOT FOUND THEN code := 'no_patient'; RETURN; END IF;
    moment := coalesce(p_now, clock_timestamp());
    SELECT r.code, r.appointment INTO code, appointment FROM booking_replay(p_account, p_request_key, p_body, moment) r;
    IF code IS NOT NULL THEN RETURN; END IF;
    IF p_self_service THEN
        SELECT max(x.ends_at) INTO until FROM appointments_patientsuspension x
         WHERE x.patient_id = p_patient AND x.lifted_at IS NULL AND x.starts_at <= moment AND x.ends_at > moment;
        IF until IS NOT NULL THEN code := 'suspended'; RETURN; END IF;
    END IF;

    -- 4. This patient's own expired holds stand in nobody's way.
    PERFORM booking_lapse_own(p_patient, moment);

    -- 5. Limits, before anything is claimed.
    code := booking_over_limit(p_patient, ground.day, ground.department, p_limits, p_self_service, NULL);
    IF code IS NOT NULL THEN RETURN; END IF;

    -- 6. and 7. The number, and its former holder if a hold has passed.
    SELECT * INTO claim FROM booking_claim(
        p_schedule, p_number, p_from, p_to, ground.pools, p_patient, NULL, p_allow_past, moment);
    code := claim.code;
    IF code IS NOT NULL THEN RETURN; END IF;

    -- 8. Write it. A broken constraint becomes its named refusal, and this block leaves nothing behind.
    hold_until := CASE WHEN p_confirm THEN NULL ELSE moment + p_hold END;
    number := claim.number; start := claim.start; minutes := claim.minutes; fee := ground.fee;
    BEGIN
        UPDATE appointments_slot s SET status = CASE WHEN p_confirm THEN 'booked' ELSE 'held' END,
               hold_until = book_slot.hold_until
         WHERE s.id = claim.slot;
        INSERT INTO appointments_appointment (
            slot_id, schedule_id, patient_id, department_id, day, start, channel, self_service, counts, visit_type,
            status, extra, fee, basket, by_id, booked_from_id, referral_id, note, created_at, opened_at, confirmed_at)
        VALUES (
            claim.slot, p_schedule, p_patient, ground.department, ground.day, claim.start, p_channel, p_self_service,
            p_counts, p_visit_type, CASE WHEN p_confirm THEN 'booked' ELSE 'pending' END, p_extra, ground.fee,
            p_basket, p_actor, p_encounter, p_referral, p_note, moment, p_opened_at,
            CASE WHEN p_confirm THEN moment END)
        RETURNING id INTO appointment;
        INSERT INTO hospital_patienttime (patient_id, during, source, source_id)
        VALUES (p_patient, tstzrange(claim.start, claim.start + claim.minutes * interval '1 minute'),
                'appointment', appointment);
        INSERT INTO hospital_fact (topic, key, payload, actor_id, account, request_key, body, happened_at, fanned_out)
        VALUES (CASE WHEN p_confirm THEN 'appointment.booked' ELSE 'appointment.held' END, 'appointment:' || appointment,
                jsonb_build_object('appointment', appointment, 'schedule', p_schedule, 'slot', claim.slot,
                                   'channel', p_channel, 'extra', p_extra),
                p_actor, p_account, p_request_key, p_body, moment, false);
        code := 'booked';
    EXCEPTION WHEN unique_violation OR exclusion_violation THEN
        GET STACKED DIAGNOSTICS broken = CONSTRAINT_NAME;
        appointment := NULL;
        code := CASE broken
            WHEN 'appointment_one_self_service_per_day_and_department' THEN 'already_booked'
            WHEN 'patienttime_not_in_two_places' THEN 'time_conflict'
            WHEN 'appointment_one_live_per_slot' THEN 'busy' END;
        IF broken = 'fact_request_once' THEN
            SELECT r.code, r.appointment INTO code, appointment
              FROM booking_replay(p_account, p_request_key, p_body, moment) r;
        END IF;
        IF code IS NULL THEN RAISE; END IF;
    END;
END $$;
