"""What PostgreSQL refuses of an exam booking beyond its own row. The services say the same before, with a sentence,
and hold the locks (session, team) that make their answer last."""

import pgtrigger

_TAKES_TIME = pgtrigger.Q(new__holds=True)

INSIDE_ITS_SESSION = pgtrigger.Trigger(
    name="inside_its_session",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.UpdateOf("during", "session_id", "device_id", "holds"),
    condition=_TAKES_TIME & pgtrigger.Q(new__session__isnull=False),
    func="""
        IF NOT EXISTS (SELECT 1 FROM exams_devicesession s
            WHERE s.id = NEW.session_id AND s.device_id = NEW.device_id
              AND s.during @> NEW.during AND NOT s.closed) THEN
            RAISE EXCEPTION 'the exam does not fit into its session'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'exambooking_inside_its_session';
        END IF;
        RETURN NEW;
    """,
)

WITHIN_THE_TEAM = pgtrigger.Trigger(
    name="within_the_team",
    when=pgtrigger.After,
    operation=pgtrigger.Insert | pgtrigger.UpdateOf("during", "team_id", "holds"),
    condition=_TAKES_TIME & pgtrigger.Q(new__team__isnull=False),
    declare=[("most", "integer")],
    func="""
        SELECT size INTO most FROM exams_staffteam WHERE id = NEW.team_id FOR NO KEY UPDATE;
        IF EXISTS (
            SELECT 1 FROM (
                SELECT lower(NEW.during) AS moment
                UNION SELECT lower(b.during) FROM exams_exambooking b
                 WHERE b.team_id = NEW.team_id AND b.holds AND b.during && NEW.during
                   AND lower(b.during) >= lower(NEW.during)
            ) starts
            WHERE (SELECT count(*) FROM exams_exambooking b
                    WHERE b.team_id = NEW.team_id AND b.holds AND b.during @> starts.moment) > most
        ) THEN
            RAISE EXCEPTION 'the team has no hand free'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'exambooking_within_the_team';
        END IF;
        RETURN NULL;
    """,
)

NOT_DURING_DOWNTIME = pgtrigger.Trigger(
    name="not_during_downtime",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.UpdateOf("during", "device_id", "holds"),
    condition=_TAKES_TIME,
    func="""
        IF EXISTS (SELECT 1 FROM exams_downtime d
            WHERE d.device_id = NEW.device_id AND d.stands AND d.during && NEW.during) THEN
            RAISE EXCEPTION 'the device is down then'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'exambooking_not_during_downtime';
        END IF;
        RETURN NEW;
    """,
)

NOBODY_IS_ON_IT = pgtrigger.Trigger(
    name="nobody_is_on_it",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.UpdateOf("during", "device_id", "stands"),
    condition=pgtrigger.Q(new__stands=True),
    func="""
        IF EXISTS (SELECT 1 FROM exams_exambooking b
            WHERE b.device_id = NEW.device_id AND b.holds AND b.during && NEW.during
              AND b.status IN ('pending', 'booked', 'arrived', 'called')) THEN
            RAISE EXCEPTION 'exams are booked on the device then'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'downtime_nobody_is_on_it';
        END IF;
        RETURN NEW;
    """,
)
