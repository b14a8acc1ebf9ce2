-- A request for a token by hand: what tokens.allocation.request_token does where nobody is displaced, for pgbench.
-- The same lock, the same facts read under it, the same rows written; nothing leaves the database to be decided, and
-- all of it goes in one trip. The fastest form that we found; statement by statement it is a little slower.
-- Variables: made (-1), clients, first_patient, patients, first_slot, slots, actor.
\set made :made + 1
\set patient :first_patient + (:made * :clients + :client_id) * 7919 % :patients
\set slot :first_slot + random(0, :slots - 1)
\startpipeline
BEGIN;
SELECT set_config('lock_timeout', '4s', true);
SELECT id FROM scheduling_session
 WHERE id = (SELECT session_id FROM scheduling_slot WHERE id = :slot) FOR NO KEY UPDATE;
-- A statement of its own after the lock, so that it sees what was committed while the lock was awaited.
WITH session AS (
    SELECT * FROM scheduling_session WHERE id = (SELECT session_id FROM scheduling_slot WHERE id = :slot)
), policy AS (
    SELECT (p.weights ->> 'online')::int AS score
      FROM session x JOIN tokens_policyassignment a
        ON a.doctor_id = x.doctor_id OR a.department_id = x.department_id OR a.facility_id = x.facility_id
      JOIN tokens_allocationpolicy p ON p.id = a.policy_id
     ORDER BY a.doctor_id IS NULL, a.department_id IS NULL LIMIT 1
), facts AS MATERIALIZED (
    SELECT greatest(clock_timestamp(), x.last_event_at) AS now, nextval('tokens_token_id_seq') AS token,
           x.id AS session, x.last_number + 1 AS number, x.prefix, s.id AS slot,
           coalesce((SELECT score FROM policy), 50) AS score,
           s.used - s.overbooked < s.capacity AS free,
           x.status = 'open' AND s.status = 'open'
               AND s.ends_at + x.delay_minutes * interval '1 minute' > clock_timestamp() AS takes,
           (SELECT p.is_active AND p.facility_id = x.facility_id FROM patients_patient p WHERE p.id = :patient) AS known,
           (SELECT t.id FROM tokens_token t WHERE t.session_id = x.id AND t.patient_id = :patient
               AND t.status IN ('confirmed', 'in_progress', 'waitlisted')) AS held,
           (SELECT t.id FROM tokens_token t WHERE t.slot_id = s.id AND t.status = 'confirmed' AND t.call_count = 0
               AND NOT t.overbooked AND t.source <> 'emergency' AND t.score < 50
             ORDER BY t.score, t.order_at DESC, t.id DESC LIMIT 1) AS loser,
           (SELECT w.id FROM tokens_token w WHERE w.slot_id = s.id AND w.status = 'waitlisted'
             ORDER BY CASE WHEN w.source = 'emergency' THEN 0 ELSE 1 END, w.score DESC, w.order_at, w.id
             LIMIT 1) AS waiter
      FROM scheduling_slot s JOIN session x ON x.id = s.session_id WHERE s.id = :slot
), token AS (
    INSERT INTO tokens_token (id, session_id, slot_id, patient_id, status, source, requested_at, order_at, number,
        paid, score, overbooked, overbooked_by_id, arrived_at, called_at, call_count, held_until, skipped_after,
        away_at, away_to, back_at, started_at, ended_at, note, key, sent_from_id, events)
    SELECT token, session, slot, :patient, CASE WHEN free AND waiter IS NULL THEN 'confirmed' ELSE 'waitlisted' END,
           'online', now, now, prefix || '-' || lpad(number::text, greatest(3, length(number::text)), '0'), false, score,
           false, NULL::bigint, NULL::timestamptz, NULL::timestamptz, 0, NULL::timestamptz, NULL::int,
           NULL::timestamptz, '', NULL::timestamptz, NULL::timestamptz, NULL::timestamptz, '',
           left(replace(gen_random_uuid()::text, '-', ''), 24), NULL::bigint, 2
      FROM facts WHERE known AND takes AND held IS NULL AND (free OR loser IS NULL)
    ON CONFLICT (session_id, patient_id) WHERE status IN ('confirmed', 'in_progress', 'waitlisted') DO NOTHING
    RETURNING *
), event AS (
    INSERT INTO tokens_event (token_id, seq, session_id, kind, status, changes, actor_id, at, reason, cause_token_id,
        cause_seq)
    SELECT t.id, e.seq, t.session_id, e.kind, e.kind, e.changes, :actor, t.requested_at, '', e.cause, e.cause_seq
      FROM token t, LATERAL (VALUES
        (1, 'requested', jsonb_build_object('session_id', t.session_id, 'slot_id', t.slot_id, 'patient_id',
            t.patient_id, 'status', 'requested', 'source', t.source, 'requested_at', t.requested_at, 'order_at',
            t.order_at, 'number', '', 'paid', t.paid, 'score', t.score, 'overbooked', false, 'overbooked_by_id', NULL,
            'arrived_at', NULL, 'called_at', NULL, 'call_count', 0, 'held_until', NULL, 'skipped_after', NULL,
            'away_at', NULL, 'away_to', '', 'back_at', NULL, 'started_at', NULL, 'ended_at', NULL, 'note', '', 'key',
            t.key, 'sent_from_id', NULL), NULL::bigint, NULL::int),
        (2, t.status, jsonb_build_object('status', t.status, 'number', t.number), t.id, 1)
      ) AS e (seq, kind, changes, cause, cause_seq)
)
UPDATE scheduling_session SET last_number = facts.number, version = version + 1, last_event_at = facts.now
  FROM facts WHERE id = facts.session AND EXISTS (SELECT 1 FROM token);
COMMIT;
\endpipeline
