//! The one connection: opened with the v1 dialect, kept alive, opened again with growing, jittered
//! pauses, and resumed where the page left off.

use super::{
    Ui, composer, forms, outbox,
    requests::{Answer, LATER, RETRIED, Requests},
    state::{ChatState, Link, Sending, Todo},
    wire,
};
use crate::{
    domain::{Error, MessageId, RoomId},
    protocol::{ClientFrame, ServerFrame, V1},
};
use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_util::{
    SinkExt, StreamExt,
    future::{Either, poll_fn, select},
    stream,
};
use gloo_net::websocket::{Message, State, WebSocketError, futures::WebSocket};
use leptos::prelude::*;
use std::{cell::RefCell, rc::Rc};

/// The first pause before another try, and the longest, in milliseconds; a random part of it is waited.
const PAUSE_MS: f64 = 500.0;
const PAUSE_MAX_MS: f64 = 30_000.0;
/// A socket that does not open within this many milliseconds is given up; by whoever asks for another, after this many.
const OPEN_WITHIN_MS: f64 = 10_000.0;
const OPEN_AT_LEAST_MS: f64 = 2_000.0;
/// A browser cannot see WebSocket pings: the page asks after this long without a frame …
const ASK_AFTER_MS: f64 = 10_000.0;
/// … and gives the connection up this long after it has asked. Silence alone says nothing: a tab in the background may
/// get its turn once a minute.
const ANSWER_WITHIN_MS: f64 = 15_000.0;
/// The same where somebody has come back and waits.
const ANSWER_AT_ONCE_MS: f64 = 4_000.0;
/// What could not be sent in another room is sent again after this many milliseconds.
const POST_AGAIN: std::time::Duration = std::time::Duration::from_secs(2);

/// What the page tells its connection.
#[derive(Clone, Debug)]
pub enum Event {
    /// Another room, or none, is on screen.
    Moved,
    /// A message waits in the state.
    Say,
    /// Something is asked of the room on screen, or of the list, once the room has let us in.
    Ask(ClientFrame),
    /// Somebody is writing in the room on screen.
    Typing,
    /// What waits in rooms that are not on screen can be tried again.
    PostAgain,
    /// The network may be gone.
    Doubt,
    /// Try at once: the user asked, or the network or the page came back.
    Wake,
    /// A second went by.
    Tick,
}

/// What arrives while connected.
enum Arrival {
    Frame(Result<Message, WebSocketError>),
    Event(Event),
    /// The socket has ended.
    End,
}

/// The sending end.
#[derive(Clone, Debug)]
pub struct Events(UnboundedSender<Event>);

impl Events {
    /// Tells the connection.
    pub fn send(&self, event: Event) {
        let _ = self.0.unbounded_send(event);
    }
}

/// The two ends.
#[must_use]
pub fn events() -> (Events, UnboundedReceiver<Event>) {
    let (sender, receiver) = unbounded();
    (Events(sender), receiver)
}

/// Keeps the page connected, for as long as it lives.
pub async fn run(ui: Ui, inbox: UnboundedReceiver<Event>) {
    let connection = Connection {
        ui,
        entered: None,
        inside: None,
        heard: 0.0,
        dead_at: None,
        enter_at: None,
        back_after: 0.0,
        ask_at: None,
        at_once: false,
        said: None,
        say_at: None,
        posting: Rc::default(),
    };
    connection.run(inbox).await;
}

struct Connection {
    ui: Ui,
    /// The room that this connection has asked to enter …
    entered: Option<RoomId>,
    /// … and the one that has let it in. Until then nothing is said, or it would overtake what waits.
    inside: Option<RoomId>,
    /// When something last came.
    heard: f64,
    /// When the connection is given up, unless something comes: PING was sent.
    dead_at: Option<f64>,
    /// When to ask again to be let into the room.
    enter_at: Option<f64>,
    /// How long the server asked to stay away, in milliseconds.
    back_after: f64,
    /// When to ask again for what the server could not do.
    ask_at: Option<f64>,
    /// Set when the next try is not to wait.
    at_once: bool,
    /// The message that has been sent and is not answered yet.
    said: Option<MessageId>,
    /// When to send it again: it was too much at once.
    say_at: Option<f64>,
    /// The rooms not on screen whose messages are being posted, or are to be again soon.
    posting: Rc<RefCell<Vec<RoomId>>>,
}

