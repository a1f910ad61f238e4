//! The accept loop: `axum::serve` has neither a timeout for headers nor a cap on connections.

use super::{http::App, security::network};
use crate::domain::limits;
use axum::{Router, body::Body, extract::ConnectInfo, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};
use tower::ServiceExt;

/// Pause after a failed accept, most likely for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Addresses without a connection are forgotten once there are more than this many.
const ADDRESSES_BEFORE_SWEEP: usize = 10_000;

/// Serves connections until `stop` changes.
pub async fn accept(listener: TcpListener, router: Router, app: &App, stop: &mut watch::Receiver<bool>) {
    let all = Arc::new(Semaphore::new(descriptors()));
    let mut addresses: HashMap<IpAddr, Arc<Semaphore>> = HashMap::new();
    loop {
        let accepted = tokio::select! {
            _ = stop.changed() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if addresses.len() > ADDRESSES_BEFORE_SWEEP {
            addresses.retain(|_, places| Arc::strong_count(places) > 1);
        }
        let address = peer.ip().to_canonical();
        let allowed = app.connections_allowed(address);
        let places = addresses.entry(network(address)).or_insert_with(|| Arc::new(Semaphore::new(allowed)));
        // Over either limit the connection is closed at once: an answer would cost what the limit saves.
        let (Ok(one_of_all), Ok(place)) = (all.clone().try_acquire_owned(), places.clone().try_acquire_owned()) else {
            tracing::debug!(%address, "too many connections");
            continue;
        };
        let _ = stream.set_nodelay(true);
        tokio::spawn(serve(stream, peer, router.clone(), [one_of_all, place], stop.clone()));
    }
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    places: [OwnedSemaphorePermit; 2],
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(places);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(places.clone());
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = stop.changed() => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(limits::REQUEST_ENDS_WITHIN, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// How many connections the descriptor limit leaves room for, after raising it as far as it goes.
fn descriptors() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let current = if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current };
    let room = current.map_or(u64::MAX, |limit| limit.saturating_sub(limits::DESCRIPTORS_RESERVED).max(1));
    usize::try_from(room).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS)
}
