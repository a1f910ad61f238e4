//! A WebSocket client: a stock library underneath, a few words on top.

use super::{Place, text, within};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use serde_json::{Value, json};
use std::ops::{Deref, DerefMut};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Message,
        client::IntoClientRequest,
        handshake::client::Response,
        http::HeaderName,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};
use uuid::Uuid;

/// Opens a socket as any client does: the open dialect.
pub async fn open(place: &Place) -> Socket {
    connect(place, &[]).await.0
}

/// Opens a socket that speaks v1, without a session.
pub async fn v1(place: &Place) -> Socket {
    connect(place, &[("sec-websocket-protocol", "madang.v1")]).await.0
}

/// Opens a socket that speaks v1, as our own page does with that cookie.
pub async fn v1_as(place: &Place, cookie: &str) -> Socket {
    connect(place, &[("sec-websocket-protocol", "madang.v1"), ("origin", &place.origin()), ("cookie", cookie)]).await.0
}

/// Opens a socket with further headers, and shows the answer to the handshake.
pub async fn connect(place: &Place, headers: &[(&'static str, &str)]) -> (Socket, Response) {
    let stream = TcpStream::connect(place.address).await.expect("a connection");
    connect_over(stream, place, headers).await
}

/// The same over a connection that the test has prepared.
pub async fn connect_over(stream: TcpStream, place: &Place, headers: &[(&'static str, &str)]) -> (Socket, Response) {
    let mut request = format!("ws://{}/ws/chat", place.address).into_client_request().expect("a request");
    for (name, value) in headers {
        request.headers_mut().append(HeaderName::from_static(name), value.parse().expect("a header"));
    }
    stream.set_nodelay(true).expect("nodelay");
    // The library insists that what is asked for is echoed; a test that asks for another protocol must not.
    let asked = request.headers().get("sec-websocket-protocol").is_some_and(|protocol| protocol != "madang.v1");
    assert!(!asked, "use a raw request to ask for other protocols");
    let (stream, response) = within("the handshake", client_async(request, stream)).await.expect("a WebSocket");
    let (mouth, ears) = stream.split();
    (Socket { mouth: Mouth(mouth), ears: Ears(ears) }, response)
}

/// A new message id.
pub fn id() -> String {
    Uuid::now_v7().to_string()
}

/// One connection. Dropping it cuts the line without a word.
pub struct Socket {
    pub mouth: Mouth,
    pub ears: Ears,
}

impl Deref for Socket {
    type Target = Ears;
    fn deref(&self) -> &Ears {
        &self.ears
    }
}

impl DerefMut for Socket {
    fn deref_mut(&mut self) -> &mut Ears {
        &mut self.ears
    }
}

impl Socket {
    /// Sends one frame.
    pub async fn send(&mut self, frame: Value) {
        self.mouth.send(frame).await;
    }

    /// Sends one text, whatever it is.
    pub async fn send_text(&mut self, text: impl Into<String>) {
        self.mouth.send_text(text).await;
    }

    /// Enters a room and gives the answer: ROOM in v1, the own ENTER in the open dialect.
    pub async fn enter(&mut self, room: &str, sender: &str) -> Value {
        self.send(json!({"type": "ENTER", "roomId": room, "sender": sender})).await;
        let answer = self.next_json().await;
        match text(&answer["type"]) {
            "ROOM" => assert_eq!(answer["roomId"], room, "{answer}"),
            "ENTER" => assert_eq!((&answer["roomId"], &answer["sender"]), (&room.into(), &sender.into()), "{answer}"),
            _ => panic!("{sender} did not enter: {answer}"),
        }
        answer
    }

    /// Says something, with an id of its own, which the open dialect ignores. Gives the id.
    pub async fn talk(&mut self, room: &str, message: &str) -> String {
        self.mouth.talk(room, message).await
    }

    /// Closes in order, as a client that means to go.
    pub async fn close(mut self) {
        let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        let _ = self.mouth.try_send(Message::Close(Some(frame))).await;
        while let Some(Ok(_)) = within("the end of the connection", self.ears.0.next()).await {}
    }

    /// Both directions, to be used at the same time.
    pub fn halves(self) -> (Mouth, Ears) {
        (self.mouth, self.ears)
    }
}

/// The sending half.
pub struct Mouth(SplitSink<WebSocketStream<TcpStream>, Message>);

impl Mouth {
    /// Sends one frame.
    pub async fn send(&mut self, frame: Value) {
        self.send_text(frame.to_string()).await;
    }

    /// Sends one text, whatever it is.
    pub async fn send_text(&mut self, text: impl Into<String>) {
        self.try_send(Message::text(text.into())).await.expect("the frame to be taken");
    }

    /// Sends anything that a WebSocket can carry, and says whether the line took it.
    pub async fn try_send(&mut self, message: Message) -> Result<(), tokio_tungstenite::tungstenite::Error> {
        within("the line to take a frame", self.0.send(message)).await
    }

    /// Says something, with an id of its own. Gives the id.
    pub async fn talk(&mut self, room: &str, message: &str) -> String {
        let id = id();
        self.send(json!({"type": "TALK", "roomId": room, "id": id, "message": message})).await;
        id
    }
}

/// The receiving half.
pub struct Ears(SplitStream<WebSocketStream<TcpStream>>);

impl Ears {
    /// The next frame of any kind, `None` once the line is broken.
    pub async fn try_message(&mut self) -> Option<Message> {
        within("the next frame", self.0.next()).await.and_then(Result::ok)
    }

    /// The next frame of any kind, however long it takes; `None` once the line is broken.
    pub async fn await_message(&mut self) -> Option<Message> {
        self.0.next().await.and_then(Result::ok)
    }

    /// The next text, or how the connection ended: with this code, or with none.
    pub async fn hear(&mut self) -> Result<String, Option<u16>> {
        // One bound for all of it: the server's pings must not prolong the wait.
        within("the next text", async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
                    Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code.into())),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Err(None),
                }
            }
        })
        .await
    }

    /// The next text.
    pub async fn next_text(&mut self) -> String {
        self.hear().await.unwrap_or_else(|code| panic!("the connection ended, code {code:?}"))
    }

    /// The next text, which must be JSON.
    pub async fn next_json(&mut self) -> Value {
        let text = self.next_text().await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The next frame of that type, whatever comes before.
    pub async fn expect_kind(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next_json().await;
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// The next frame, which must be of that type.
    pub async fn expect(&mut self, kind: &str) -> Value {
        let frame = self.next_json().await;
        assert_eq!(frame["type"], kind, "{frame}");
        frame
    }

    /// The next frame, which must be an ERROR of that code.
    pub async fn expect_error(&mut self, code: &str) -> Value {
        let frame = self.expect("ERROR").await;
        assert_eq!(frame["code"], code, "{frame}");
        assert!(!text(&frame["message"]).is_empty(), "{frame}");
        frame
    }

    /// The next frame, which must be a TALK with that text.
    pub async fn expect_talk(&mut self, message: &str) -> Value {
        let frame = self.expect("TALK").await;
        assert_eq!(frame["message"], message, "{frame}");
        frame
    }

    /// The code with which the server closes, whatever it says before.
    pub async fn expect_close(&mut self) -> u16 {
        within("a close frame", async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Close(frame))) => return frame.expect("a code").code.into(),
                    Some(Ok(_)) => {}
                    other => panic!("the connection ended without a close frame: {other:?}"),
                }
            }
        })
        .await
    }
}
