//! Runs every check over the inputs that are kept: the seeds, and each input that once failed.

use std::path::Path;

#[test]
fn every_fuzzer_is_listed() {
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz_targets");
    let programs = programs.read_dir().unwrap().map(|entry| entry.unwrap().file_name());
    let mut programs: Vec<String> = programs.map(|name| name.into_string().unwrap()).collect();
    let mut listed: Vec<String> =
        fuzz::TARGETS.iter().map(|(target, _)| format!("{target}.rs")).collect();
    programs.sort_unstable();
    listed.sort_unstable();
    assert_eq!(listed, programs);
}

#[test]
fn every_input_that_is_kept_passes() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (target, check) in fuzz::TARGETS {
        let inputs: Vec<_> = corpus.join(target).read_dir().unwrap().map(Result::unwrap).collect();
        assert!(inputs.len() > 5, "{target} has seeds");
        for input in inputs {
            println!("{}", input.path().display());
            check(&std::fs::read(input.path()).unwrap());
        }
    }
}
