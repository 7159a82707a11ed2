//! What lies at the addresses that lists name: segments, initialization sections, the key.

use super::{Channel, Pending};
use crate::origin::answer::Answer;
use crate::origin::faults::SegmentFault;
use crate::origin::footage::{Clip, KEY, SEGMENTS};
use crate::origin::http::Request;
use crate::origin::list::range_of;
use crate::origin::record::SegmentAnswer;
use crate::origin::script::{Addressed, Method};
use crate::origin::stream::Published;

const MEDIA: [(&str, &str); 1] = [("Content-Type", "video/mp2t")];

impl Channel {
    pub(super) fn key(&self) -> Answer {
        match self.script.shape.key_status {
            Some(status) => Answer::status(status),
            None => Answer::new(200, &[], &KEY),
        }
    }

    pub(super) fn resource(
        &self,
        request: &Request,
        name: &str,
        now: i64,
        is_present: bool,
    ) -> (Answer, Pending) {
        let not_there = (Answer::status(404), Pending::Nothing);
        if let Some(section) = name.strip_suffix(".mp4") {
            return (self.section(section, now), Pending::Nothing);
        }
        let Some(name) = name.strip_suffix(".ts") else { return not_there };
        if let Some(index) = name.strip_prefix("ad-").and_then(|index| index.parse::<i32>().ok()) {
            let at = usize::try_from(index.unsigned_abs()).unwrap_or(0) % SEGMENTS;
            let body = &self.footage.reel(Clip::Advertisement).segments[at];
            return (Answer::new(200, &MEDIA, body), Pending::Nothing);
        }
        let segment = match name.split_at(1) {
            ("n", number) => {
                number.parse().ok().and_then(|number| self.stream.by_number(number, now))
            }
            ("r", index) => index.parse().ok().and_then(|index| self.stream.get(index)),
            _ => name.parse().ok().and_then(|index| self.stream.get(index)),
        };
        match segment.filter(|segment| segment.at <= now && !segment.hidden) {
            Some(segment) => self.segment(request, segment, now, is_present),
            None => not_there,
        }
    }

    /// The initialization section of that name.
    fn section(&self, name: &str, now: i64) -> Answer {
        self.state().record.sections.push(now);
        let clip = match name.strip_prefix("init-") {
            Some(clip) => Clip::ALL.into_iter().find(|other| format!("{other:?}") == clip),
            None => self.stream.newest(now).map(|segment| segment.clip),
        };
        let Some(clip) = clip else { return Answer::status(404) };
        let section = &self.footage.reel(clip).init;
        match self.script.section_trouble(now) {
            Some(fault) => Answer::segment(section, fault, true),
            None => Answer::new(200, &MEDIA, section),
        }
    }

    fn segment(
        &self,
        request: &Request,
        segment: &Published,
        now: i64,
        is_present: bool,
    ) -> (Answer, Pending) {
        let mut state = self.state();
        let answers = &mut state.record.segments.entry(segment.index).or_default().answers;
        let hop = request.number::<u8>("hop").is_some();
        let before = u32::try_from(answers.len()).unwrap_or(u32::MAX);
        let trouble = self.script.trouble(segment.index).filter(|_| !hop);
        let trouble = trouble.filter(|trouble| trouble.is_met(before, now - segment.at));
        let fault = trouble.map(|trouble| trouble.fault);
        let is_redirect =
            matches!(fault, Some(SegmentFault::Redirect | SegmentFault::RedirectLoop));
        let answer = match fault {
            _ if !is_present || segment.gap => Answer::status(404),
            Some(fault @ (SegmentFault::Redirect | SegmentFault::RedirectLoop)) => {
                let hop = if fault == SegmentFault::Redirect { "?hop=1" } else { "" };
                let location = format!("{}{hop}", request.path);
                Answer { what: format!("{fault:?}"), ..Answer::redirect(&location) }
            }
            Some(fault) => Answer::segment(&self.body(segment), fault, segment.clip.is_fmp4()),
            None => self.good_segment(request, segment),
        };
        answers.push(SegmentAnswer {
            asked: now,
            ended: None,
            is_whole: false,
            is_redirect,
            what: answer.what.clone(),
        });
        let pending = Pending::Segment(segment.index, answers.len() - 1, answer.is_whole);
        (answer, pending)
    }

    /// The whole of what lies at a segment's address.
    fn body(&self, segment: &Published) -> Vec<u8> {
        let reel = self.footage.reel(segment.clip);
        let at = segment.clip_index;
        if let Some(Method::Aes128 | Method::Aes128ByNumber) = segment.method {
            return reel.encrypted.get(at).map(|secret| secret.to_vec()).unwrap_or_default();
        }
        match self.script.shape.addressed {
            Addressed::ByIndex | Addressed::ByNumber => reel.segments[at].to_vec(),
            Addressed::ByRange { .. } => {
                let neighbours = at.saturating_sub(1)..(at + 2).min(SEGMENTS);
                reel.segments[neighbours].concat()
            }
        }
    }

    fn good_segment(&self, request: &Request, segment: &Published) -> Answer {
        let body = self.body(segment);
        let Addressed::ByRange { honoured } = self.script.shape.addressed else {
            return Answer::new(200, &MEDIA, &body);
        };
        match request.range.filter(|(first, last)| honoured && first <= last && *last < body.len())
        {
            Some((first, last)) => {
                let range = format!("bytes {first}-{last}/{}", body.len());
                let headers = [MEDIA[0], ("Content-Range", range.as_str())];
                let (length, offset) = range_of(segment, self.footage);
                let is_whole = (first, last) == (offset, offset + length - 1);
                Answer { is_whole, ..Answer::new(206, &headers, &body[first..=last]) }
            }
            None => Answer::new(200, &MEDIA, &body),
        }
    }
}
