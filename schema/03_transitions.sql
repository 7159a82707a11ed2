-- The legal transitions between the states of an event. Whoever asks for another one is refused.

CREATE OR REPLACE FUNCTION events_check_transition() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF (OLD.state, NEW.state) IN (
        ('UNEDITED', 'EDITED'),         -- edit inputs were submitted
        ('EDITED', 'UNEDITED'),         -- an operator cancels
        ('CLAIMED', 'UNEDITED'),        -- an operator cancels, or an unrecoverable error
        ('EDITED', 'CLAIMED'),          -- a cutter takes it
        ('CLAIMED', 'EDITED'),          -- a recoverable error, or the cutter died
        ('CLAIMED', 'FINALIZING'),      -- all bytes were sent; the next request publishes
        ('FINALIZING', 'EDITED'),       -- publishing surely did not happen, recoverable
        ('FINALIZING', 'UNEDITED'),     -- publishing surely did not happen, not recoverable
        ('FINALIZING', 'TRANSCODING'),  -- published, the place still processes it
        ('FINALIZING', 'DONE'),         -- published and ready
        ('TRANSCODING', 'DONE'),        -- ready
        ('DONE', 'MODIFIED'),           -- what was published shall change
        ('MODIFIED', 'DONE')            -- it was changed, or the change was dropped
    ) THEN
        RETURN NEW;
    END IF;
    -- A video that was published without us is linked by hand: no cutter ever sees it.
    IF OLD.state = 'UNEDITED' AND NEW.state = 'DONE'
        AND NEW.upload_location IN ('manual', 'youtube-manual')
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'event % cannot go from % to %', OLD.id, OLD.state, NEW.state
        USING ERRCODE = 'check_violation',
            TABLE = TG_TABLE_NAME,
            CONSTRAINT = 'events_transition',
            HINT = 'docs/EVENTS.md has the table of legal transitions.';
END
$$;

COMMENT ON FUNCTION events_check_transition() IS 'Refuses every state transition that is not in the table of docs/EVENTS.md.';

DO $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_trigger WHERE tgrelid = 'events'::regclass AND tgname = 'events_transition'
    ) THEN
        CREATE TRIGGER events_transition
        BEFORE UPDATE ON events
        FOR EACH ROW
        WHEN (OLD.state IS DISTINCT FROM NEW.state)
        EXECUTE FUNCTION events_check_transition();
    END IF;
END
$$;
