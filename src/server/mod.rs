//! Everything that runs on the host.
//!
//! Three doors lead in: [`rest`] (HTTP companions), the server functions in [`crate::api`] (through
//! [`functions`]), and [`websocket`]. All three end in [`chat`], which hands messages to the one
//! [`writer`]; that stores them ([`store`]) and only then lets the [`hub`] tell the room.

pub mod chat;
pub mod clock;
pub mod config;
pub mod files;
pub mod frames;
pub mod functions;
pub mod http;
pub mod hub;
pub mod listener;
pub mod mailbox;
pub mod makers;
pub mod markdown;
pub mod names;
pub mod pages;
pub mod places;
pub mod presence;
pub mod qr;
pub mod rate;
pub mod recent;
pub mod rest;
pub mod security;
pub mod session;
pub mod site;
pub mod store;
pub mod unsaid;
pub mod websocket;
pub mod wire;
pub mod writer;

use chat::Chat;
use config::{Command, Config};
use http::App;
use site::Site;
use std::{future::Future, path::Path};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
};

/// What clients are told to wait before they come back, in milliseconds.
const COME_BACK_AFTER_MS: u32 = 1_000;

/// Does what the command line says: serves until SIGTERM or SIGINT, or runs a subcommand.
///
/// # Errors
/// What went wrong, in one line.
pub fn main(config: &Config) -> Result<(), String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| format!("cannot start: {error}"))?;
    runtime.block_on(async {
        let database = files::database(config)?;
        match &config.command {
            None => serve(config, &database).await,
            Some(Command::Verify { file }) => {
                println!("{}", files::verify(file.as_deref().unwrap_or(&database)).await?);
                Ok(())
            }
            Some(Command::Backup { file }) => {
                println!("{}", files::backup(&database, file).await?);
                Ok(())
            }
        }
    })
}

async fn serve(config: &Config, database: &Path) -> Result<(), String> {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log).map_err(|error| format!("--log: {error}"))?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let site = Site::find(config)?;
    if config.nats_url.is_some() {
        return Err("--nats-url connects nodes that share PostgreSQL; SQLite serves one node and needs none".into());
    }
    let _lock = files::lock(database)?;
    let listener = listener::listen(&config.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", config.listen))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let clock = clock::system();
    let store = store::open(database, clock()).await?;
    let chat = Chat::open(store, &config.limits, clock).await.map_err(|error| error.to_string())?;

    println!("Madang is open at http://{address}");
    run(listener, chat, site, config, stop_signal()?).await
}

/// Serves until `stop` is ready; then stores what is queued, tells every socket to come back, and ends
/// within [`STOP_WITHIN`](crate::domain::limits::STOP_WITHIN).
///
/// # Errors
/// That nothing could be stored any more: it ends then too, so that whoever watches over it can start it again.
pub async fn run(
    listener: TcpListener,
    chat: Chat,
    site: Site,
    config: &Config,
    stop: impl Future<Output = ()>,
) -> Result<(), String> {
    let (alive, mut all_ended) = mpsc::channel(1);
    let (stopping, mut stopped) = watch::channel(false);
    let app = App::new(chat.clone(), site, config, alive);
    let accepting = async {
        let router = http::router(app.clone());
        listener::accept(listener, router, &app, &mut stopped).await;
    };
    let outcome = tokio::select! {
        () = accepting => Ok(()),
        () = stop => Ok(()),
        () = chat.failed() => Err("stopped, since nothing could be stored any more: see the log".to_owned()),
    };
    drop(app);
    stopping.send_replace(true);
    let ending = async {
        chat.close().await;
        chat.hub().close_all(COME_BACK_AFTER_MS);
        // Every task that serves a connection holds a sender; `None` says that the last is gone.
        while all_ended.recv().await.is_some() {}
    };
    if tokio::time::timeout(crate::domain::limits::STOP_WITHIN, ending).await.is_err() {
        tracing::warn!("some connections did not end in time");
    }
    outcome
}

/// Ready at the first SIGTERM or SIGINT; the second ends the process at once.
fn stop_signal() -> Result<impl Future<Output = ()>, String> {
    let listen = |kind| signal(kind).map_err(|error| format!("cannot listen for signals: {error}"));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            std::process::exit(1);
        });
    })
}
