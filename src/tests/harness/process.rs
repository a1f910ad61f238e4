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
    sync::Mutex,
};

/// A running server. Killed when dropped.
pub struct Process {
    place: Place,
    child: Mutex<Child>,
}

impl Process {
    /// Starts on the data in `directory`, with a site of its own there, and waits until it serves.
    pub async fn start(directory: &Path, args: &[&str]) -> Self {
        Self::spawn(command(directory, args)).await
    }

    async fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let line =
            within("the line that says where it is open", lines.next_line()).await.expect("readable").expect("a line");
        let address = line.strip_prefix("Madang is open at http://").unwrap_or_else(|| panic!("{line}"));
        Self { place: Place::at(address.parse().expect("an address")), child: Mutex::new(child) }
    }

    /// The same under `strace`, which steps aside so that the program is our own child. The trace, or
    /// what `trace` makes strace do, is in the file `trace` of the directory.
    pub async fn start_traced(directory: &Path, trace: &[&str], args: &[&str]) -> Self {
        let plain = command(directory, args);
        let mut traced = Command::new("strace");
        traced.args(["-D", "-f", "-qq", "-o"]).arg(directory.join("trace")).args(trace);
        traced.arg(plain.as_std().get_program()).args(plain.as_std().get_args());
        traced
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .current_dir(directory)
            .kill_on_drop(true);
        Self::spawn(traced).await
    }

    /// Runs the program until it ends by itself.
    pub async fn run(directory: &Path, args: &[&str]) -> Output {
        within("the program to end", command(directory, args).output()).await.expect("the program")
    }

    /// kill -9.
    pub async fn kill(&self) {
        within("the process to be gone", self.child.lock().await.kill()).await.expect("a running process");
    }

    /// SIGTERM, and how it ended.
    pub async fn terminate(&self) -> ExitStatus {
        let mut child = self.child.lock().await;
        let id = child.id().and_then(|id| Pid::from_raw(id.cast_signed())).expect("a running process");
        kill_process(id, Signal::TERM).expect("a signal");
        within("the process to end", child.wait()).await.expect("a running process")
    }

    /// Bytes of memory that it occupies.
    pub async fn resident(&self) -> usize {
        let id = self.child.lock().await.id().expect("a running process");
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its size");
        line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1024
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
