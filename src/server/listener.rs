//! The accept loop: `axum::serve` has neither a timeout for headers nor a cap on connections.

use super::{http::App, places::Place};
use crate::domain::limits;
use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderName, HeaderValue, Request},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream, lookup_host},
    sync::watch,
};
use tower::ServiceExt;
use tracing::Instrument;
use uuid::Uuid;

/// Pause after a failed accept, most likely for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Names a request in the log and in its answer, so that the two can be put together.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Connections that the kernel may hold for us until we accept them. With tokio's 128, of 2,000 clients that
/// come back at once some took a connection for open that the kernel had given up.
const BACKLOG: u32 = 4_096;

/// Listens on the first address that `address` stands for and that can be listened on.
///
/// # Errors
/// Why the last of them cannot be.
pub async fn listen(address: &str) -> io::Result<TcpListener> {
    let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in lookup_host(address).await? {
        match listen_on(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn listen_on(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // The port of a server that has just ended.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves connections until `stop` changes.
pub async fn accept(listener: TcpListener, router: Router, app: &App, stop: &mut watch::Receiver<bool>) {
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
        let address = peer.ip().to_canonical();
        // A proxy brings everybody's connections: those are counted where it tells whose they are.
        let of_address = if app.trust.is_proxy(address) { None } else { Some(app.places.take_of(address)) };
        // Over either limit the connection is closed at once: an answer would cost what the limit saves.
        let (Some(place), None | Some(Some(_))) = (app.places.take(), &of_address) else {
            tracing::debug!(%address, "too many connections");
            continue;
        };
        let _ = stream.set_nodelay(true);
        let places = of_address.flatten().into_iter().chain([place]).collect();
        tokio::spawn(serve(stream, peer, router.clone(), places, stop.clone()));
    }
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    places: Arc<[Place]>,
    mut stop: watch::Receiver<bool>,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(places.clone());
        answer(router.clone(), request)
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

async fn answer(router: Router, request: Request<Body>) -> Result<axum::response::Response, Infallible> {
    let id = Uuid::now_v7();
    let mut response = router.oneshot(request).instrument(tracing::info_span!("request", %id)).await?;
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    Ok(response)
}
