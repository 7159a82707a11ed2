-- What stands around the events: nodes to backfill from, people's roles, thumbnail templates,
-- playlists.

CREATE TABLE IF NOT EXISTS nodes (
    name text PRIMARY KEY,
    url text NOT NULL,
    backfill_from boolean NOT NULL DEFAULT true
);

COMMENT ON TABLE nodes IS 'The installations that hold segments.';
COMMENT ON COLUMN nodes.name IS 'What the node is called, unique.';
COMMENT ON COLUMN nodes.url IS 'The address of its restreamer.';
COMMENT ON COLUMN nodes.backfill_from IS 'Whether the other nodes copy from it.';

CREATE TABLE IF NOT EXISTS roles (
    email text PRIMARY KEY,
    name text NOT NULL,
    editor boolean NOT NULL DEFAULT false,
    artist boolean NOT NULL DEFAULT false
);

COMMENT ON TABLE roles IS 'Who may do what.';
COMMENT ON COLUMN roles.email IS 'The address that the person logs in with, in lower case.';
COMMENT ON COLUMN roles.name IS 'What the person is called.';
COMMENT ON COLUMN roles.editor IS 'Whether they may edit events.';
COMMENT ON COLUMN roles.artist IS 'Whether they may change thumbnail templates.';

CREATE TABLE IF NOT EXISTS templates (
    name text PRIMARY KEY,
    image bytea NOT NULL,
    description text NOT NULL DEFAULT '',
    attribution text NOT NULL DEFAULT '',
    crop box_coords NOT NULL,
    location box_coords NOT NULL
);

COMMENT ON TABLE templates IS 'Images that a frame is put into to make a thumbnail.';
COMMENT ON COLUMN templates.name IS 'What the template is called, unique.';
COMMENT ON COLUMN templates.image IS 'The image as PNG, transparent where the frame shows.';
COMMENT ON COLUMN templates.description IS 'What it is for.';
COMMENT ON COLUMN templates.attribution IS 'Who made it, as added to a video''s description.';
COMMENT ON COLUMN templates.crop IS 'The part of the frame to show.';
COMMENT ON COLUMN templates.location IS 'Where in the image to show it.';

CREATE TABLE IF NOT EXISTS playlists (
    id text PRIMARY KEY,
    name text NOT NULL DEFAULT '',
    description text NOT NULL DEFAULT '',
    tags text[],
    playlist_id text UNIQUE,
    show_in_description boolean NOT NULL DEFAULT false,
    first_event_id text,
    last_event_id text,
    default_template text
);

COMMENT ON TABLE playlists IS 'The playlists that published videos are put into.';
COMMENT ON COLUMN playlists.id IS 'Made once, stays with the row.';
COMMENT ON COLUMN playlists.name IS 'What the playlist is called.';
COMMENT ON COLUMN playlists.description IS 'What it holds.';
COMMENT ON COLUMN playlists.tags IS 'An event with all of these is in it; NULL matches nothing, empty everything.';
COMMENT ON COLUMN playlists.playlist_id IS 'What the upload location calls it.';
COMMENT ON COLUMN playlists.show_in_description IS 'Whether the descriptions of its videos link to it.';
COMMENT ON COLUMN playlists.first_event_id IS 'The event whose video is to be the first.';
COMMENT ON COLUMN playlists.last_event_id IS 'The event whose video is to be the last.';
COMMENT ON COLUMN playlists.default_template IS 'The template that its events'' thumbnails begin with.';

DO $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_constraint
        WHERE conrelid = 'roles'::regclass AND conname = 'roles_email_lower_case'
    ) THEN
        ALTER TABLE roles ADD CONSTRAINT roles_email_lower_case CHECK (email = lower(email));
    END IF;
END
$$;
