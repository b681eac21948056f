-- Reschedule in place: the same appointment row and its patient time move to another number, the old one is given back.
--
-- Order of waiting: the old slot, the patient, the appointment; then the new slot with SKIP LOCKED. (Claiming the new
-- one first deadlocks with stops and other moves; two rows would violate the unique day.)
-- p_rest is how long the old number rests if the schedule is sold out and more than a day away (against resale, B14);
-- what the consult room or the counter only held is free at once.
--
-- p_seen_slot and p_seen_status are what the policy was asked about (cut-off); anything else by now: retry, ask again.
--
-- code: moved | replayed | lapsed | key_reused | retry | and the refusals of book_slot
CREATE OR REPLACE FUNCTION move_slot(
    p_appointment bigint, p_seen_slot bigint, p_seen_status text,
    p_schedule bigint, p_number int, p_from timestamptz, p_to timestamptz,
    p_pools bigint[], p_public bigint, p_team bigint,
    p_channel text, p_self_service boolean, p_counts boolean, p_limits int[],
    p_hold interval, p_allow_past boolean, p_rest interval,
    p_actor bigint, p_account bigint, p_request_key text, p_body text,
    p_encounter bigint, p_referral bigint, p_now timestamptz,
    OUT code text, OUT appointment bigint, OUT number int, OUT start timestamptz, OUT minutes int,
    OUT hold_until timestamptz, OUT fee numeric, OUT until timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := coalesce(p_now, clock_timestamp());
    old record;
    ground record;
    claim record;
    broken text;
BEGIN
    appointment := p_appointment;
    SELECT r.code INTO code FROM booking_replay(p_account, p_request_key, p_body, moment) r;
    IF code IS NOT NULL THEN RETURN; END IF;

    -- Lock the old slot, then the patient, then see whether the appointment still stands on it.
    SELECT a.slot_id AS slot, a.patient_id AS patient INTO old
      FROM appointments_appointment a WHERE a.id = p_appointment;
    IF NOT FOUND THEN code := 'not_found'; RETURN; END IF;
    PERFORM 1 FROM appointments_slot s WHERE s.id = old.slot FOR NO KEY UPDATE;
    PERFORM 1 FROM hospital_patient p WHERE p.id = old.patient FOR NO KEY UPDATE;
    SELECT a.slot_id AS slot, a.patient_id AS patient, a.schedule_id AS schedule, a.status, a.extra, s.number, s.start,
           s.minutes, s.hold_until, a.fee, a.self_service
      INTO old FROM appointments_appointment a JOIN appointments_slot s ON s.id = a.slot_id
     WHERE a.id = p_appointment AND a.slot_id = old.slot FOR NO KEY UPDATE OF a;
    IF NOT FOUND THEN code := 'retry'; RETURN; END IF;
    moment := coalesce(p_now, clock_timestamp());
    SELECT r.code INTO code FROM booking_replay(p_account, p_request_key, p_body, moment) r;
    IF code IS NOT NULL THEN RETURN; END IF;
    IF old.slot <> p_seen_slot OR old.status <> p_seen_status OR old.status NOT IN ('pending', 'booked')
    THEN code := 'retry'; RETURN; END IF;
    IF old.status = 'pending' AND old.hold_until <= moment THEN code := 'lapsed'; RETURN; END IF;

    -- Already on the named number: the same answer.
    number := old.number; start := old.start; minutes := old.minutes; hold_until := old.hold_until; fee := old.fee;
    IF old.schedule = p_schedule AND (p_number = old.number OR (old.start >= p_from AND old.start < p_to)) THEN
        code := 'moved'; RETURN;
    END IF;

    -- A suspended patient books nothing by moving: only within the schedule, or away from a stopped one.
    IF p_self_service AND old.schedule <> p_schedule THEN
        SELECT max(x.ends_at) INTO until FROM appointments_patientsuspension x
         WHERE x.patient_id = old.patient AND x.lifted_at IS NULL AND x.starts_at <= moment AND x.ends_at > moment
           AND NOT EXISTS (SELECT 1 FROM appointments_schedule left_behind
                            WHERE left_behind.id = old.schedule AND left_behind.status = 'stopped');
        IF until IS NOT NULL THEN code := 'suspended'; RETURN; END IF;
    END IF;

    PERFORM booking_lapse_own(old.patient, moment);
    SELECT * INTO ground FROM booking_ground(
        p_schedule, old.patient, p_channel, p_pools, p_public, p_team, p_referral, p_encounter, p_appointment, moment);
    code := coalesce(ground.code, booking_over_limit(
        old.patient, ground.day, ground.department, p_limits, p_self_service, p_appointment));
    IF code IS NOT NULL THEN RETURN; END IF;
    SELECT * INTO claim FROM booking_claim(
        p_schedule, p_number, p_from, p_to, ground.pools, old.patient, p_appointment, p_allow_past, moment);
    code := claim.code;
    IF code IS NOT NULL THEN RETURN; END IF;

    -- By self-service a hold's clock runs on: moving it to and fro must not keep numbers from others for ever.
    hold_until := CASE WHEN old.status <> 'pending' THEN NULL
                       WHEN p_self_service THEN least(old.hold_until, moment + p_hold)
                       ELSE moment + p_hold END;
    number := claim.number; start := claim.start; minutes := claim.minutes; fee := ground.fee;
    BEGIN
        UPDATE appointments_slot s SET status = CASE WHEN old.status = 'pending' THEN 'held' ELSE 'booked' END,
               hold_until = move_slot.hold_until WHERE s.id = claim.slot;
        UPDATE appointments_appointment a
           SET slot_id = claim.slot, schedule_id = p_schedule, department_id = ground.department, day = ground.day,
               start = claim.start, fee = ground.fee, self_service = p_self_service, counts = p_counts, extra = false,
               referral_id = coalesce(p_referral, a.referral_id),
               booked_from_id = coalesce((  -- the expert's own consultation that opened the gate stays on record
                   SELECT e.id FROM appointments_encounter e
                     JOIN appointments_schedule g ON g.id = p_schedule AND g.gate_team_id IS NOT NULL
                     JOIN hospital_practitionerrole r ON r.id = g.role_id AND r.practitioner_id = e.practitioner_id
                    WHERE e.id = p_encounter), a.booked_from_id)
         WHERE a.id = p_appointment;
        UPDATE hospital_patienttime t
           SET during = tstzrange(claim.start, claim.start + claim.minutes * interval '1 minute')
         WHERE t.source = 'appointment' AND t.source_id = p_appointment;
        PERFORM booking_give_back(old.slot, old.schedule, old.extra,
                                  CASE WHEN old.status = 'booked' OR old.self_service THEN p_rest END, moment);
        INSERT INTO hospital_fact (topic, key, payload, actor_id, account, request_key, body, happened_at, fanned_out)
        VALUES ('appointment.moved', 'appointment:' || p_appointment,
                jsonb_build_object('appointment', p_appointment, 'schedule', p_schedule, 'slot', claim.slot,
                                   'from_schedule', old.schedule, 'from_slot', old.slot, 'channel', p_channel,
                                   'from_start', old.start, 'held', old.status = 'pending'),
                p_actor, p_account, p_request_key, p_body, moment, false);
        code := 'moved';
    EXCEPTION WHEN unique_violation OR exclusion_violation THEN
        GET STACKED DIAGNOSTICS broken = CONSTRAINT_NAME;
        code := CASE broken
            WHEN 'appointment_one_self_service_per_day_and_department' THEN 'already_booked'
            WHEN 'patienttime_not_in_two_places' THEN 'time_conflict'
            WHEN 'appointment_one_live_per_slot' THEN 'busy' END;
        IF broken = 'fact_request_once' THEN
            SELECT r.code INTO code FROM booking_replay(p_account, p_request_key, p_body, moment) r;
        END IF;
        IF code IS NULL THEN RAISE; END IF;
    END;
END $$;
