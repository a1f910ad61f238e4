//! A client as the protocol wants it: it keeps, per message, the state with the highest `rev`, expects
//! every number after SYNC, resumes where it was, and sends what was not acknowledged again.

use crate::harness::{Place, id, number, text};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

/// Messages that may be under way without an answer.
const UNDER_WAY: usize = 16;
/// Without an answer for this long, what was not acknowledged is sent again.
const ASK_AGAIN: Duration = Duration::from_millis(400);

/// Somebody in a room, over any number of connections.
pub struct Client {
    name: String,
    room: String,
    epoch: Option<Value>,
    /// Every change up to this number has arrived.
    pub head: u64,
    /// The state of each message, by id.
    pub states: HashMap<String, Value>,
    /// What is to be said.
    to_say: VecDeque<(String, String)>,
    /// What was said and not acknowledged.
    unanswered: VecDeque<(String, String)>,
    /// Ids that were acknowledged, with their numbers.
    pub acknowledged: HashMap<String, u64>,
    /// Whether it enters as if it had seen nothing, and only wants what comes from then on.
    pub without_since: bool,
    /// Whether a hole in the live numbers is asked about, as a page does, and not a violation.
    pub forgives_holes: bool,
    /// Whether RESTART came on the last visit, and with what close code that ended.
    pub told_to_come_back: bool,
    pub close_code: Option<u16>,
    /// How often the server said that this client's history is another one.
    pub resets: usize,
    /// Whether the present connection has had its SYNC.
    live: bool,
    /// What must not have happened.
    pub violations: Vec<String>,
}

type Line = WebSocketStream<TcpStream>;

impl Client {
    pub fn new(name: impl Into<String>, room: &str) -> Self {
        Self {
            name: name.into(),
            room: room.to_owned(),
            epoch: None,
            head: 0,
            states: HashMap::new(),
            to_say: VecDeque::new(),
            unanswered: VecDeque::new(),
            acknowledged: HashMap::new(),
            without_since: false,
            forgives_holes: false,
            told_to_come_back: false,
            close_code: None,
            resets: 0,
            live: false,
            violations: Vec::new(),
        }
    }

    /// Will say `count` more things.
    pub fn will_say(&mut self, count: usize) {
        for n in 0..count {
            self.to_say.push_back((id(), format!("{} says {n} of {count}", self.name)));
        }
    }

    /// Gives up what was not sent yet; what was sent is still sent again.
    pub fn say_no_more(&mut self) {
        self.to_say.clear();
    }

    /// Whether everything was said and acknowledged.
    pub fn has_said_all(&self) -> bool {
        self.to_say.is_empty() && self.unanswered.is_empty()
    }

    /// Comes in and stays until `done`; `false` when the line broke before, or was never there.
    pub async fn visit(&mut self, place: &Place, mut done: impl FnMut(&Self) -> bool) -> bool {
        (self.live, self.told_to_come_back, self.close_code) = (false, false, None);
        let Some(mut line) = self.connect(place).await else { return false };
        if !self.enter(&mut line).await {
            return false;
        }
        loop {
            if self.live && done(self) {
                return true;
            }
            let Ok(next) = timeout(ASK_AGAIN, line.next()).await else {
                if !self.unanswered.is_empty() && !self.say_again(&mut line).await {
                    return false;
                }
                continue;
            };
            let goes_on = match next {
                Some(Ok(Message::Text(frame))) => {
                    let frame = serde_json::from_str(&frame).expect("JSON");
                    self.hear(frame, &mut line).await
                }
                Some(Ok(Message::Close(frame))) => {
                    self.close_code = frame.map(|frame| frame.code.into());
                    false
                }
                Some(Ok(_)) => true,
                Some(Err(_)) | None => false,
            };
            if !goes_on || !self.say_more(&mut line).await {
                return false;
            }
        }
    }

