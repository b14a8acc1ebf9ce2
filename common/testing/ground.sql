-- What every test finds, remembered in the template, and how a database comes back to it after a test that committed.
-- Run once in a template, when its migrations are through; nothing of it is in the product.

CREATE SCHEMA ground;

-- The structure, in a number that any ALTER, CREATE or DROP changes, and any ANALYZE that is kept.
CREATE FUNCTION ground.structure() RETURNS numeric LANGUAGE sql STABLE AS $$
    SELECT sum(n) FROM (
        SELECT sum(xmin::text::bigint + oid::bigint) FROM pg_class WHERE oid >= 16384
        UNION ALL SELECT sum(xmin::text::bigint) FROM pg_attribute WHERE attrelid >= 16384
        UNION ALL SELECT sum(xmin::text::bigint + oid::bigint) FROM pg_constraint WHERE oid >= 16384
        UNION ALL SELECT sum(xmin::text::bigint + oid::bigint) FROM pg_trigger WHERE oid >= 16384
        UNION ALL SELECT sum(xmin::text::bigint + oid::bigint) FROM pg_proc WHERE oid >= 16384
        UNION ALL SELECT sum(xmin::text::bigint) FROM pg_index WHERE indexrelid >= 16384
        UNION ALL SELECT count(*) FROM pg_statistic WHERE starelid >= 16384
    ) AS each (n)
$$;

-- All rows of a table in a number.
CREATE FUNCTION ground.content(of regclass) RETURNS numeric LANGUAGE plpgsql STABLE AS $$
DECLARE
    found numeric;
BEGIN
    EXECUTE format('SELECT coalesce(sum(hashtextextended(row::text, 0)), 0) FROM %s AS row', of) INTO found;
    RETURN found;
END $$;

-- Tables that migrations fill, a copy of their rows, and the columns that can be written.
CREATE TABLE ground.filled (name regclass PRIMARY KEY, copy text NOT NULL, columns text NOT NULL, content numeric);
CREATE TABLE ground.sequences (name regclass PRIMARY KEY, value bigint NOT NULL, called boolean NOT NULL);
CREATE TABLE ground.tables (name regclass PRIMARY KEY);
CREATE TABLE ground.built (structure numeric NOT NULL);

DO $$
DECLARE
    each record;
    columns text;
    is_filled boolean;
BEGIN
    FOR each IN SELECT oid, relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP
        INSERT INTO ground.tables VALUES (each.oid);
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', each.oid::regclass) INTO is_filled;
        IF is_filled THEN
            EXECUTE format('CREATE TABLE ground.%I AS TABLE %s', 'of_' || each.relname, each.oid::regclass);
            SELECT string_agg(quote_ident(attname), ', ') INTO columns FROM pg_attribute
                WHERE attrelid = each.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
            INSERT INTO ground.filled
                VALUES (each.oid, format('ground.%I', 'of_' || each.relname), columns, ground.content(each.oid));
        END IF;
    END LOOP;
    FOR each IN SELECT oid FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace LOOP
        EXECUTE format('INSERT INTO ground.sequences SELECT %s, last_value, is_called FROM %s', each.oid, each.oid::regclass);
    END LOOP;
END $$;

-- Whoever else is connected is sent away, all at once, and gone when this ends: what a lost transaction held is free.
-- (To be told how long to wait, pg_terminate_backend looks ten times a second, and at one after the other.)
CREATE FUNCTION ground.send_away(most_seconds double precision) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    until CONSTANT timestamptz := clock_timestamp() + make_interval(secs => most_seconds);
BEGIN
    LOOP
        PERFORM pg_stat_clear_snapshot();
        PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid();
        EXIT WHEN NOT FOUND;
        IF clock_timestamp() > until THEN
            RAISE 'somebody is still connected after % seconds', most_seconds;
        END IF;
        PERFORM pg_sleep(0.001);
    END LOOP;
END $$;

-- Back to the ground. False where only a new copy of the template helps: the structure was changed, or so much was
-- written that deleted rows would be in the way. A test's triggers and foreign keys do not see it.
CREATE FUNCTION ground.restore(most_bytes bigint) RETURNS boolean LANGUAGE plpgsql
SET session_replication_role TO replica AS $$
DECLARE
    each record;
    written regclass[];
BEGIN
    IF ground.structure() <> (SELECT structure FROM ground.built) THEN
        RETURN false;
    END IF;
    SELECT array_agg(tables.name) INTO written FROM ground.tables LEFT JOIN ground.filled USING (name)
        WHERE filled.name IS NULL AND pg_relation_size(tables.name) > 0;
    IF (SELECT sum(pg_relation_size(name)) FROM unnest(written) AS name) > most_bytes THEN
        RETURN false;
    END IF;
    FOR each IN SELECT name FROM unnest(written) AS name LOOP
        EXECUTE format('DELETE FROM %s', each.name);
    END LOOP;
    FOR each IN SELECT * FROM ground.filled WHERE content <> ground.content(name) LOOP
        EXECUTE format('DELETE FROM %s', each.name);
        EXECUTE format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM %s', each.name, each.columns, each.copy);
    END LOOP;
    PERFORM setval(name, value, called) FROM ground.sequences;
    RETURN true;
END $$;

INSERT INTO ground.built SELECT ground.structure();
