//! Taking in the bytes of one attempt: decrypted, written, hashed and examined while the cache has them,
//! into a temp file or, once the disk refuses or does not answer, into memory. Everything here blocks, but
//! what is dropped.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use common::format::media::examiner::{Examination, Examiner, Finding, Format, shortfall};
use common::format::segment::Completeness;
use common::io::store::SegmentDraft;
use common::service::CancellationToken;

use super::Fetched;
use super::body::{Body, Verdict, judge};
use super::cipher::{Decryptor, WrongPadding};
use crate::held::{Binned, Held, Holding, Place, Target, disk_full};
use crate::planner::{Attempt, Failure, Retry};

/// The bytes of an attempt.
#[derive(Debug)]
pub(super) struct Intake {
    target: Target,
    holding: Holding,
    rank: usize,
    stop: CancellationToken,
    /// The initialization section, until it is written.
    front: Bytes,
    decryptor: Option<Decryptor>,
    /// Looks at what is still to be decrypted, which would make an error page illegible.
    encrypted: Examiner,
    /// Looks at what is stored.
    examiner: Examiner,
    format: Option<Format>,
    /// Whether nobody waits for it any more, since the disk did not answer.
    abandoned: Abandoned,
    sink: Sink,
}

/// Tells an intake in a thread that hangs that others do without it.
#[derive(Clone, Debug, Default)]
pub(super) struct Abandoned(Arc<AtomicBool>);

impl Abandoned {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

#[derive(Debug)]
enum Sink {
    /// Nothing has come yet.
    Empty,
    File(Binned),
    Memory(Memory),
}

/// Bytes that the disk did not take.
#[derive(Debug)]
struct Memory {
    pieces: Vec<Bytes>,
    size: u64,
    place: Place,
}

/// What a body that has ended is worth.
#[derive(Debug)]
pub(super) enum Closed {
    /// Nothing better is to be had, and it was published or waits for that.
    Whole(Fetched),
    /// It may be published if there is no better one.
    Short(Lost),
}

/// An attempt that did not bring the segment whole.
#[derive(Debug)]
pub(super) struct Lost {
    pub(super) failure: Failure,
    /// What it brought all the same.
    pub(super) kept: Option<Box<Kept>>,
}

/// What may be published.
#[derive(Debug)]
pub(super) struct Kept {
    intake: Intake,
    completeness: Completeness,
}

impl Lost {
    pub(super) fn nothing(failure: Failure) -> Self {
        Self { failure, kept: None }
    }

    /// The better copy of two.
    pub(super) fn better(one: Option<Box<Kept>>, other: Option<Box<Kept>>) -> Option<Box<Kept>> {
        // suspect before partial, then the longer one
        let worth = |kept: &Kept| (std::cmp::Reverse(kept.completeness), kept.intake.size());
        match (one, other) {
            (Some(one), Some(other)) if worth(&other) > worth(&one) => Some(other),
            (one, other) => one.or(other),
        }
    }
}

impl Kept {
    /// Publishes it, though `failure` says that it is not what was wanted. Blocks.
    pub(super) fn publish(self, failure: Failure) -> Fetched {
        self.intake.publish(self.completeness, Some(failure))
    }

    /// What holds its bytes.
    pub(super) fn intake(&self) -> &Intake {
        &self.intake
    }
}

impl Intake {
    pub(super) fn new(
        target: Target,
        holding: Holding,
        rank: usize,
        stop: CancellationToken,
        front: Bytes,
        decryptor: Option<Decryptor>,
    ) -> Self {
        Self {
            target,
            holding,
            rank,
            stop,
            decryptor,
            encrypted: Examiner::default(),
            examiner: Examiner::after(&front),
            format: None,
            front,
            abandoned: Abandoned::default(),
            sink: Sink::Empty,
        }
    }

    /// Takes everything into memory from the beginning, since the disk does not answer; as a spare, if the
    /// disk has it as well.
    pub(super) fn keep_in_memory(&mut self, as_a_spare: bool) {
        let place = self.holding.enter_unanswered(self.rank, self.target.start);
        let place = if as_a_spare { place.of_a_spare() } else { place };
        self.sink = Sink::Memory(Memory { pieces: Vec::new(), size: 0, place });
    }

