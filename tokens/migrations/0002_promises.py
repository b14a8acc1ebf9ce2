"""What the database keeps by itself, whatever wrote the row: plain triggers and the foreign key of two columns."""

from django.db import migrations

# A row trigger counts: a counting query would race, and a CHECK on the slot's row cannot.
PLACES = """
CREATE FUNCTION tokens_count_places() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    used_before boolean := false;
    used_after boolean := false;
BEGIN
    IF TG_OP <> 'INSERT' THEN used_before := OLD.status IN ('confirmed', 'in_progress', 'completed'); END IF;
    IF TG_OP <> 'DELETE' THEN used_after := NEW.status IN ('confirmed', 'in_progress', 'completed'); END IF;
    IF used_before AND used_after AND OLD.slot_id = NEW.slot_id THEN
        IF OLD.overbooked <> NEW.overbooked THEN
            UPDATE scheduling_slot SET overbooked = overbooked - OLD.overbooked::int + NEW.overbooked::int
             WHERE id = NEW.slot_id;
        END IF;
        RETURN NULL;
    END IF;
    IF used_before THEN
        UPDATE scheduling_slot SET used = used - 1, overbooked = overbooked - OLD.overbooked::int
         WHERE id = OLD.slot_id;
    END IF;
    IF used_after THEN
        UPDATE scheduling_slot SET used = used + 1, overbooked = overbooked + NEW.overbooked::int
         WHERE id = NEW.slot_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER count_places_insert AFTER INSERT ON tokens_token
    FOR EACH ROW WHEN (NEW.status IN ('confirmed', 'in_progress', 'completed'))
    EXECUTE FUNCTION tokens_count_places();
CREATE TRIGGER count_places_update AFTER UPDATE OF status, slot_id, overbooked ON tokens_token
    FOR EACH ROW WHEN ((OLD.status, OLD.slot_id, OLD.overbooked) IS DISTINCT FROM
                       (NEW.status, NEW.slot_id, NEW.overbooked))
    EXECUTE FUNCTION tokens_count_places();
CREATE TRIGGER count_places_delete AFTER DELETE ON tokens_token
    FOR EACH ROW EXECUTE FUNCTION tokens_count_places();
"""

APPEND_ONLY = """
CREATE FUNCTION tokens_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON tokens_event
    FOR EACH ROW EXECUTE FUNCTION tokens_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON tokens_supplyevent
    FOR EACH ROW EXECUTE FUNCTION tokens_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON tokens_formernumber
    FOR EACH ROW EXECUTE FUNCTION tokens_append_only();
"""

NUMBERS = """
CREATE FUNCTION tokens_number_never_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM tokens_formernumber f
                WHERE f.session_id = NEW.session_id AND f.number = NEW.number AND f.token_id <> NEW.id) THEN
        RAISE EXCEPTION 'number % was given before in session %', NEW.number, NEW.session_id
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'number_once_a_session';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER number_never_again BEFORE INSERT ON tokens_token
    FOR EACH ROW EXECUTE FUNCTION tokens_number_never_again();
CREATE TRIGGER number_never_again_update BEFORE UPDATE OF session_id, number ON tokens_token
    FOR EACH ROW WHEN ((OLD.session_id, OLD.number) IS DISTINCT FROM (NEW.session_id, NEW.number))
    EXECUTE FUNCTION tokens_number_never_again();
"""

SLOT_OF_SESSION = """
ALTER TABLE tokens_token ADD CONSTRAINT token_slot_of_session FOREIGN KEY (slot_id, session_id)
    REFERENCES scheduling_slot (id, session_id) DEFERRABLE INITIALLY DEFERRED;
"""


class Migration(migrations.Migration):
    dependencies = [("tokens", "0001_initial"), ("scheduling", "0002_promises")]

    operations = [
        migrations.RunSQL(
            PLACES,
            "DROP TRIGGER count_places_insert ON tokens_token; DROP TRIGGER count_places_update ON tokens_token;"
            "DROP TRIGGER count_places_delete ON tokens_token; DROP FUNCTION tokens_count_places();",
        ),
        migrations.RunSQL(
            APPEND_ONLY,
            "DROP TRIGGER append_only ON tokens_event; DROP TRIGGER append_only ON tokens_supplyevent;"
            "DROP TRIGGER append_only ON tokens_formernumber; DROP FUNCTION tokens_append_only();",
        ),
        migrations.RunSQL(
            NUMBERS,
            "DROP TRIGGER number_never_again ON tokens_token;"
            "DROP TRIGGER number_never_again_update ON tokens_token; DROP FUNCTION tokens_number_never_again();",
        ),
        migrations.RunSQL(SLOT_OF_SESSION, "ALTER TABLE tokens_token DROP CONSTRAINT token_slot_of_session;"),
    ]
