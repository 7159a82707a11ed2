-- Events: one row is one thing that happened on stream and may become a video. It is the record
-- that people fill in, the job that cutters compete for, and the proof of what was published.

CREATE TABLE IF NOT EXISTS events (
    id text PRIMARY KEY,

    -- inputs: what happened, filled in while it is watched
    sheet_name text NOT NULL,
    event_start timestamp,
    event_end end_time DEFAULT ROW (false, NULL),
    category text NOT NULL DEFAULT '',
    description text NOT NULL DEFAULT '',
    submitter_winner text NOT NULL DEFAULT '',
    poster_moment boolean NOT NULL DEFAULT false,
    image_links text[] NOT NULL DEFAULT '{}',
    notes text NOT NULL DEFAULT '',
    tags text[] NOT NULL DEFAULT '{}',

    -- edit: what the video shall be, filled in by an editor
    allow_holes boolean NOT NULL DEFAULT false,
    uploader_whitelist text[],
    upload_location text,
    public boolean NOT NULL DEFAULT true,
    video_ranges video_range[],
    video_transitions video_transition[],
    video_title text,
    video_description text,
    video_tags text[],
    video_channel text,
    video_quality text NOT NULL DEFAULT 'source',
    thumbnail_mode thumbnail_mode NOT NULL DEFAULT 'TEMPLATE',
    thumbnail_time timestamp,
    thumbnail_template text,
    thumbnail_image bytea,
    thumbnail_crop box_coords,
    thumbnail_location box_coords,

    -- state: what became of it
    state event_state NOT NULL DEFAULT 'UNEDITED',
    uploader text,
    error text,
    video_id text,
    video_link text,
    editor text,
    edit_time timestamp,
    upload_time timestamp,
    last_modified timestamp,
    thumbnail_last_written bytea
);

COMMENT ON TABLE events IS 'What happened on stream and may become a video; also the queue of the cutters.';
COMMENT ON COLUMN events.id IS 'Input. Made once, stays with the row.';
COMMENT ON COLUMN events.sheet_name IS 'Input. The worksheet or day that it belongs to, used as a tag.';
COMMENT ON COLUMN events.event_start IS 'Input. When it began, as noted by a person.';
COMMENT ON COLUMN events.event_end IS 'Input. When it ended, as noted by a person; dashed for a moment without an end.';
COMMENT ON COLUMN events.category IS 'Input. What kind of thing it was.';
COMMENT ON COLUMN events.description IS 'Input. What happened.';
COMMENT ON COLUMN events.submitter_winner IS 'Input. Who submitted or won what it is about.';
COMMENT ON COLUMN events.poster_moment IS 'Input. Whether it is one of the moments to remember.';
COMMENT ON COLUMN events.image_links IS 'Input. Addresses of pictures of it.';
COMMENT ON COLUMN events.notes IS 'Input. Anything else, for people.';
COMMENT ON COLUMN events.tags IS 'Input. Labels, by which playlists choose.';
COMMENT ON COLUMN events.allow_holes IS 'Edit. Cut although video is missing inside a range.';
COMMENT ON COLUMN events.uploader_whitelist IS 'Edit. The only cutters that may take it; NULL: any.';
COMMENT ON COLUMN events.upload_location IS 'Edit. Where to publish; taken only by a cutter that has a location of this name. manual and youtube-manual: linked by hand.';
COMMENT ON COLUMN events.public IS 'Edit. Whether the video is listed.';
COMMENT ON COLUMN events.video_ranges IS 'Edit. What the video shows, at least one range.';
COMMENT ON COLUMN events.video_transitions IS 'Edit. How each range passes into the next, so one fewer than ranges; a NULL element is a hard cut.';
COMMENT ON COLUMN events.video_title IS 'Edit. The title to publish under.';
COMMENT ON COLUMN events.video_description IS 'Edit. The description to publish.';
COMMENT ON COLUMN events.video_tags IS 'Edit. The tags to publish.';
COMMENT ON COLUMN events.video_channel IS 'Edit. The channel that the ranges are of.';
COMMENT ON COLUMN events.video_quality IS 'Edit. The quality that the ranges are cut from.';
COMMENT ON COLUMN events.thumbnail_mode IS 'Edit. Where the thumbnail comes from.';
COMMENT ON COLUMN events.thumbnail_time IS 'Edit. The moment whose frame is shown; needed by BARE and TEMPLATE.';
COMMENT ON COLUMN events.thumbnail_template IS 'Edit. The name of the template that the frame is put into; needed by TEMPLATE.';
COMMENT ON COLUMN events.thumbnail_image IS 'Edit. The image itself: given with CUSTOM, made and kept here when needed otherwise.';
COMMENT ON COLUMN events.thumbnail_crop IS 'Edit. The part of the frame to show; NULL: as the template says.';
COMMENT ON COLUMN events.thumbnail_location IS 'Edit. Where in the template to show it; NULL: as the template says.';
COMMENT ON COLUMN events.state IS 'State. How far it is; changes only along the legal transitions.';
COMMENT ON COLUMN events.uploader IS 'State. The cutter that holds it, or where an unrecoverable error happened.';
COMMENT ON COLUMN events.error IS 'State. Why it does not go on, for people.';
COMMENT ON COLUMN events.video_id IS 'State. What the upload location calls the video.';
COMMENT ON COLUMN events.video_link IS 'State. Where the published video is.';
COMMENT ON COLUMN events.editor IS 'State. Who edited it last.';
COMMENT ON COLUMN events.edit_time IS 'State. When it was edited last.';
COMMENT ON COLUMN events.upload_time IS 'State. When it was published.';
COMMENT ON COLUMN events.last_modified IS 'State. When a published video was last changed.';
COMMENT ON COLUMN events.thumbnail_last_written IS 'State. SHA-256 of the thumbnail that was last sent to the upload location.';

