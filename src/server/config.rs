//! The settings: each a flag and an environment variable, none of them needed.

use crate::domain::limits;
use clap::{Args, Parser, Subcommand};
use std::{net::IpAddr, path::PathBuf};

/// Madang: group chat that anyone can host with one command and join with one click.
///
/// Without arguments it serves on http://127.0.0.1:8080 and keeps everything in ./data/madang.db.
#[derive(Clone, Debug, Parser)]
#[command(name = "madang", version)]
pub struct Config {
    /// Address and port to serve on. 0.0.0.0:8080 lets others on your network in
    #[arg(long, env = "MADANG_LISTEN", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub listen: String,

    /// Directory that holds madang.db; made when absent
    #[arg(global = true, long, env = "MADANG_DATA", value_name = "DIRECTORY", default_value = "./data")]
    pub data: PathBuf,

    /// Database to use, as sqlite:PATH [default: madang.db in the data directory]
    #[arg(global = true, long, env = "DATABASE_URL", value_name = "URL")]
    pub database_url: Option<String>,

    /// NATS server that connects several nodes; for a later release, refused with SQLite
    #[arg(long, env = "NATS_URL", value_name = "URL")]
    pub nats_url: Option<String>,

    /// Directory of the built site [default: site/ beside the executable, else target/site]
    #[arg(long, env = "LEPTOS_SITE_ROOT", value_name = "DIRECTORY")]
    pub site: Option<PathBuf>,

    /// Origin that people's browsers show, as https://chat.example.org; may be given again [default: the host that was asked for]
    #[arg(long, env = "MADANG_ORIGIN", value_name = "ORIGIN", value_delimiter = ',', value_parser = origin)]
    pub origin: Vec<String>,

    /// Address of a reverse proxy whose X-Forwarded-For and X-Forwarded-Proto are believed; may be given again
    #[arg(long, env = "MADANG_TRUSTED_PROXY", value_name = "ADDRESS", value_delimiter = ',')]
    pub trusted_proxy: Vec<IpAddr>,

    /// How much one sender or address may do.
    #[command(flatten)]
    pub limits: Limits,

    /// What to log: error, warn, info, debug, trace, or tracing's filter syntax
    #[arg(long, env = "RUST_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,

    /// Something else than to serve.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Something else than to serve.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Check that a database is whole: its numbers, its references, its file. The server may be running
    Verify {
        /// The file [default: the database that the server would use]
        file: Option<PathBuf>,
    },
    /// Copy the database to a new file and verify the copy. The server may be running
    Backup {
        /// The new file
        file: PathBuf,
    },
}

/// How much one sender or address may do; 0 lifts a limit.
#[derive(Args, Clone, Debug)]
pub struct Limits {
    /// Messages per second and sender (and 50 times that per address); 0 lifts the limit
    #[arg(long, env = "MADANG_MESSAGES_PER_SECOND", value_name = "N", default_value_t = limits::MESSAGES_PER_SECOND)]
    pub messages_per_second: u32,

    /// Rooms created per minute and address; 0 lifts the limit
    #[arg(long, env = "MADANG_ROOMS_PER_MINUTE", value_name = "N", default_value_t = limits::ROOMS_PER_MINUTE)]
    pub rooms_per_minute: u32,

    /// Sign-ins per minute and address; 0 lifts the limit
    #[arg(long, env = "MADANG_SIGN_INS_PER_MINUTE", value_name = "N", default_value_t = limits::SIGN_INS_PER_MINUTE)]
    pub sign_ins_per_minute: u32,

    /// Connections at the same time from one address; 0 lifts the limit
    #[arg(long, env = "MADANG_CONNECTIONS_PER_ADDRESS", value_name = "N", default_value_t = limits::CONNECTIONS_PER_ADDRESS)]
    pub connections_per_address: usize,
}

/// Checks the shape of `--origin`: scheme, host, perhaps a port, and nothing after them.
fn origin(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/').to_ascii_lowercase();
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match host {
        Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']) => Ok(text),
        _ => Err("an origin looks like https://chat.example.org".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent_and_needs_nothing() {
        Config::command().debug_assert();
        assert!(Config::try_parse_from(["madang"]).is_ok());
    }

    #[test]
    fn an_origin_is_a_scheme_and_a_host() {
        assert_eq!(origin("https://Chat.example.org/"), Ok("https://chat.example.org".into()));
        for bad in ["chat.example.org", "ftp://a", "https://", "https://a/b", "null", "https://a@b"] {
            assert!(origin(bad).is_err(), "{bad}");
        }
    }
}
