-- A database as the Python implementation makes it, by its published shape: the same names and
-- types as ours, rules without our names, no transition trigger, an audit trigger and further
-- tables of its own.

CREATE TYPE event_state AS ENUM
    ('UNEDITED', 'EDITED', 'CLAIMED', 'FINALIZING', 'TRANSCODING', 'DONE', 'MODIFIED');
CREATE TYPE video_range AS (start timestamp, "end" timestamp);
CREATE TYPE video_transition AS (type text, duration double precision);
CREATE TYPE thumbnail_mode AS ENUM ('NONE', 'BARE', 'TEMPLATE', 'CUSTOM');
CREATE DOMAIN box_coords AS integer[] CHECK (VALUE IS NULL OR cardinality(VALUE) = 4);
CREATE TYPE end_time AS (dashed boolean, value timestamp);

CREATE TABLE events (
    id text PRIMARY KEY,
    sheet_name text NOT NULL,
    event_start timestamp,
    event_end end_time DEFAULT ROW (false, NULL)
        CHECK ((event_end).dashed IS NOT NULL)
        CHECK (NOT (event_end).dashed OR (event_end).value = event_start),
    category text NOT NULL DEFAULT '',
    description text NOT NULL DEFAULT '',
    submitter_winner text NOT NULL DEFAULT '',
    poster_moment boolean NOT NULL DEFAULT false,
    image_links text[] NOT NULL DEFAULT '{}',
    notes text NOT NULL DEFAULT '',
    tags text[] NOT NULL DEFAULT '{}',
    allow_holes boolean NOT NULL DEFAULT false,
    uploader_whitelist text[],
    upload_location text CHECK (state = 'UNEDITED' OR upload_location IS NOT NULL),
    public boolean NOT NULL DEFAULT true,
    video_ranges video_range[] CHECK (state IN ('UNEDITED', 'DONE') OR video_ranges IS NOT NULL),
    video_transitions video_transition[],
    CHECK (
        (video_ranges IS NULL AND video_transitions IS NULL)
        OR cardinality(video_ranges) = cardinality(video_transitions) + 1
    ),
    video_title text CHECK (state IN ('UNEDITED', 'DONE') OR video_title IS NOT NULL),
    video_description text CHECK (state IN ('UNEDITED', 'DONE') OR video_description IS NOT NULL),
    video_tags text[] CHECK (state IN ('UNEDITED', 'DONE') OR video_tags IS NOT NULL),
    video_channel text CHECK (state IN ('UNEDITED', 'DONE') OR video_channel IS NOT NULL),
    video_quality text NOT NULL DEFAULT 'source',
    thumbnail_mode thumbnail_mode NOT NULL DEFAULT 'TEMPLATE',
    thumbnail_time timestamp,
    thumbnail_template text,
    thumbnail_image bytea,
    thumbnail_last_written bytea CHECK (
        state <> 'DONE' OR thumbnail_mode = 'NONE' OR thumbnail_last_written IS NOT NULL
    ),
    thumbnail_crop box_coords,
    thumbnail_location box_coords,
    state event_state NOT NULL DEFAULT 'UNEDITED',
    uploader text CHECK (
        state IN ('UNEDITED', 'EDITED', 'DONE', 'MODIFIED') OR uploader IS NOT NULL
    ),
    error text,
    video_id text,
    video_link text CHECK (state NOT IN ('DONE', 'MODIFIED') OR video_link IS NOT NULL),
    editor text CHECK (state = 'UNEDITED' OR editor IS NOT NULL),
    edit_time timestamp,
    upload_time timestamp CHECK (state NOT IN ('DONE', 'MODIFIED') OR upload_time IS NOT NULL),
    last_modified timestamp CHECK (state <> 'MODIFIED' OR last_modified IS NOT NULL)
);
CREATE INDEX event_state ON events (state);

CREATE TABLE nodes (
    name text PRIMARY KEY,
    url text NOT NULL,
    backfill_from boolean NOT NULL DEFAULT true
);
CREATE TABLE roles (
    email text PRIMARY KEY CHECK (email = lower(email)),
    name text NOT NULL,
    editor boolean NOT NULL DEFAULT false,
    artist boolean NOT NULL DEFAULT false
);
CREATE TABLE templates (
    name text PRIMARY KEY,
    image bytea NOT NULL,
    description text NOT NULL DEFAULT '',
    attribution text NOT NULL DEFAULT '',
    crop box_coords NOT NULL,
    location box_coords NOT NULL
);
CREATE TABLE playlists (
    id text PRIMARY KEY,
    name text NOT NULL DEFAULT '',
    description text NOT NULL DEFAULT '',
    tags text[],
    playlist_id text UNIQUE,
    show_in_description boolean NOT NULL DEFAULT false,
    first_event_id text REFERENCES events (id),
    last_event_id text REFERENCES events (id),
    default_template text
);
CREATE TABLE encodes (id text PRIMARY KEY, claimed_by text);
CREATE TABLE bus_data (channel text, timestamp timestamp, odometer double precision);

CREATE SCHEMA audit;
CREATE TABLE audit.logged_actions (action_time timestamp, table_name text, row_data jsonb);
CREATE FUNCTION audit.log_action() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO audit.logged_actions VALUES (now(), TG_TABLE_NAME, to_jsonb(NEW));
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_action AFTER INSERT OR UPDATE ON events
FOR EACH ROW EXECUTE FUNCTION audit.log_action();

INSERT INTO events (id, sheet_name, event_start, event_end, description)
VALUES ('unedited', 'day 1', '2026-11-20 10:00', ROW (true, '2026-11-20 10:00'), 'A moment');
INSERT INTO events (
    id, sheet_name, upload_location, video_ranges, video_transitions, video_title,
    video_description, video_tags, video_channel, thumbnail_mode, state, editor
)
VALUES (
    'edited', 'day 1', 'youtube',
    ARRAY[('2026-11-20 10:00', '2026-11-20 10:01')]::video_range[],
    ARRAY[]::video_transition[], 'A title', 'Words', '{day 1}', 'chan', 'NONE', 'EDITED', 'someone'
);
INSERT INTO events (
    id, sheet_name, upload_location, thumbnail_mode, state, video_link, upload_time, editor
)
VALUES ('linked', 'day 1', 'manual', 'NONE', 'DONE', 'https://video.example/1', now(), 'someone');
INSERT INTO nodes (name, url) VALUES ('one', 'http://one.example');