    async fn connect(&self, place: &Place) -> Option<Line> {
        let mut request = format!("ws://{}/ws/chat", place.address).into_client_request().expect("a request");
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("madang.v1"));
        let connect = async {
            let stream = TcpStream::connect(place.address).await.ok()?;
            let _ = stream.set_nodelay(true);
            client_async(request, stream).await.ok().map(|(line, _)| line)
        };
        timeout(Duration::from_secs(5), connect).await.ok().flatten()
    }

    async fn enter(&mut self, line: &mut Line) -> bool {
        self.live = false;
        let mut enter = json!({"type": "ENTER", "roomId": self.room, "sender": self.name});
        if !self.without_since {
            enter["since"] = json!(self.head);
        }
        if let Some(epoch) = &self.epoch {
            enter["epoch"] = epoch.clone();
        }
        send(line, enter).await
    }

    /// `false` when the line broke.
    async fn hear(&mut self, frame: Value, line: &mut Line) -> bool {
        match text(&frame["type"]) {
            "ROOM" => {
                self.epoch = Some(frame["epoch"].clone());
                if frame["reset"] == true {
                    self.resets += 1;
                    self.states.clear();
                    self.head = 0;
                    return self.enter(line).await;
                }
                self.live = self.without_since;
                if self.without_since {
                    self.head = number(&frame["head"]);
                }
                return self.say_again(line).await;
            }
            "SYNC" => {
                self.head = self.head.max(number(&frame["head"]));
                self.live = true;
            }
            "TALK" => return self.hear_talk(frame, line).await,
            "RESTART" => self.told_to_come_back = true,
            "ERROR" if ["busy", "storage_unavailable"].contains(&text(&frame["code"])) => {}
            "ERROR" => self.violations.push(frame.to_string()),
            _ => {}
        }
        true
    }

    async fn hear_talk(&mut self, talk: Value, line: &mut Line) -> bool {
        let (id, rev) = (text(&talk["id"]).to_owned(), number(&talk["rev"]));
        if let Some(at) = self.unanswered.iter().position(|(own, _)| *own == id) {
            let (id, message) = self.unanswered.remove(at).expect("there");
            if talk["deleted"] != true && talk["editedAt"].is_null() && talk["message"] != message.as_str() {
                self.violations.push(format!("{message:?} was acknowledged as {talk}"));
            }
            self.acknowledged.insert(id, number(&talk["seq"]));
        }
        let known = self.states.get(&id).map_or(0, |known| number(&known["rev"]));
        if rev > known {
            self.states.insert(id, talk);
        }
        if self.live && rev > self.head + 1 {
            if self.forgives_holes {
                return self.enter(line).await;
            }
            self.violations.push(format!("after {} came {rev}", self.head));
        }
        if self.live {
            self.head = self.head.max(rev);
        }
        true
    }

    async fn say_again(&mut self, line: &mut Line) -> bool {
        for (id, message) in self.unanswered.clone() {
            if !self.say(line, &id, &message).await {
                return false;
            }
        }
        true
    }

    async fn say_more(&mut self, line: &mut Line) -> bool {
        while self.live && self.unanswered.len() < UNDER_WAY && !self.told_to_come_back {
            let Some((id, message)) = self.to_say.pop_front() else { return true };
            // Kept before it is sent: from here on the outcome may be unknown.
            self.unanswered.push_back((id.clone(), message.clone()));
            if !self.say(line, &id, &message).await {
                return false;
            }
        }
        true
    }

    async fn say(&self, line: &mut Line, id: &str, message: &str) -> bool {
        send(line, json!({"type": "TALK", "roomId": self.room, "id": id, "message": message})).await
    }

    /// What differs from a fresh load of the room.
    pub async fn differs_from_fresh_load(&self, place: &Place) -> Option<String> {
        let fresh = place.history(&self.room).await;
        let head = number(&place.get(&format!("/chat/{}", self.room)).await.json()["head"]);
        if head != self.head {
            return Some(format!("{} is at {}, the room at {head}", self.name, self.head));
        }
        if fresh.len() != self.states.len() {
            return Some(format!("{} knows {} messages, the room has {}", self.name, self.states.len(), fresh.len()));
        }
        fresh.iter().find_map(|talk| {
            let mut known = self.states.get(text(&talk["id"])).cloned().unwrap_or_default();
            known.as_object_mut()?.remove("type");
            (known != *talk).then(|| format!("{} knows {known}, the room has {talk}", self.name))
        })
    }
}

async fn send(line: &mut Line, frame: Value) -> bool {
    let sent = timeout(Duration::from_secs(20), line.send(Message::text(frame.to_string()))).await;
    matches!(sent, Ok(Ok(())))
}
