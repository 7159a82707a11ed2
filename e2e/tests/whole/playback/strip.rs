//! The strip at the top of every picture that says which picture it is, so that a player can be
//! asked what it really shows.
//!
//! Sixteen columns: a white one, the bits of the picture's number from the least to the greatest in
//! white and black, and black ones. Large enough to survive any encoder.

/// How many columns the strip has.
pub(super) const COLUMNS: usize = 16;
/// How many of them are bits.
const BITS: usize = 11;
/// What is brighter than this is white.
const MIDDLE: u8 = 128;

/// The filter that draws the strip into pictures that are numbered from 0.
pub(super) fn drawn() -> String {
    let black = "drawbox=x=0:y=0:w=iw:h=ih/8:t=fill:color=black";
    let white = "drawbox=x=0:y=0:w=iw/16:h=ih/8:t=fill:color=white";
    let bits = (0..BITS).map(|bit| {
        let (column, worth) = (bit + 1, 1 << bit);
        format!(
            "drawbox=x=iw/16*{column}:y=0:w=iw/16:h=ih/8:t=fill:color=white:\
             enable='mod(floor(n/{worth}),2)'"
        )
    });
    let all: Vec<String> = [black, white].map(str::to_owned).into_iter().chain(bits).collect();
    all.join(",")
}

/// The filter that leaves nothing of a picture but its strip, a byte for each column.
pub(super) const CUT_OUT: &str = "crop=iw:ih/8:0:0,scale=16:1:flags=area,format=gray";

/// The number that a strip tells, given the brightness of its columns; `None` where it is no strip.
pub(super) fn number(columns: &[u8]) -> Option<usize> {
    let white: Vec<bool> = columns.iter().map(|column| *column > MIDDLE).collect();
    let (frame, rest) = (white.first()?, white.get(BITS + 1..COLUMNS)?);
    let bits = white[1..=BITS].iter().enumerate();
    let number = bits.map(|(bit, is_set)| usize::from(*is_set) << bit).sum();
    (*frame && !rest.contains(&true)).then_some(number)
}
