//! Lists that slide over a stream, overlap, skip and lag: every segment is told right.

use super::*;

/// A segment of a stream.
#[derive(Clone, Debug)]
struct Piece {
    /// The tags before it.
    tags: String,
    is_ad: bool,
}

/// A stream of programme and breaks, whose segments last six seconds.
fn stream() -> impl Strategy<Value = Vec<Piece>> {
    // how long the programme is, and the break, whether its length is told, and whether its end is
    let stretch = (1..12_usize, 1..12_usize, any::<bool>(), any::<bool>(), any::<bool>());
    prop::collection::vec(stretch, 1..6).prop_map(|stretches| {
        let mut pieces = vec![Piece { tags: "#EXT-X-CUE-IN\n".to_owned(), is_ad: false }];
        let mut ends = "";
        for (programme, ads, tells_length, tells_end, repeats) in stretches {
            pieces.push(Piece { tags: std::mem::take(&mut ends).to_owned(), is_ad: false });
            pieces.extend(vec![Piece { tags: String::new(), is_ad: false }; programme]);
            let length = if tells_length { format!(":{}", ads * 6) } else { String::new() };
            pieces.push(Piece { tags: format!("#EXT-X-CUE-OUT{length}\n"), is_ad: true });
            let on = if repeats { "#EXT-X-CUE-OUT-CONT\n" } else { "" };
            pieces.extend(vec![Piece { tags: on.to_owned(), is_ad: true }; ads - 1]);
            // one of both is needed, or nobody could tell
            ends = if tells_end || !tells_length { "#EXT-X-CUE-IN\n" } else { "" };
        }
        pieces.push(Piece { tags: ends.to_owned(), is_ad: false });
        pieces
    })
}

fn window(pieces: &[Piece], from: usize, to: usize) -> MediaPlaylist {
    let mut lines = vec![format!("#EXT-X-MEDIA-SEQUENCE:{from}\n")];
    for (index, piece) in pieces.iter().enumerate().take(to).skip(from) {
        lines.push(format!("{}#EXTINF:6,\n{index}\n", piece.tags));
    }
    read(&lines.concat())
}

proptest! {
    #[test]
    fn every_window_tells_the_same(
        pieces in stream(),
        steps in prop::collection::vec((0..3_usize, 1..8_usize, 0..3_usize), 1..60),
    ) {
        let mut breaks = Breaks::default();
        let (mut seen, mut end) = (0, 1);
        for (step, size, lag) in steps {
            // the first segment is seen, and none is skipped
            let to = end - lag.min(end - 1);
            let from = to.saturating_sub(size).min(seen);
            let (flags, after) = advertisements(&window(&pieces, from, to), URL, &breaks);
            for (number, flag) in (from..).zip(flags) {
                prop_assert_eq!(flag, pieces[number].is_ad, "number {}", number);
            }
            breaks = after;
            seen = seen.max(to);
            end = (end + step).min(pieces.len());
        }
    }
}