    /// Whether nothing has come yet.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self.sink, Sink::Empty)
    }

    /// Whether it needs no disk.
    pub(super) fn is_in_memory(&self) -> bool {
        matches!(self.sink, Sink::Memory(_))
    }

    /// What tells it that it is abandoned.
    pub(super) fn abandoned(&self) -> Abandoned {
        self.abandoned.clone()
    }

    /// Takes in the next bytes of the body, as they came.
    ///
    /// # Errors
    ///
    /// When neither the disk nor the memory has room for them.
    pub(super) fn take_in(&mut self, pieces: Vec<Bytes>) -> Result<(), Failure> {
        if pieces.is_empty() {
            return Ok(());
        }
        let Some(decryptor) = &mut self.decryptor else { return self.take_in_clear(pieces) };
        for piece in &pieces {
            self.encrypted.feed(piece);
        }
        let clear = decryptor.update(&pieces);
        self.take_in_clear(vec![clear])
    }

    fn take_in_clear(&mut self, mut pieces: Vec<Bytes>) -> Result<(), Failure> {
        let has_front = !self.front.is_empty();
        if has_front {
            pieces.insert(0, std::mem::take(&mut self.front));
        }
        self.append(&pieces)?;
        for piece in pieces.iter().skip(usize::from(has_front)) {
            self.examiner.feed(piece);
        }
        Ok(())
    }

    fn append(&mut self, pieces: &[Bytes]) -> Result<(), Failure> {
        let refused = match &mut self.sink {
            Sink::Memory(memory) => return memory.append(pieces),
            Sink::File(draft) => match draft.get().append(pieces) {
                Ok(()) => return Ok(()),
                Err(error) => (error, draft.get().recall()),
            },
            Sink::Empty => match self.begin(pieces) {
                Ok(draft) => {
                    self.sink = Sink::File(self.holding.binned(draft));
                    return Ok(());
                }
                Err(error) => (error, Ok(Vec::new())),
            },
        };
        let mut memory = self.remembered(&refused.0, refused.1)?;
        memory.append(pieces)?;
        self.remove();
        self.sink = Sink::Memory(memory);
        Ok(())
    }

    /// Removes what was written, at once.
    fn remove(&mut self) {
        if let Sink::File(file) = std::mem::replace(&mut self.sink, Sink::Empty) {
            drop(file.take());
        }
    }

    fn begin(&self, pieces: &[Bytes]) -> io::Result<SegmentDraft> {
        let mut draft = self.target.begin()?;
        draft.append(pieces)?;
        Ok(draft)
    }

    /// A place in memory for what the disk refused with `error`, with what it had taken before.
    fn remembered(
        &self,
        error: &io::Error,
        recalled: io::Result<Vec<u8>>,
    ) -> Result<Memory, Failure> {
        if self.abandoned.get() {
            // it is in memory already, or is fetched again
            return Err(unanswered());
        }
        let place = self.holding.enter(self.rank, self.target.start, error);
        let mut memory = Memory { pieces: Vec::new(), size: 0, place };
        match recalled {
            Ok(bytes) => memory.append(&[bytes.into()]).map(|()| memory),
            Err(problem) => {
                let detail = format!("cannot be stored ({error}) nor read back ({problem})");
                Err(disk_full(detail, Retry::Later))
            }
        }
    }

    fn size(&self) -> u64 {
        match &self.sink {
            Sink::Empty => 0,
            Sink::File(draft) => draft.size(),
            Sink::Memory(memory) => memory.size,
        }
    }

