-- Every change to events and templates, kept for good: when, by whom, what was and what is.
-- Images are told by length and hash only.

CREATE TABLE IF NOT EXISTS audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    changed_at timestamp NOT NULL,
    table_name text NOT NULL,
    row_id text NOT NULL,
    operation text NOT NULL,
    transaction_id bigint NOT NULL,
    database_user text NOT NULL,
    application_name text NOT NULL,
    old_values jsonb NOT NULL,
    new_values jsonb NOT NULL
);

COMMENT ON TABLE audit_log IS 'Every change to events and templates.';
COMMENT ON COLUMN audit_log.id IS 'The order in which the changes were made.';
COMMENT ON COLUMN audit_log.changed_at IS 'When the change was made, in UTC.';
COMMENT ON COLUMN audit_log.table_name IS 'The table: events or templates.';
COMMENT ON COLUMN audit_log.row_id IS 'The changed row''s primary key, as it was before the change.';
COMMENT ON COLUMN audit_log.operation IS 'INSERT, UPDATE or DELETE.';
COMMENT ON COLUMN audit_log.transaction_id IS 'Changes of one transaction share this number.';
COMMENT ON COLUMN audit_log.database_user IS 'The database user who made the change.';
COMMENT ON COLUMN audit_log.application_name IS 'What the client called itself.';
COMMENT ON COLUMN audit_log.old_values IS 'The changed columns before; empty for an INSERT.';
COMMENT ON COLUMN audit_log.new_values IS 'The changed columns after; empty for a DELETE.';

CREATE INDEX IF NOT EXISTS audit_log_row ON audit_log (table_name, row_id);

-- What is kept of an image.
CREATE OR REPLACE FUNCTION audit_image(image bytea) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT
AS $$
    SELECT jsonb_build_object('bytes', octet_length(image), 'sha256', encode(sha256(image), 'hex'))
$$;

COMMENT ON FUNCTION audit_image(bytea) IS 'What the audit log keeps of an image: its length and hash.';

-- Arguments of the trigger: the column of the primary key, the column of the image.
-- With its owner's rights, because who may change an event need not be able to touch the log; so
-- nothing here may be looked up where a caller could put something of that name.
CREATE OR REPLACE FUNCTION audit_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    key_column CONSTANT text := TG_ARGV[0];
    image_column CONSTANT text := TG_ARGV[1];
    -- laid over a row before it becomes JSON: a megabyte of image would become two of text
    no_image CONSTANT jsonb := jsonb_build_object(image_column, NULL);
    describe_image CONSTANT text := format('SELECT %I.audit_image($1)', TG_TABLE_SCHEMA);
    old_row jsonb := '{}';
    new_row jsonb := '{}';
    old_image bytea;
    new_image bytea;
    described jsonb;
    old_values jsonb;
    new_values jsonb;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        old_row := to_jsonb(jsonb_populate_record(OLD, no_image));
        EXECUTE format('SELECT ($1).%I', image_column) USING OLD INTO old_image;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        new_row := to_jsonb(jsonb_populate_record(NEW, no_image));
        EXECUTE format('SELECT ($1).%I', image_column) USING NEW INTO new_image;
    END IF;
    IF old_image IS DISTINCT FROM new_image THEN
        IF TG_OP <> 'INSERT' THEN
            EXECUTE describe_image USING old_image INTO described;
            old_row := old_row || jsonb_build_object(image_column, described);
        END IF;
        IF TG_OP <> 'DELETE' THEN
            EXECUTE describe_image USING new_image INTO described;
            new_row := new_row || jsonb_build_object(image_column, described);
        END IF;
    END IF;

    SELECT coalesce(jsonb_object_agg(key, value), '{}') INTO old_values
    FROM jsonb_each(old_row) WHERE value IS DISTINCT FROM new_row -> key;
    SELECT coalesce(jsonb_object_agg(key, value), '{}') INTO new_values
    FROM jsonb_each(new_row) WHERE value IS DISTINCT FROM old_row -> key;
    IF TG_OP = 'UPDATE' AND new_values = '{}' THEN
        RETURN NULL;
    END IF;

    EXECUTE format(
        'INSERT INTO %I.audit_log (changed_at, table_name, row_id, operation, transaction_id,'
        ' database_user, application_name, old_values, new_values)'
        ' VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)',
        TG_TABLE_SCHEMA
    ) USING
        clock_timestamp() AT TIME ZONE 'UTC',
        TG_TABLE_NAME,
        coalesce(old_row ->> key_column, new_row ->> key_column),
        TG_OP,
        txid_current(),
        session_user,
        coalesce(current_setting('application_name', true), ''),
        old_values,
        new_values;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION audit_change() IS 'Writes what a statement changed in a row to the audit log.';

DO $$
DECLARE
    audited record;
BEGIN
    FOR audited IN
        SELECT * FROM (VALUES
            ('events', 'id', 'thumbnail_image'),
            ('templates', 'name', 'image')
        ) AS audited (relation, key_column, image_column)
    LOOP
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_trigger
            WHERE tgrelid = audited.relation::regclass AND tgname = 'audit_change'
        );
        EXECUTE format(
            'CREATE TRIGGER audit_change AFTER INSERT OR UPDATE OR DELETE ON %I'
            ' FOR EACH ROW EXECUTE FUNCTION audit_change(%L, %L)',
            audited.relation, audited.key_column, audited.image_column
        );
    END LOOP;
END
$$;
