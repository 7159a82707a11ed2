use super::*;
#[test]
fn print() {
    let mut names: Vec<_> =
        std::fs::read_dir("testdata/media").unwrap().map(|e| e.unwrap().path()).collect();
    names.sort();
    for name in names {
        let bytes = std::fs::read(&name).unwrap();
        println!("{:?} {:?}", name.file_name().unwrap(), stream_info(&bytes));
    }
}