    /// Takes in the last bytes and judges the whole; publishes it unless a better copy is wanted.
    /// `body` says what the attempt knows of it beside its bytes.
    pub(super) fn close(mut self, last: Vec<Bytes>, body: Body) -> Closed {
        match self.judge(last, body) {
            Ok(Verdict::Publish(completeness, None)) => {
                Closed::Whole(self.publish(completeness, None))
            }
            Ok(Verdict::Publish(completeness, Some(failure))) => {
                let kept = Some(Box::new(Kept { intake: self, completeness }));
                Closed::Short(Lost { failure, kept })
            }
            Ok(Verdict::Discard(failure)) | Err(failure) => {
                self.remove();
                Closed::Short(Lost::nothing(failure))
            }
        }
    }

    fn judge(&mut self, last: Vec<Bytes>, body: Body) -> Result<Verdict, Failure> {
        self.take_in(last)?;
        let decryptor = self.decryptor.take().filter(|_| body.is_complete());
        let garbled = match decryptor.map(Decryptor::finish) {
            Some(Ok(end)) => {
                self.take_in_clear(vec![end])?;
                None
            }
            Some(Err(WrongPadding)) => Some("it does not decrypt to anything with a proper end"),
            None => None,
        };
        let encrypted = std::mem::take(&mut self.encrypted).finish();
        let Examination { finding, media_time, format } =
            std::mem::take(&mut self.examiner).finish();
        self.format = format;
        // a page begins with two bytes that one ciphertext in thousands begins with as well, and does not
        // decrypt to whole packets or boxes with a proper end
        let is_decrypted = garbled.is_none() && finding == Finding::Sound;
        let is_text = encrypted.finding == Finding::Text && !is_decrypted;
        let finding = if is_text { Finding::Text } else { finding };
        let shortfall = media_time.as_ref().zip(body.promised).and_then(|(found, promised)| {
            shortfall(found, promised, body.version).map(|short| short.to_string())
        });
        Ok(judge(&Body { garbled, finding, shortfall, size: self.size(), ..body }))
    }

    /// Publishes what was taken in, or lets it wait for that in memory.
    fn publish(mut self, completeness: Completeness, failure: Option<Failure>) -> Fetched {
        let sink = match self.take_sink() {
            Ok(sink) => sink,
            Err(failure) => return failed(failure),
        };
        let memory = match sink {
            Ok(draft) => match draft.publish(completeness) {
                Ok(published) => {
                    self.holding.disk_works();
                    let saved = Some(self.target.saved(completeness, &published));
                    let format = self.format;
                    return Fetched::Done(Attempt { saved, failure, format, elsewhere: None });
                }
                Err(refused) => self.remembered(&refused.error, refused.draft.recall()),
            },
            Err(memory) => Ok(memory),
        };
        match memory {
            Ok(Memory { pieces, place, size }) => {
                let Self { target, stop, format, .. } = self;
                Fetched::Held(Box::new(Held {
                    pieces,
                    size,
                    place,
                    target,
                    completeness,
                    failure,
                    format,
                    stop,
                    late: None,
                }))
            }
            Err(failure) => failed(failure),
        }
    }

    /// Where the bytes are, which may be none.
    fn take_sink(&mut self) -> Result<Result<SegmentDraft, Memory>, Failure> {
        if matches!(self.sink, Sink::Empty) {
            self.take_in_clear(Vec::new())?;
        }
        match std::mem::replace(&mut self.sink, Sink::Empty) {
            Sink::File(draft) => Ok(Ok(draft.take())),
            Sink::Memory(memory) => Ok(Err(memory)),
            Sink::Empty => unreachable!("whatever is appended has begun"),
        }
    }
}

fn failed(failure: Failure) -> Fetched {
    Fetched::Done(Attempt::failed(failure))
}

/// The disk did not answer, and has what came: it is fetched again, into memory.
pub(super) fn unanswered() -> Failure {
    disk_full("the disk does not answer".to_owned(), Retry::After(Duration::ZERO))
}

impl Memory {
    fn append(&mut self, pieces: &[Bytes]) -> Result<(), Failure> {
        let size = pieces.iter().map(|piece| piece.len() as u64).sum();
        self.place.grow(size)?;
        self.size += size;
        // as they came they may be parts of something larger that would stay in memory with them
        let all = pieces.concat();
        self.pieces.push(all.into());
        Ok(())
    }
}