-- What must be there in which state. A rule that rows of another implementation already break is
-- kept for everything written from now on.
DO $$
DECLARE
    -- A DONE row that was linked by hand has no cut to describe.
    by_hand CONSTANT text := $test$
        (state = 'DONE' AND (video_ranges IS NULL OR upload_location IN ('manual', 'youtube-manual')))
    $test$;
    rule record;
BEGIN
    FOR rule IN
        SELECT * FROM (VALUES
            ('events_event_end', $test$
                (event_end).dashed IS NOT NULL
                AND (NOT (event_end).dashed OR (event_end).value IS NOT DISTINCT FROM event_start)
            $test$),
            ('events_upload_location', $test$ upload_location IS NOT NULL OR state = 'UNEDITED' $test$),
            ('events_video_ranges', $test$ video_ranges IS NOT NULL OR state IN ('UNEDITED', 'DONE') $test$),
            ('events_video_transitions', $test$
                (video_ranges IS NULL) = (video_transitions IS NULL)
                AND coalesce(cardinality(video_ranges) = cardinality(video_transitions) + 1, true)
            $test$),
            ('events_video_title', $test$ video_title IS NOT NULL OR state IN ('UNEDITED', 'DONE') $test$),
            ('events_video_description', $test$ video_description IS NOT NULL OR state IN ('UNEDITED', 'DONE') $test$),
            ('events_video_tags', $test$ video_tags IS NOT NULL OR state IN ('UNEDITED', 'DONE') $test$),
            ('events_video_channel', $test$ video_channel IS NOT NULL OR state IN ('UNEDITED', 'DONE') $test$),
            ('events_thumbnail_time', $test$
                thumbnail_time IS NOT NULL OR thumbnail_mode NOT IN ('BARE', 'TEMPLATE') OR state = 'UNEDITED' OR
            $test$ || by_hand),
            ('events_thumbnail_template', $test$
                thumbnail_template IS NOT NULL OR thumbnail_mode <> 'TEMPLATE' OR state = 'UNEDITED' OR
            $test$ || by_hand),
            ('events_thumbnail_image', $test$
                thumbnail_image IS NOT NULL OR thumbnail_mode <> 'CUSTOM' OR state = 'UNEDITED' OR
            $test$ || by_hand),
            ('events_thumbnail_last_written', $test$
                thumbnail_last_written IS NOT NULL OR thumbnail_mode = 'NONE' OR state <> 'DONE' OR
            $test$ || by_hand),
            ('events_uploader', $test$ uploader IS NOT NULL OR state NOT IN ('CLAIMED', 'FINALIZING', 'TRANSCODING') $test$),
            ('events_editor', $test$ editor IS NOT NULL OR state = 'UNEDITED' $test$),
            ('events_video_link', $test$ video_link IS NOT NULL OR state NOT IN ('DONE', 'MODIFIED') $test$),
            ('events_upload_time', $test$ upload_time IS NOT NULL OR state NOT IN ('DONE', 'MODIFIED') $test$),
            ('events_last_modified', $test$ last_modified IS NOT NULL OR state <> 'MODIFIED' $test$)
        ) AS rules (name, test)
    LOOP
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_constraint
            WHERE conrelid = 'events'::regclass AND conname = rule.name
        );
        BEGIN
            EXECUTE format('ALTER TABLE events ADD CONSTRAINT %I CHECK (%s)', rule.name, rule.test);
        EXCEPTION WHEN check_violation THEN
            EXECUTE format('ALTER TABLE events ADD CONSTRAINT %I CHECK (%s) NOT VALID', rule.name, rule.test);
        END;
    END LOOP;
END
$$;

-- Cutters ask for a state every second. Another implementation's index serves as well as ours.
DO $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_index
        JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
        WHERE indrelid = 'events'::regclass AND attname = 'state' AND indpred IS NULL
    ) THEN
        CREATE INDEX events_state ON events (state);
    END IF;
END
$$;