impl Connection {
    async fn run(mut self, mut inbox: UnboundedReceiver<Event>) {
        let mut tries: i32 = 0;
        // As the page shows it already.
        self.ui.state.update_untracked(|state| state.set_link(Link::Connecting, js_sys::Date::now()));
        loop {
            if let Ok(socket) = WebSocket::open_with_protocol(&url(), V1) {
                self.converse(socket, &mut inbox, &mut tries).await;
            }
            self.entered = None;
            self.inside = None;
            if !std::mem::take(&mut self.at_once) {
                self.pause(&mut inbox, tries).await;
            }
            tries += 1;
            self.set_link(Link::Connecting);
        }
    }

    /// Full jitter: everyone comes back at a moment of their own.
    async fn pause(&mut self, inbox: &mut UnboundedReceiver<Event>, tries: i32) {
        let longest = (PAUSE_MS * 2f64.powi(tries.min(10))).min(PAUSE_MAX_MS);
        let until = js_sys::Date::now() + std::mem::take(&mut self.back_after) + longest * js_sys::Math::random();
        self.set_link(Link::Waiting { until });
        while let Some(event) = inbox.next().await {
            if matches!(event, Event::Wake) || js_sys::Date::now() >= until {
                return;
            }
        }
    }

    /// Waits until the socket is open, or will not be.
    async fn opens(&mut self, socket: &mut WebSocket, inbox: &mut UnboundedReceiver<Event>) -> bool {
        let begun = js_sys::Date::now();
        loop {
            let event = match select(poll_fn(|context| socket.poll_ready_unpin(context)), inbox.next()).await {
                // Ready is also a socket that could not be opened.
                Either::Left(_) => return matches!(socket.state(), State::Open),
                Either::Right((event, _)) => event,
            };
            let waited = js_sys::Date::now() - begun;
            match event {
                Some(Event::Wake) => {
                    self.at_once = true;
                    if waited >= OPEN_AT_LEAST_MS {
                        return false;
                    }
                }
                Some(_) if waited < OPEN_WITHIN_MS => {}
                _ => return false,
            }
        }
    }

    /// Speaks and listens until the connection is lost.
    async fn converse(&mut self, mut socket: WebSocket, inbox: &mut UnboundedReceiver<Event>, tries: &mut i32) {
        if !self.opens(&mut socket, inbox).await {
            return;
        }
        self.at_once = false;
        let (mut sink, frames) = socket.split();
        self.heard = js_sys::Date::now();
        self.dead_at = None;
        let frames = frames.map(Arrival::Frame).chain(stream::iter([Arrival::End]));
        let mut arrivals = stream::select(frames, inbox.map(Arrival::Event));
        let mut outbox = vec![ClientFrame::Watch { on: true }];
        outbox.extend(self.enter());
        loop {
            for frame in outbox.drain(..) {
                let text = serde_json::to_string(&frame).unwrap_or_default();
                if sink.send(Message::Text(text)).await.is_err() {
                    return;
                }
            }
            match arrivals.next().await {
                Some(Arrival::Frame(Ok(Message::Text(text)))) => {
                    self.heard = js_sys::Date::now();
                    self.dead_at = None;
                    *tries = 0;
                    self.set_link(Link::Live);
                    outbox = self.receive(&text);
                }
                Some(Arrival::Frame(Ok(Message::Bytes(_)))) => {}
                Some(Arrival::Event(event)) => match self.act(&event) {
                    Some(frames) => outbox = frames,
                    None => return,
                },
                Some(Arrival::Frame(Err(_)) | Arrival::End) | None => return,
            }
            outbox.extend(self.say());
        }
    }

