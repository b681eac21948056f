-- Who calls with this token, and for whom: every request of a program begins with it. A function, because its session
-- keeps the plan: as a plain statement the planner took ten times what the answer itself does.
--
-- lacks_consent says what hospital.consents says in several queries; a test holds them equal.
CREATE OR REPLACE FUNCTION token_caller(
    p_digest text, p_patient bigint, p_now timestamptz, p_today date, p_guarded int
) RETURNS TABLE (
    user_id bigint, channel text, scopes text[], organization_id bigint, system text, own_patient boolean,
    lacks_consent boolean
) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT t.user_id, t.channel::text, t.scopes::text[], t.organization_id, t.system::text,
           EXISTS (SELECT 1 FROM hospital_relatedperson p
                    WHERE p.account_id = t.user_id AND p.patient_id = p_patient AND p.ended_at IS NULL),
           NOT 'book_anyone' = ANY (t.scopes) AND EXISTS (
               SELECT 1 FROM (SELECT DISTINCT ON (n.kind) n.id, n.kind FROM hospital_notice n
                               WHERE n.published_on <= p_today ORDER BY n.kind, n.version DESC) latest
                WHERE (latest.kind = 'privacy' OR p_patient IS NOT NULL)
                  AND (latest.kind <> 'child' OR EXISTS (
                          SELECT 1 FROM hospital_patient p
                           WHERE p.id = p_patient AND p.birth_date > p_today - make_interval(years => coalesce(
                                 (SELECT r.guarded_until::int FROM hospital_accountrule r WHERE r.effective_from <= p_today
                                   ORDER BY r.effective_from DESC LIMIT 1), p_guarded))))
                  AND NOT EXISTS (
                          SELECT 1 FROM hospital_consent c
                           WHERE c.account_id = t.user_id AND c.notice_id = latest.id AND c.withdrawn_at IS NULL
                             AND c.patient_id IS NOT DISTINCT FROM CASE WHEN latest.kind <> 'privacy' THEN p_patient END))
      FROM hospital_apitoken t
      JOIN hospital_user u ON u.id = t.user_id AND u.is_active
     WHERE t.digest = p_digest AND t.expires_at > p_now AND t.revoked_at IS NULL;
END $$;
