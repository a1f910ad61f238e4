//! `GET /ws/chat`: the handshake, which chooses the dialect, and a close that the peer gets to see.

use super::{
    http::App,
    hub::{Closing, Kind},
    mailbox::Writer,
    security::{Client, problem},
    session::{self, End, Opened},
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
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use hyper::upgrade::{OnUpgrade, Parts};
use hyper_util::rt::TokioIo;
use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::{TcpStream, tcp::OwnedReadHalf},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Bytes,
        handshake::server::create_response_with_body,
        protocol::{CloseFrame, Role, WebSocketConfig},
    },
};

use tracing::Instrument;

/// Bytes read from the kernel at a time.
const READ_AT_ONCE: usize = 8 * 1024;
/// Bytes that tungstenite keeps for each connection, however idle; a longer frame has its own buffer while it
/// arrives.
const READ_BUFFER: usize = 128;
/// What tungstenite has to write for itself: pings, pongs and the close.
const WRITE_BUFFER_MAX: usize = 4 * 1024;

/// How sockets are read and written. tungstenite's own defaults are 256 KiB of buffers for each connection,
/// and messages of 64 MiB.
#[must_use]
pub fn socket_settings() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER_MAX)
        .max_message_size(Some(limits::FRAME_BYTES))
        .max_frame_size(Some(limits::FRAME_BYTES))
}

/// Answers the upgrade and runs the connection in a task of its own.
pub async fn upgrade(State(app): State<App>, Extension(client): Extension<Client>, mut request: Request) -> Response {
    let on_upgrade = request.extensions_mut().remove::<OnUpgrade>();
    let answer = create_response_with_body(&request, Body::empty);
    let (Some(on_upgrade), Ok(mut response)) = (on_upgrade, answer) else {
        return problem(&Error::bad_frame("this address takes WebSocket connections"));
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
    let serving = async move {
        serve(app, on_upgrade, Kind { v1, session }, person, client).await;
        drop(place);
    };
    // What goes wrong on the socket is logged with its request.
    tokio::spawn(serving.in_current_span());
    response
}

fn asks_for_v1(headers: &HeaderMap) -> bool {
    let offered = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    offered.flat_map(|value| value.split(',')).any(|protocol| protocol.trim() == V1)
}

async fn serve(app: App, on_upgrade: OnUpgrade, kind: Kind, person: Option<Person>, client: Client) {
    // Held until the end, so that a stopping server waits for the close frame to go out.
    let _alive = app.alive.clone();
    let Ok(upgraded) = on_upgrade.await else { return };
    // What our own accept loop gave to hyper.
    let Ok(Parts { io, read_buf, .. }) = upgraded.downcast::<TokioIo<TcpStream>>() else { return };
    let (reads, writes) = io.into_inner().into_split();
    let mailbox = app.chat.hub().connect(kind, Some(writes));
    let io = Io { reads, ahead: Bytes::copy_from_slice(&read_buf), writes: mailbox.deliveries.writer() };
    // hyper's buffer.
    drop(read_buf);
    let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(socket_settings())).await;
    let opened = Opened { v1: kind.v1, person, address: client.address };
    // A session that ended since the handshake was not there yet to be closed with the others.
    if let Some((session, _)) = &kind.session
        && !matches!(app.chat.who(Some(session)).await, Ok(Some(_)))
    {
        app.chat.hub().close_session(session);
    }
    let end = session::run(app.chat.clone(), opened, mailbox, &mut socket).await;
    drop((app, client.places));
    let closing = match end {
        End::Lost => return,
        End::Peer(_) => None,
        End::Ours(closing) => Some(closing),
    };
    let _ = timeout(limits::LINGER * 2, say_goodbye(socket, closing)).await;
}

/// Sends the close frame, then reads on for a while: closing a socket with unread input makes the
/// kernel send a reset, and the peer would never see the code.
async fn say_goodbye(mut socket: WebSocketStream<Io>, closing: Option<Closing>) {
    let frame = closing.map(|Closing { code, reason }| CloseFrame { code: code.into(), reason: reason.into() });
    // In answer to the peer's own close frame, tungstenite has queued the reply; this sends it.
    let _ = socket.close(frame).await;
    let io = socket.get_mut();
    let _ = io.shutdown().await;
    let mut rest = vec![0; READ_AT_ONCE];
    let read_on = async { while io.read(&mut rest).await.is_ok_and(|read| read > 0) {} };
    let _ = timeout(limits::LINGER, read_on).await;
}

/// The socket as tungstenite sees it: it shares the way out with those who write straight to it.
struct Io {
    reads: OwnedReadHalf,
    /// Read from the kernel and not asked for yet; empty, and without memory, at most times.
    ahead: Bytes,
    writes: Writer,
}

impl AsyncRead for Io {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() {
            let mut buffer = [MaybeUninit::uninit(); READ_AT_ONCE];
            let mut read = ReadBuf::uninit(&mut buffer);
            ready!(Pin::new(&mut self.reads).poll_read(context, &mut read))?;
            let (now, later) = read.filled().split_at(read.filled().len().min(into.remaining()));
            into.put_slice(now);
            self.ahead = Bytes::copy_from_slice(later);
        } else {
            let count = self.ahead.len().min(into.remaining());
            into.put_slice(&self.ahead.split_to(count));
            if self.ahead.is_empty() {
                self.ahead = Bytes::new();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Io {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.writes.poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writes.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.writes.shutdown())
    }
}
