//! The built program, as a process of its own.

use super::{Place, within};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    ops::Deref,
    path::Path,
    process::{ExitStatus, Output, Stdio},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// A running server. Killed when dropped.
pub struct Process {
    place: Place,
    child: Child,
}

impl Process {
    /// Starts on the data in `directory`, with a site of its own there, and waits until it serves.
    pub async fn start(directory: &Path, args: &[&str]) -> Self {
        let mut child = command(directory, args).stdout(Stdio::piped()).spawn().expect("the program");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let line =
            within("the line that says where it is open", lines.next_line()).await.expect("readable").expect("a line");
        let address = line.strip_prefix("Madang is open at http://").unwrap_or_else(|| panic!("{line}"));
        Self { place: Place::new(address.parse().expect("an address")), child }
    }

    /// Runs the program until it ends by itself.
    pub async fn run(directory: &Path, args: &[&str]) -> Output {
        within("the program to end", command(directory, args).output()).await.expect("the program")
    }

    /// kill -9.
    pub async fn kill(mut self) {
        within("the process to be gone", self.child.kill()).await.expect("a running process");
    }

    /// SIGTERM, and how it ended.
    pub async fn terminate(mut self) -> ExitStatus {
        self.signal_to_stop();
        within("the process to end", self.child.wait()).await.expect("a running process")
    }

    /// SIGTERM alone.
    pub fn signal_to_stop(&self) {
        let id = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed())).expect("a running process");
        kill_process(id, Signal::TERM).expect("a signal");
    }
}

impl Deref for Process {
    type Target = Place;
    fn deref(&self) -> &Place {
        &self.place
    }
}

/// Arguments given by the test come last and so win over these.
fn command(directory: &Path, args: &[&str]) -> Command {
    let site = directory.join("site");
    std::fs::create_dir_all(site.join("pkg")).expect("a site directory");
    let mut command = Command::new(env!("CARGO_BIN_EXE_madang"));
    command.env_clear().current_dir(directory).kill_on_drop(true);
    for (flag, value) in [("--listen", "127.0.0.1:0"), ("--log", "warn")] {
        if !args.contains(&flag) {
            command.args([flag, value]);
        }
    }
    if !args.contains(&"--data") {
        command.arg("--data").arg(directory.join("data"));
    }
    if !args.contains(&"--site") {
        command.arg("--site").arg(site);
    }
    command.args(args);
    command
}
