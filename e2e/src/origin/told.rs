//! What a recorder tells of a channel while it runs: its metrics, and its line in `/healthz`. Pure.

use std::collections::BTreeMap;

use common::base::time::Timestamp;

/// What a recorder told of one feed.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Between which moments it was asked.
    pub asked: (Timestamp, Timestamp),
    /// The states of `feed_status` that are 1.
    pub status: Vec<String>,
    /// Those of `feed_lookup_status`.
    pub lookup: Vec<String>,
    /// `segments_missed_total` by reason.
    pub missed: BTreeMap<String, u64>,
    /// `ad_segments_ignored_total`.
    pub advertisements: u64,
    /// What `/healthz` says of it.
    pub health: String,
}

impl Told {
    /// What the texts of `/metrics` and `/healthz`, asked for between these moments, say of a feed.
    pub fn read(
        metrics: &str,
        health: &str,
        (channel, quality): (&str, &str),
        asked: (Timestamp, Timestamp),
    ) -> Self {
        let labels = [format!("channel=\"{channel}\""), format!("quality=\"{quality}\"")];
        let of_feed = metrics.lines().filter_map(|line| line.split_once('{'));
        let of_feed = of_feed.filter(|(_, rest)| labels.iter().all(|label| rest.contains(label)));
        let mut told = Self {
            asked,
            status: Vec::new(),
            lookup: Vec::new(),
            missed: BTreeMap::new(),
            advertisements: 0,
            health: String::new(),
        };
        for (name, rest) in of_feed {
            let value = rest.rsplit(' ').next().and_then(|value| value.parse().ok()).unwrap_or(0);
            let label = |name: &str| {
                let (_, rest) = rest.split_once(&format!("{name}=\""))?;
                rest.split('"').next().map(str::to_owned)
            };
            match name {
                "feed_status" if value == 1 => told.status.extend(label("status")),
                "feed_lookup_status" if value == 1 => told.lookup.extend(label("status")),
                "segments_missed_total" => {
                    told.missed.extend(label("why").map(|why| (why, value)));
                }
                "ad_segments_ignored_total" => told.advertisements = value,
                _ => {}
            }
        }
        let name = format!("{channel} {quality}: ");
        let line = health.lines().find_map(|line| line.strip_prefix(&name));
        line.unwrap_or_default().clone_into(&mut told.health);
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_is_told_from_others() {
        let metrics = "\
            # TYPE feed_status gauge\n\
            feed_status{channel=\"a\",quality=\"source\",status=\"offline\"} 0\n\
            feed_status{channel=\"a\",quality=\"source\",status=\"up\"} 1\n\
            feed_status{channel=\"b\",quality=\"source\",status=\"offline\"} 1\n\
            feed_lookup_status{channel=\"a\",quality=\"source\",status=\"changed\"} 1\n\
            segments_missed_total{channel=\"a\",quality=\"source\",why=\"gap\"} 3\n\
            segments_missed_total{channel=\"a\",quality=\"64p\",why=\"expired\"} 7\n\
            ad_segments_ignored_total{channel=\"a\",quality=\"source\"} 5\n";
        let health = "degraded\na source: up, but\nb source: offline for 3 s\n";
        let asked = (Timestamp::from_micros(1), Timestamp::from_micros(2));
        let told = Told::read(metrics, health, ("a", "source"), asked);
        let expected = Told {
            asked,
            status: vec!["up".to_owned()],
            lookup: vec!["changed".to_owned()],
            missed: [("gap".to_owned(), 3)].into(),
            advertisements: 5,
            health: "up, but".to_owned(),
        };
        assert_eq!(told, expected);
    }
}