    /// Applies a frame, and answers with what it makes necessary.
    fn receive(&mut self, text: &str) -> Vec<ClientFrame> {
        // A frame of a newer server that this page does not know is passed over.
        let Some(frame) = wire::frame(text) else { return Vec::new() };
        let (mut let_in, mut synced) = (false, false);
        match &frame {
            // Those of a room that was left meanwhile may still be under way.
            ServerFrame::Room(room) => let_in = self.entered == Some(room.room_id),
            ServerFrame::Sync(sync) => synced = self.inside == Some(sync.room_id),
            ServerFrame::Restart(restart) => self.back_after = restart.after_ms.into(),
            ServerFrame::Talk(talk) if talk.person.is_some() => outbox::forget(talk.id),
            ServerFrame::Error(error) if self.said.is_some_and(|said| error.names(said)) => {
                // It may be said again.
                self.said = None;
                if LATER.contains(&error.code.as_str()) {
                    self.say_at = Some(js_sys::Date::now() + f64::from(error.retry_after()));
                }
            }
            _ => {}
        }
        if let ServerFrame::Talk(talk) = &frame
            && talk.deleted
            && self.ui.state.with_untracked(|state| state.answers(talk.id))
        {
            forms::refuse(composer::REFUSAL, &(self.ui.text.error)(Error::MessageNotFound.code()));
        }
        let (mut answer, mut todo) = (Answer::Done(Vec::new()), Todo::Nothing);
        let mut is_other_history = false;
        self.ui.state.update(|state| {
            answer = state.requests.hears(&frame, state.me.as_ref().map(|me| me.sender.as_str()));
            let before = state.epoch;
            todo = state.apply(frame, js_sys::Date::now());
            is_other_history = before.is_some() && state.epoch != before;
        });
        match answer {
            Answer::Done(asked) => asked.iter().for_each(outbox::forget_change),
            Answer::Again(pause) => self.ask_at = Some(js_sys::Date::now() + f64::from(pause)),
            Answer::Refused(code, asked) => {
                outbox::forget_change(&asked);
                // No word is lost.
                if let ClientFrame::Edit { room_id, message, .. } = asked {
                    self.ui.give_back(room_id, message);
                }
                forms::refuse(composer::REFUSAL, &(self.ui.text.error)(&code));
            }
        }
        match todo {
            Todo::Reload => {
                self.ui.reload();
                // How far was read in it, too.
                is_other_history.then_some(ClientFrame::Watch { on: true }).into_iter().collect()
            }
            Todo::LoadPage => {
                let _ = window().location().reload();
                Vec::new()
            }
            Todo::Resync => self.enter(),
            Todo::ResyncAfter(pause) => {
                self.enter_at = Some(js_sys::Date::now() + f64::from(pause));
                Vec::new()
            }
            // In the room again.
            Todo::Nothing if let_in => {
                self.inside = self.entered;
                self.post_elsewhere();
                Vec::new()
            }
            // What the replay has not shown to be done is asked for again; of other rooms once one is there again.
            Todo::Nothing if synced => self.asked(),
            Todo::Nothing => Vec::new(),
        }
    }

    /// What to send for an event; `None` gives the connection up.
    fn act(&mut self, event: &Event) -> Option<Vec<ClientFrame>> {
        let room = self.ui.state.with_untracked(ChatState::here);
        let here = room.filter(|_| room == self.inside);
        Some(match event {
            Event::Moved => {
                let left = self.entered.filter(|_| room != self.entered);
                left.map(|room_id| ClientFrame::Leave { room_id }).into_iter().chain(self.enter()).collect()
            }
            // The page may show another room already: what counts is where this connection is.
            Event::Ask(frame) => Requests::can_send(frame, self.inside).then(|| frame.clone()).into_iter().collect(),
            Event::Typing => here.map(|room_id| ClientFrame::Typing { room_id }).into_iter().collect(),
            Event::Tick => {
                let now = js_sys::Date::now();
                if self.dead_at.is_some_and(|at| at <= now) {
                    return None;
                }
                if self.enter_at.take_if(|at| *at <= now).is_some() {
                    return Some(self.enter());
                }
                self.say_at.take_if(|at| *at <= now);
                if self.ask_at.take_if(|at| *at <= now).is_some() {
                    return Some(self.asked());
                }
                if self.dead_at.is_none() && self.is_silent() { self.ping(ANSWER_WITHIN_MS) } else { Vec::new() }
            }
            Event::Doubt => self.ping(ANSWER_AT_ONCE_MS),
            Event::Wake if self.is_silent() => self.ping(ANSWER_AT_ONCE_MS),
            Event::PostAgain => {
                if self.inside.is_some() {
                    self.post_elsewhere();
                }
                Vec::new()
            }
            Event::Say | Event::Wake => Vec::new(),
        })
    }

