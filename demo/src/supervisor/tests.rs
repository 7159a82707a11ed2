//! Real children of a shell, kept and lost.

use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);
/// Ends with status 0 when it is asked to, and never by itself.
const OBEDIENT: &str = "trap 'kill $!; exit 0' TERM; sleep 1000 & wait";

fn program(folder: &Path, script: &str) -> Program {
    Program {
        title: "the script".to_owned(),
        executable: "sh".into(),
        arguments: vec!["-c".into(), script.into()],
        folder: folder.to_owned(),
        log: folder.join("log"),
        pid_file: folder.join("pid"),
        restart: Restart::Always,
        ending: Ending::SERVICE,
    }
}

fn keep(program: Program) -> (Supervisor, Service) {
    let mut supervisor = Supervisor::new(Display::to_stdout(0));
    let service = supervisor.keep(program);
    (supervisor, service)
}

async fn running(service: &Service) -> u32 {
    let running = service.until(|state| matches!(state, State::Running(_)));
    timeout(PATIENCE, running).await.expect("it starts");
    service.pid().unwrap()
}

/// Its pid, once it has set its trap and waits for its child.
async fn waiting(service: &Service) -> u32 {
    let pid = running(service).await;
    let asleep = async {
        while !has_child(pid) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, asleep).await.expect("it starts its child");
    pid
}

fn lives(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

#[tokio::test]
async fn what_is_killed_starts_again_under_a_new_pid() {
    let folder = tempfile::tempdir().unwrap();
    let (_supervisor, service) = keep(program(folder.path(), OBEDIENT));
    let first = waiting(&service).await;
    let written = std::fs::read_to_string(folder.path().join("pid")).unwrap();
    assert_eq!(written.trim(), first.to_string());

    let pid = rustix::process::Pid::from_raw(first.cast_signed()).unwrap();
    // so that a Ctrl-C at the terminal does not reach it
    assert_eq!(rustix::process::getpgid(Some(pid)), Ok(pid));
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let gone = service.until(|state| *state == State::Down);
    timeout(PATIENCE, gone).await.expect("its end is noticed");
    assert!(!folder.path().join("pid").exists());
    assert_ne!(waiting(&service).await, first);
    assert_eq!(service.stop().await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn what_is_held_stays_down_until_it_is_released() {
    let folder = tempfile::tempdir().unwrap();
    let (_supervisor, service) = keep(program(folder.path(), OBEDIENT));
    let first = running(&service).await;
    service.kill_and_hold().await;
    assert!(!lives(first));
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(service.pid(), None);
    service.release().await;
    assert!(service.pid().is_some_and(|pid| pid != first));
}

#[tokio::test]
async fn nothing_that_it_started_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let script = "sleep 1000 & echo $! >child; wait";
    let (_supervisor, service) = keep(program(folder.path(), script));
    running(&service).await;
    let child = timeout(PATIENCE, async {
        loop {
            let text = std::fs::read_to_string(folder.path().join("child")).unwrap_or_default();
            match text.trim().parse() {
                Ok(pid) => break pid,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    });
    let child = child.await.expect("it starts its child");
    service.kill_and_hold().await;
    let gone = async {
        while lives(child) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, gone).await.expect("the child is gone, too");
}

#[tokio::test]
async fn a_bad_end_is_told_with_the_last_words() {
    let folder = tempfile::tempdir().unwrap();
    let script = "trap 'kill $!; echo cannot save; exit 3' TERM; sleep 1000 & wait";
    let (_supervisor, service) = keep(program(folder.path(), script));
    waiting(&service).await;
    let complaint = "the script did not end well (exited with status 3): cannot save";
    assert_eq!(service.stop().await, Err(complaint.to_owned()));
    assert_eq!(service.stop().await, Err(complaint.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn what_does_not_end_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let script = "trap '' TERM; echo busy; while :; do sleep 1000; done";
    let (_supervisor, service) = keep(program(folder.path(), script));
    let pid = running(&service).await;
    while !service.last_words().contains("busy") {
        tokio::task::yield_now().await;
    }
    let complaint = service.stop().await.unwrap_err();
    assert_eq!(complaint, "the script had to be killed: busy");
    assert!(!lives(pid));
}

#[tokio::test]
async fn a_refused_configuration_is_trouble() {
    let folder = tempfile::tempdir().unwrap();
    let script = "echo script: no such option; exit 2";
    let (supervisor, service) = keep(program(folder.path(), script));
    let trouble = timeout(PATIENCE, supervisor.trouble()).await.expect("it is told");
    assert_eq!(
        trouble,
        "the script ended by itself (exited with status 2): script: no such option"
    );
    assert!(service.stop().await.is_err());
    // and told again to whoever asks later
    timeout(PATIENCE, supervisor.trouble()).await.expect("it is told");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_trouble() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = program(folder.path(), "exit 1");
    program.restart = Restart::Never;
    let (supervisor, _service) = keep(program);
    let trouble = timeout(PATIENCE, supervisor.trouble()).await.expect("it is told");
    assert_eq!(trouble, "the script ended by itself (exited with status 1): it said nothing");
}

fn has_child(pid: u32) -> bool {
    let path = format!("/proc/{pid}/task/{pid}/children");
    std::fs::read_to_string(path).is_ok_and(|children| !children.trim().is_empty())
}
