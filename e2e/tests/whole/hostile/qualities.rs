//! Two qualities of one channel, of which one's list fails: the other must lose nothing, nor be late.

use std::collections::BTreeMap;

use e2e::origin::{Entry, ListFault, Scope, Script, Shape};

use super::report;
use super::run::run;

/// How long it takes: the troubles, time to be well again, and more.
const SECONDS: u64 = 40;
/// How soon each segment of the quality that is well must be asked for, in milliseconds: before any time-out
/// that the other one runs into.
const LATEST: i64 = 4000;

/// How the list of the one goes wrong; lists of all qualities come from one server over connections that they
/// share, and are looked for together.
const FAULTS: [(&str, ListFault); 5] = [
    ("silent", ListFault::Silence),
    ("missing", ListFault::Status(404)),
    ("refused", ListFault::Status(403)),
    ("page", ListFault::Html),
    ("huge", ListFault::Huge),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quality_whose_list_fails_harms_no_other() {
    let mut scripts = BTreeMap::new();
    let mut well = Vec::new();
    for (name, fault) in FAULTS {
        let failing = |script: Script| script.lists(8..22, fault, Scope::MediaPlaylists);
        let best = [format!("{name}_first"), format!("{name}_first_64p")];
        scripts.insert(best[0].clone(), failing(source()));
        scripts.insert(best[1].clone(), second());
        let worse = [format!("{name}_second"), format!("{name}_second_64p")];
        scripts.insert(worse[0].clone(), source());
        scripts.insert(worse[1].clone(), failing(second()));
        well.extend([best[1].clone(), worse[0].clone()]);
    }
    let well: Vec<&str> = well.iter().map(String::as_str).collect();
    report(run(scripts, SECONDS, (&well, LATEST)).await);
}

fn source() -> Script {
    Script::healthy(Shape { second_quality: true, ..Shape::default() })
}

fn second() -> Script {
    Script::healthy(Shape { entry: Entry::Beside, ..Shape::default() })
}
