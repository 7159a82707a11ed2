//! Media that the benchmarks work with, and what it takes to have read it.

/// A transport stream whose first packet of each picture is followed by 140 more.
pub fn stretched(segment: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    for packet in segment.chunks_exact(188) {
        all.extend_from_slice(packet);
        // video is on PID 0x100 in what ffmpeg writes
        if packet[1..3] == [0x41, 0] {
            let mut more = [0xa5; 188];
            more[..4].copy_from_slice(&[0x47, 0x01, 0, 0x10]);
            all.extend(more.repeat(140));
        }
    }
    all
}

/// What it takes to have had every byte in hand.
pub fn sum(bytes: &[u8]) -> u64 {
    let (words, _) = bytes.as_chunks();
    words.iter().fold(0, |sum: u64, word| sum.wrapping_add(u64::from_le_bytes(*word)))
}
