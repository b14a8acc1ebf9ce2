"""Plain triggers on the hot tables: what is frozen once tokens exist, and counters that nobody sets by hand."""

from django.db import migrations

FROZEN = """
CREATE FUNCTION scheduling_session_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.last_number > 0 AND (NEW.id, NEW.starts_at, NEW.date, NEW.doctor_id, NEW.prefix)
       IS DISTINCT FROM (OLD.id, OLD.starts_at, OLD.date, OLD.doctor_id, OLD.prefix) THEN
        RAISE EXCEPTION 'session %: start, date, doctor and prefix are frozen once tokens exist', OLD.id
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.last_number < OLD.last_number OR NEW.version < OLD.version OR NEW.last_event_at < OLD.last_event_at THEN
        RAISE EXCEPTION 'session %: numbers, version and clock never go back', OLD.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER frozen_once_used BEFORE UPDATE ON scheduling_session
    FOR EACH ROW EXECUTE FUNCTION scheduling_session_frozen();
"""

COUNTERS = """
CREATE FUNCTION scheduling_slot_counters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.used <> 0 OR NEW.overbooked <> 0 THEN
            RAISE EXCEPTION 'a new slot is empty: used and overbooked are counted from its tokens'
                USING ERRCODE = 'check_violation';
        END IF;
    ELSIF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'slot %: used and overbooked are counted from its tokens, never set', OLD.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER counters_are_derived_insert BEFORE INSERT ON scheduling_slot
    FOR EACH ROW EXECUTE FUNCTION scheduling_slot_counters();
CREATE TRIGGER counters_are_derived BEFORE UPDATE OF used, overbooked ON scheduling_slot
    FOR EACH ROW WHEN (OLD.used IS DISTINCT FROM NEW.used OR OLD.overbooked IS DISTINCT FROM NEW.overbooked)
    EXECUTE FUNCTION scheduling_slot_counters();
"""


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0001_initial")]

    operations = [
        migrations.RunSQL(
            FROZEN,
            "DROP TRIGGER frozen_once_used ON scheduling_session; DROP FUNCTION scheduling_session_frozen();",
        ),
        migrations.RunSQL(
            COUNTERS,
            "DROP TRIGGER counters_are_derived ON scheduling_slot;"
            "DROP TRIGGER counters_are_derived_insert ON scheduling_slot; DROP FUNCTION scheduling_slot_counters();",
        ),
    ]
