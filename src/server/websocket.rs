//! `GET /ws/chat`: the handshake, which chooses the dialect, and a close that the peer gets to see.

use super::{
    frames,
    http::App,
    hub::Kind,
    mailbox::Outlet,
    places::Place,
    security::{Client, problem, problem_with},
    session::{Ear, End, Opened, READ_AT_ONCE, Session},
    store::Person,
};
use crate::{
    domain::{Error, limits},
    protocol::V1,
};
use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use hyper::upgrade::{OnUpgrade, Parts};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, future::poll_fn, sync::Arc};
use tokio::{net::TcpStream, sync::mpsc, time::timeout};
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tracing::Instrument;

/// The only version of the protocol that there is: RFC 6455.
const VERSION: &str = "13";

/// Answers the upgrade and runs the connection in a task of its own.
pub async fn upgrade(State(app): State<App>, Extension(client): Extension<Client>, mut request: Request) -> Response {
    let on_upgrade = request.extensions_mut().remove::<OnUpgrade>();
    let answer = create_response_with_body(&request, Body::empty);
    let (Some(on_upgrade), Ok(mut response)) = (on_upgrade, answer) else {
        return refuse(request.headers());
    };
    let place = if client.proxied { app.places.take_of(client.address) } else { None };
    if client.proxied && place.is_none() {
        return problem(&Error::Busy { retry_after_ms: 10_000 });
    }
    let v1 = asks_for_v1(request.headers());
    if v1 {
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(V1));
    }
    // A foreign page may open the socket, but never with our cookie; the open dialect has no persons.
    let session = client.session.filter(|_| v1 && client.is_own());
    let person = match app.chat.who(session.as_ref()).await {
        Ok(person) => person,
        Err(error) => return problem(&error),
    };
    let session = session.zip(person.as_ref().map(|person| person.id));
    // What goes wrong on the socket is logged with its request.
    tokio::spawn(open(app, on_upgrade, Kind { v1, session }, person, client, place).in_current_span());
    response
}

fn refuse(headers: &HeaderMap) -> Response {
    let error = Error::bad_frame("this address takes WebSocket connections");
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version == VERSION) {
        return problem(&error);
    }
    let mut response = problem_with(StatusCode::UPGRADE_REQUIRED, &error);
    response.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION));
    response
}

fn asks_for_v1(headers: &HeaderMap) -> bool {
    let offered = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    offered.flat_map(|value| value.split(',')).any(|protocol| protocol.trim() == V1)
}

/// Waits for the end of the handshake, and starts the task that the connection has for itself: this one was as large
/// as all of a request.
async fn open(
    app: App,
    on_upgrade: OnUpgrade,
    kind: Kind,
    person: Option<Person>,
    client: Client,
    place: Option<Place>,
) {
    let Ok(upgraded) = on_upgrade.await else { return };
    // What our own accept loop gave to hyper.
    let Ok(Parts { io, read_buf, .. }) = upgraded.downcast::<TokioIo<TcpStream>>() else { return };
    let mailbox = app.chat.hub().connect(kind, Some(io.into_inner()));
    // A copy, so that hyper's buffer goes.
    let ear = Ear::new(limits::FRAME_BYTES, Bytes::copy_from_slice(&read_buf));
    // A session that ended since the handshake was not there yet to be closed with the others.
    if let Some((session, _)) = &kind.session
        && !matches!(app.chat.who(Some(session)).await, Ok(Some(_)))
    {
        app.chat.hub().close_session(session);
    }
    let opened = Opened { v1: kind.v1, person, address: client.address };
    // In a box, so that no task has room for it twice.
    let session = Box::new(Session::new(app.chat, opened, mailbox, ear));
    tokio::spawn(converse(session, (client.places, place), app.alive).in_current_span());
}

/// Runs a connection. It has its places until it ends; `_alive` until the close frame has gone out, so that a stopping
/// server waits for that.
async fn converse(
    session: Box<Session>,
    places: (Option<Arc<[Place]>>, Option<Place>),
    _alive: mpsc::Sender<Infallible>,
) {
    let (end, outlet) = session.run().await;
    drop(places);
    let closing = match end {
        End::Lost => return,
        End::Peer(code) => code.map(|code| (code, "")),
        End::Ours(closing) => Some((closing.code, closing.reason)),
    };
    let _ = Box::pin(timeout(limits::LINGER * 2, say_goodbye(&outlet, closing))).await;
}

/// Sends the close frame, then reads on for a while: closing a socket with unread input makes the
/// kernel send a reset, and the peer would never see the code.
async fn say_goodbye(outlet: &Outlet, why: Option<(u16, &str)>) {
    outlet.write(&frames::close(why));
    let _ = outlet.flush().await;
    let _ = outlet.shutdown();
    let mut rest = vec![0; READ_AT_ONCE];
    let read_on = async { while poll_fn(|context| outlet.poll_read(context, &mut rest)).await.is_ok_and(|n| n > 0) {} };
    let _ = timeout(limits::LINGER, read_on).await;
}
