-- Asked instead of applying the schema by a service that may not change it: which columns does
-- the database lack that the services rely on? No row: it fits. Answered from the catalog, so that
-- a service needs rights only on the tables that it uses.
SELECT format('%s.%s (%s)', relation, attribute, kind)
FROM (VALUES
    ('events', 'id', 'text'),
    ('events', 'sheet_name', 'text'),
    ('events', 'event_start', 'timestamp without time zone'),
    ('events', 'event_end', 'end_time'),
    ('events', 'category', 'text'),
    ('events', 'description', 'text'),
    ('events', 'submitter_winner', 'text'),
    ('events', 'poster_moment', 'boolean'),
    ('events', 'image_links', 'text[]'),
    ('events', 'notes', 'text'),
    ('events', 'tags', 'text[]'),
    ('events', 'allow_holes', 'boolean'),
    ('events', 'uploader_whitelist', 'text[]'),
    ('events', 'upload_location', 'text'),
    ('events', 'public', 'boolean'),
    ('events', 'video_ranges', 'video_range[]'),
    ('events', 'video_transitions', 'video_transition[]'),
    ('events', 'video_title', 'text'),
    ('events', 'video_description', 'text'),
    ('events', 'video_tags', 'text[]'),
    ('events', 'video_channel', 'text'),
    ('events', 'video_quality', 'text'),
    ('events', 'thumbnail_mode', 'thumbnail_mode'),
    ('events', 'thumbnail_time', 'timestamp without time zone'),
    ('events', 'thumbnail_template', 'text'),
    ('events', 'thumbnail_image', 'bytea'),
    ('events', 'thumbnail_crop', 'box_coords'),
    ('events', 'thumbnail_location', 'box_coords'),
    ('events', 'state', 'event_state'),
    ('events', 'uploader', 'text'),
    ('events', 'error', 'text'),
    ('events', 'video_id', 'text'),
    ('events', 'video_link', 'text'),
    ('events', 'editor', 'text'),
    ('events', 'edit_time', 'timestamp without time zone'),
    ('events', 'upload_time', 'timestamp without time zone'),
    ('events', 'last_modified', 'timestamp without time zone'),
    ('events', 'thumbnail_last_written', 'bytea'),
    ('nodes', 'name', 'text'),
    ('nodes', 'url', 'text'),
    ('nodes', 'backfill_from', 'boolean'),
    ('roles', 'email', 'text'),
    ('roles', 'name', 'text'),
    ('roles', 'editor', 'boolean'),
    ('roles', 'artist', 'boolean'),
    ('templates', 'name', 'text'),
    ('templates', 'image', 'bytea'),
    ('templates', 'description', 'text'),
    ('templates', 'attribution', 'text'),
    ('templates', 'crop', 'box_coords'),
    ('templates', 'location', 'box_coords'),
    ('playlists', 'id', 'text'),
    ('playlists', 'name', 'text'),
    ('playlists', 'description', 'text'),
    ('playlists', 'tags', 'text[]'),
    ('playlists', 'playlist_id', 'text'),
    ('playlists', 'show_in_description', 'boolean'),
    ('playlists', 'first_event_id', 'text'),
    ('playlists', 'last_event_id', 'text'),
    ('playlists', 'default_template', 'text')
) AS needed (relation, attribute, kind)
WHERE NOT EXISTS (
    SELECT FROM pg_attribute
    WHERE attrelid = to_regclass(relation)
        AND attname = attribute
        AND format_type(atttypid, NULL) = kind
        AND NOT attisdropped
)
ORDER BY relation, attribute
