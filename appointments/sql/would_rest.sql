-- Would this expired hold rest, like a returned number, as soon as somebody let it go? Then nobody can take it now, and
-- no page counts it as left. What booking_lapse and booking_give_back do, asked without doing it: a hold of
-- self-service, more than 24 hours before the clinic, no other number free beside it (B14); or any hold of a schedule
-- whose number somebody waits for (B9).
CREATE OR REPLACE FUNCTION booking_would_rest(p_slot bigint, p_moment timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM appointments_appointment a
          JOIN appointments_slot own ON own.id = a.slot_id
          JOIN appointments_schedule c ON c.id = own.schedule_id
         WHERE a.slot_id = p_slot AND a.status = 'pending' AND own.status = 'held'
           AND ((a.self_service AND c.starts_at > p_moment + interval '24 hours'
                 AND NOT EXISTS (
                     SELECT 1 FROM appointments_slot s
                       LEFT JOIN appointments_allotment t ON t.schedule_id = s.schedule_id AND t.pool_id = s.pool_id
                      WHERE s.schedule_id = own.schedule_id AND s.status = 'free' AND s.id <> own.id
                        AND (s.pool_id = own.pool_id OR t.shared_from <= p_moment)))
                OR booking_kept_until(own.id, c.id, p_moment) IS NOT NULL))
$$;
