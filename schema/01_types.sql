-- The types of the other files. All timestamps are without time zone and mean UTC.
--
-- Every file here can be run any number of times, over nothing, over what an older version left
-- and over a database that the Python implementation made: it adds what is missing, repairs what
-- is ours (functions, comments) and touches nothing else. The services run them in order, in one
-- transaction, under one advisory lock.

DO $$
BEGIN
    IF to_regtype('event_state') IS NULL THEN
        CREATE TYPE event_state AS ENUM (
            'UNEDITED', 'EDITED', 'CLAIMED', 'FINALIZING', 'TRANSCODING', 'DONE', 'MODIFIED'
        );
    END IF;
    IF to_regtype('thumbnail_mode') IS NULL THEN
        CREATE TYPE thumbnail_mode AS ENUM ('NONE', 'BARE', 'TEMPLATE', 'CUSTOM');
    END IF;
    IF to_regtype('video_range') IS NULL THEN
        CREATE TYPE video_range AS (start timestamp, "end" timestamp);
    END IF;
    IF to_regtype('video_transition') IS NULL THEN
        CREATE TYPE video_transition AS (type text, duration double precision);
    END IF;
    IF to_regtype('end_time') IS NULL THEN
        CREATE TYPE end_time AS (dashed boolean, value timestamp);
    END IF;
    IF to_regtype('box_coords') IS NULL THEN
        CREATE DOMAIN box_coords AS integer[] CHECK (
            VALUE IS NULL OR (
                array_ndims(VALUE) = 1
                AND cardinality(VALUE) = 4
                AND array_position(VALUE, NULL) IS NULL
            )
        );
    END IF;
END
$$;

COMMENT ON TYPE event_state IS 'How far an event is on its way to a published video.';
COMMENT ON TYPE thumbnail_mode IS 'Where a thumbnail comes from: nowhere, a frame, a frame in a template, an uploaded image.';
COMMENT ON TYPE video_range IS 'A stretch of a channel, from start up to but not including end.';
COMMENT ON TYPE video_transition IS 'How one range passes into the next: a kind and its duration in seconds.';
COMMENT ON TYPE end_time IS 'The end of an event; dashed: a moment without an end, value repeats its start.';
COMMENT ON DOMAIN box_coords IS 'A box in pixels: left, top, right, bottom.';
