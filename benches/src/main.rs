//! Runs every row on every server, interleaved, and prints one table of each kind. `fanout --help` says what can be
//! chosen.

use madang_bench::{Chosen, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    match Chosen::from(std::env::args().skip(1)).and_then(|chosen| run(&chosen)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fanout: {error}");
            ExitCode::FAILURE
        }
    }
}
