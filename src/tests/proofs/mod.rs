//! The promises of `docs/promises.md`, each tried by faults: a few in the test command, many in
//! `make torture`, which prints what this module writes down as a table.
//!
//! | file | promises |
//! |---|---|
//! | `client.rs` | not a proof: a client as the protocol wants it, which checks all that it is told |
//! | `acknowledged.rs` | 1, 11: kill -9, SIGTERM |
//! | `disk.rs` | 1, 2: the order of system calls; a disk that fails or is full |
//! | `numbers.rs` | 3: the log against a model of it |
//! | `order.rs` | 4, 8: every member's order; entering while others talk |
//! | `repeats.rs` | 5: acknowledgements that get lost |
//! | `cuts.rs` | 6: lines that break |
//! | `epoch.rs` | 7: a restored database |
//! | `slow.rs` | 9, 10: readers that do not read |
//! | `absence.rs` | 12, 13: everybody comes back; dead lines |
//! | `strangers.rs` | 14: whatever may come in |

mod absence;
mod acknowledged;
mod client;
mod cuts;
mod disk;
mod epoch;
mod numbers;
mod order;
mod repeats;
mod slow;
mod strangers;

use std::{env, fs, path::PathBuf};

/// Where `make torture` wants the rows of its table; unset in the test command.
fn rows() -> Option<PathBuf> {
    env::var_os("MADANG_TORTURE").map(PathBuf::from)
}

/// Whether this is `make torture`.
fn is_thorough() -> bool {
    rows().is_some()
}

/// How often to try: `quick` in the test command, `thorough` in `make torture`.
fn trials(quick: usize, thorough: usize) -> usize {
    if is_thorough() { thorough } else { quick }
}

/// One row of the table.
struct Proof {
    promise: u8,
    what: &'static str,
    trials: usize,
    faults: usize,
    /// Figures worth telling.
    remark: String,
    violations: Vec<String>,
    done: bool,
}

impl Proof {
    fn of(promise: u8, what: &'static str) -> Self {
        Self { promise, what, trials: 0, faults: 0, remark: String::new(), violations: Vec::new(), done: false }
    }

    /// One more trial, with so many faults in it.
    fn tried(&mut self, faults: usize) {
        self.trials += 1;
        self.faults += faults;
    }

    /// Notes a violation unless `holds`.
    fn must(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.violations.push(otherwise());
        }
    }

    /// Writes the row down; fails if the promise was broken.
    fn done(mut self) {
        self.done = true;
        self.write(&self.violations.len().to_string());
        assert!(self.violations.is_empty(), "promise {}: {:#?}", self.promise, self.violations);
    }

    /// What cannot be tried here, and why.
    fn skipped(mut self, why: &str) {
        self.done = true;
        self.remark = format!("not tried here: {why}");
        eprintln!("promise {}, {}: {}", self.promise, self.what, self.remark);
        self.write("-");
    }

    fn write(&self, violations: &str) {
        let Some(directory) = rows() else { return };
        fs::create_dir_all(&directory).expect("a directory for the table");
        let row = [
            self.promise.to_string(),
            self.what.to_owned(),
            self.trials.to_string(),
            self.faults.to_string(),
            violations.to_owned(),
            self.remark.clone(),
        ];
        let file = directory.join(format!(
            "{:02}-{}.tsv",
            self.promise,
            self.what.replace(|c: char| !c.is_alphanumeric(), "-")
        ));
        fs::write(file, row.join("\t") + "\n").expect("a row of the table");
    }
}

impl Drop for Proof {
    /// A proof that was broken off is not one.
    fn drop(&mut self) {
        if !self.done {
            self.write("broken off");
        }
    }
}
