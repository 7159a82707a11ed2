//! The command line, and saying in one line what is wrong with it.

use std::ffi::OsString;
use std::process::ExitCode;

/// The exit status for bad arguments and bad configuration, before anything was started.
const BAD_CONFIGURATION: u8 = 2;

/// Reads `arguments`, the program's name first.
///
/// # Errors
///
/// The exit status, when nothing is left to do: help was given, or a bad argument named in one line.
pub fn parse<O: clap::Parser>(
    name: &str,
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<O, ExitCode> {
    O::try_parse_from(arguments).map_err(|error| {
        if error.use_stderr() {
            eprintln!("{}", one_line(name, &error));
            ExitCode::from(BAD_CONFIGURATION)
        } else {
            print!("{error}");
            ExitCode::SUCCESS
        }
    })
}

/// The words of a list in the environment, separated by commas, blanks or both.
pub fn words(list: &str) -> Vec<String> {
    let words = list.split(|c: char| c == ',' || c.is_whitespace());
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Says why the service does not start.
pub(super) fn refuse(name: &str, error: &anyhow::Error) -> ExitCode {
    eprintln!("{name}: {error:#}");
    ExitCode::from(BAD_CONFIGURATION)
}

/// What clap says in its first paragraph, in one line.
fn one_line(name: &str, error: &clap::Error) -> String {
    let text = error.to_string();
    let first_paragraph = text.trim().split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = first_paragraph.split_whitespace().collect();
    let problem = words.join(" ");
    let problem = problem.strip_prefix("error: ").unwrap_or(&problem);
    format!("{name}: {problem}; see {name} --help")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Options {
        #[arg(long)]
        jobs: u32,
    }

    fn complaint(arguments: &[&str]) -> String {
        one_line("cutter", &Options::try_parse_from(arguments).unwrap_err())
    }

    #[test]
    fn a_list_may_be_written_either_way() {
        assert_eq!(words(" a, b!\tc:url:http://x/y.m3u8 ,,"), ["a", "b!", "c:url:http://x/y.m3u8"]);
        assert_eq!(words(" , "), <[String; 0]>::default());
    }

    #[test]
    fn a_bad_argument_is_one_line_that_names_it() {
        assert_eq!(
            complaint(&["cutter", "--jobs", "many"]),
            "cutter: invalid value 'many' for '--jobs <JOBS>': invalid digit found in string; see \
             cutter --help"
        );
        assert_eq!(
            complaint(&["cutter"]),
            "cutter: the following required arguments were not provided: --jobs <JOBS>; see \
             cutter --help"
        );
        assert_eq!(
            complaint(&["cutter", "--what"]),
            "cutter: unexpected argument '--what' found; see cutter --help"
        );
    }
}
