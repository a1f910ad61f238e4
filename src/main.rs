//! The server binary: reads the settings and runs the server.

use clap::Parser;
use madang::server::{self, config::Config};
use std::process::ExitCode;

fn main() -> ExitCode {
    match server::main(&Config::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            eprintln!("madang: {line}");
            ExitCode::FAILURE
        }
    }
}
