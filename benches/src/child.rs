//! Programs that run beside a benchmark, and end with it however it ends.

use std::ffi::OsStr;
use std::process::Command;

/// A command that runs `program`, which is asked to end (SIGTERM) when the thread that started it does:
/// whoever kills a benchmark leaves nothing running. So it must be the main thread that starts it.
///
/// Between fork and exec nothing can be asked of the kernel without unsafe code, so util-linux does it in the
/// process that then becomes the program.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    #[expect(
        clippy::disallowed_methods,
        reason = "no runtime here; it ends when this process does"
    )]
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "--"]).arg(program);
    command
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::os::unix::process::ExitStatusExt;
    use std::process::Stdio;
    use std::thread;
    use std::time::{Duration, Instant};

    use nix::sys::signal::Signal;

    use super::*;

    #[test]
    fn a_program_ends_with_whoever_started_it() {
        // for the kernel, a process that is killed is no more than all of its threads ending
        let started = thread::spawn(|| {
            let mut sleeping = command("sh");
            sleeping.args(["-c", "echo it runs; exec sleep 600"]).stdout(Stdio::piped());
            let mut child = sleeping.spawn().unwrap();
            let mut line = String::new();
            BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
            assert_eq!((line.as_str(), child.try_wait().unwrap()), ("it runs\n", None));
            child
        });
        let mut child = started.join().unwrap();
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if begun.elapsed() > Duration::from_secs(10) {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("it still ran");
            }
            thread::sleep(Duration::from_millis(1));
        };
        assert_eq!(status.signal(), Some(Signal::SIGTERM as i32));
    }
}