    /// Whether nothing has come for a while.
    fn is_silent(&self) -> bool {
        js_sys::Date::now() - self.heard > ASK_AFTER_MS
    }

    /// PING; something is to come within so many milliseconds.
    fn ping(&mut self, patience: f64) -> Vec<ClientFrame> {
        let until = js_sys::Date::now() + patience;
        self.dead_at = Some(self.dead_at.map_or(until, |at| at.min(until)));
        vec![ClientFrame::Ping]
    }

    /// ENTER for the room on screen, if there is one and this browser has joined.
    fn enter(&mut self) -> Vec<ClientFrame> {
        let frame = self.ui.state.with_untracked(|state| {
            let room = state.room.as_ref().filter(|_| state.me.is_some())?;
            Some(ClientFrame::Enter { room_id: room.id, sender: None, since: Some(room.head), epoch: Some(room.epoch) })
        });
        self.inside = None;
        self.said = None;
        self.entered = match &frame {
            Some(ClientFrame::Enter { room_id, .. }) => Some(*room_id),
            _ => None,
        };
        frame.into_iter().collect()
    }

    /// What was asked for and is not answered yet.
    fn asked(&self) -> Vec<ClientFrame> {
        self.ui.state.with_untracked(|state| state.requests.from_inside(self.inside))
    }

    /// TALK for what waits longest in the room on screen, under its own id over every connection. One at a time: nothing
    /// overtakes it before the server has answered.
    fn say(&mut self) -> Option<ClientFrame> {
        let next = self.ui.state.with_untracked(|state| {
            let room = state.room.as_ref().filter(|room| Some(room.id) == self.inside && self.say_at.is_none())?;
            let sending = room.sending.iter().find(|sending| sending.failed.is_none())?;
            Some((room.id, sending.clone()))
        });
        let (room_id, Sending { id, text, reply_to, .. }) =
            next.filter(|(_, sending)| self.said != Some(sending.id))?;
        self.said = Some(id);
        Some(ClientFrame::Talk { room_id, id: Some(id), sender: None, message: text, reply_to })
    }

    /// Sends what was said in rooms that are not on screen by plain requests, each room's in its order and one at a time.
    fn post_elsewhere(&self) {
        let (ui, posting) = (self.ui, self.posting.clone());
        let rooms = ui.state.with_untracked(|state| state.waiting.iter().map(|(room, _)| *room).collect::<Vec<_>>());
        for room in rooms {
            if posting.borrow().contains(&room) {
                continue;
            }
            posting.borrow_mut().push(room);
            let posting = posting.clone();
            let done = move || posting.borrow_mut().retain(|posting| *posting != room);
            leptos::task::spawn_local(async move {
                while let Some(sending) = ui.state.with_untracked(|state| state.next_waiting(room).cloned()) {
                    let outcome = wire::post_message(room, &sending).await;
                    match outcome {
                        Ok(()) => outbox::forget(sending.id),
                        // Later, with all that follows it.
                        Err(code) if RETRIED.contains(&code.as_str()) => {
                            let again = move || {
                                done();
                                ui.tell(Event::PostAgain);
                            };
                            return set_timeout(again, POST_AGAIN);
                        }
                        Err(_) => {}
                    }
                    ui.state.update(|state| state.posted(room, sending.id, outcome.err()));
                }
                done();
            });
        }
    }

    fn set_link(&self, link: Link) {
        if self.ui.state.with_untracked(|state| state.link) != link {
            self.ui.state.update(|state| state.set_link(link, js_sys::Date::now()));
        }
    }
}

fn url() -> String {
    let location = window().location();
    let scheme = if location.protocol().is_ok_and(|protocol| protocol == "https:") { "wss" } else { "ws" };
    format!("{scheme}://{}/ws/chat", location.host().unwrap_or_default())
}
