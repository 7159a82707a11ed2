//! What the demo says: lines with the time, and on a terminal what it is waiting for.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often the terminal's line is drawn anew.
const TICK: Duration = Duration::from_millis(120);

/// Where the story is told; cheap to clone.
#[derive(Clone, Debug)]
pub struct Display {
    started: Instant,
    /// The last line of a terminal; none where the lines go into a file or a pipe.
    bar: Option<ProgressBar>,
}

impl Display {
    /// Tells to standard output, `steps` steps in all.
    pub fn to_stdout(steps: u64) -> Self {
        let bar = io::stdout().is_terminal().then(|| {
            let target = ProgressDrawTarget::stdout();
            let bar = ProgressBar::with_draw_target(Some(steps), target);
            bar.set_style(style("{spinner} [{bar:24}] {pos}/{len} {wide_msg}"));
            bar.enable_steady_tick(TICK);
            bar
        });
        Self { started: Instant::now(), bar }
    }

    /// Says one line.
    pub fn tell(&self, line: impl fmt::Display) {
        let line = format!("{:>6.1} s  {line}", self.started.elapsed().as_secs_f64());
        match &self.bar {
            Some(bar) => bar.println(line),
            None => say(&line),
        }
    }

    /// Begins a step of the story.
    pub fn step(&self, title: impl fmt::Display) {
        self.tell(format_args!("== {title}"));
        self.now(title);
    }

    /// The step that began last held.
    pub fn held(&self, how: impl fmt::Display) {
        self.tell(format_args!("   {how}"));
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// Shows on a terminal what is going on just now.
    pub fn now(&self, what: impl fmt::Display) {
        if let Some(bar) = &self.bar {
            bar.set_message(what.to_string());
        }
    }

    /// The steps are over, and what goes on has no end: from now on [`Self::now`] has the
    /// terminal's last line for itself. Returns whether there is a terminal.
    pub fn goes_on(&self) -> bool {
        if let Some(bar) = &self.bar {
            bar.set_style(style("{spinner} {wide_msg}"));
        }
        self.bar.is_some()
    }

    /// Takes the terminal's last line away; lines can still be told.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).expect("a constant of the right form");
    style.progress_chars("=> ")
}

/// Writes a line; whoever closed the other end does not want to know.
fn say(line: &str) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}
