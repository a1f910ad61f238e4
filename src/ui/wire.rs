//! Reads what the server says, by the browser's own JSON parser: serde's and the generated callers of the
//! server functions would make the page a third heavier.

use super::{FirstPage, state::Sending};
use crate::{
    domain::{Epoch, Error, Lang, MessageId, PersonId, RoomId, Window},
    protocol::{
        ErrorFrame, LastLine, Member, Members, Presence, Reaction, ReadMark, ReplyTo, Restart, RoomState, RoomSummary,
        RoomView, ServerFrame, Sync, Talk, Typing,
    },
};
use leptos::prelude::*;
use std::cell::RefCell;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, RequestInit, Response, UrlSearchParams};

/// A request is given up after this long, its answer's text included: the slowest phone has the largest page by then.
const ANSWER_WITHIN_MS: u32 = 30_000;

/// What can be read from a JSON value.
pub trait Read: Sized {
    /// `None` for a value of another shape.
    fn read(value: &JsValue) -> Option<Self>;
}

/// Every struct that comes over the wire, with its fields; one of the wire's names is the same in camel case.
macro_rules! read {
    ($($struct:ident { $($field:ident),* })*) => {
        $(impl Read for $struct {
            fn read(value: &JsValue) -> Option<Self> {
                Some(Self { $($field: field(value, stringify!($field))?),* })
            }
        })*
    };
}

read! {
    ErrorFrame { code, message, room_id, id, seq, retry_after_ms }
    LastLine { sender, message }
    Member { sender, person, guest }
    Members { room_id, member_count }
    Presence { room_id, sender, message, person, guest, member_count }
    Reaction { emoji, by }
    ReadMark { room_id, seq, unread, message_count, recounted }
    ReplyTo { id, seq, sender, excerpt }
    Restart { after_ms }
    RoomState { room_id, name, topic, lobby, epoch, head, you, members, member_count, reset }
    RoomSummary { room_id, name, topic, lobby, head, last, at, member_count, message_count, created_by, created_at }
    RoomView { room, epoch, messages, newest, members }
    Sync { room_id, head }
    Talk { room_id, sender, message, html, id, seq, rev, at, person, guest, edited_at, deleted, reply_to, reactions }
    Typing { room_id, sender, person, guest }
}

thread_local! {
    /// The wire's names of the fields, as the browser's own strings: each is made once, not for every value.
    static NAMES: RefCell<Vec<(&'static str, JsValue)>> = const { RefCell::new(Vec::new()) };
}

fn field<T: Read>(of: &JsValue, name: &'static str) -> Option<T> {
    let value = NAMES.with_borrow_mut(|names| {
        let at = names.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            names.push((name, camel_case(name).into()));
            names.len() - 1
        });
        js_sys::Reflect::get(of, &names[at].1).ok()
    });
    T::read(&value?)
}

fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    for (place, word) in name.split('_').enumerate() {
        let (first, rest) = word.split_at(usize::from(place > 0));
        camel.push_str(&first.to_ascii_uppercase());
        camel.push_str(rest);
    }
    camel
}

impl Read for String {
    fn read(value: &JsValue) -> Option<Self> {
        value.as_string()
    }
}

impl Read for bool {
    fn read(value: &JsValue) -> Option<Self> {
        // What is not so is left out.
        Some(value.is_truthy())
    }
}

impl Read for u64 {
    fn read(value: &JsValue) -> Option<Self> {
        value.as_f64().map(|number| number as Self)
    }
}

impl Read for u32 {
    fn read(value: &JsValue) -> Option<Self> {
        u64::read(value)?.try_into().ok()
    }
}

impl Read for Lang {
    fn read(value: &JsValue) -> Option<Self> {
        Self::parse(&value.as_string()?)
    }
}

impl<T: Read> Read for Option<T> {
    fn read(value: &JsValue) -> Option<Self> {
        if value.is_undefined() || value.is_null() { Some(None) } else { T::read(value).map(Some) }
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(value: &JsValue) -> Option<Self> {
        if value.is_undefined() {
            return Some(Self::new());
        }
        value.dyn_ref::<js_sys::Array>()?.iter().map(|value| T::read(&value)).collect()
    }
}

macro_rules! read_id {
    ($($id:ident)*) => {
        $(impl Read for $id {
            fn read(value: &JsValue) -> Option<Self> {
                value.as_string()?.parse().ok()
            }
        })*
    };
}
read_id! { Epoch MessageId PersonId RoomId }

/// A frame; `None` for one that this page does not know.
#[must_use]
pub fn frame(text: &str) -> Option<ServerFrame> {
    let value = js_sys::JSON::parse(text).ok()?;
    Some(match field::<String>(&value, "type")?.as_str() {
        "ENTER" => ServerFrame::Enter(Read::read(&value)?),
        "TALK" => ServerFrame::Talk(Read::read(&value)?),
        "LEAVE" => ServerFrame::Leave(Read::read(&value)?),
        "ROOM" => ServerFrame::Room(Read::read(&value)?),
        "SYNC" => ServerFrame::Sync(Read::read(&value)?),
        "MEMBERS" => ServerFrame::Members(Read::read(&value)?),
        "TYPING" => ServerFrame::Typing(Read::read(&value)?),
        "READ" => ServerFrame::Read(Read::read(&value)?),
        "LIST" => ServerFrame::List(Read::read(&value)?),
        "PONG" => ServerFrame::Pong,
        "RESTART" => ServerFrame::Restart(Read::read(&value)?),
        "ERROR" => ServerFrame::Error(Read::read(&value)?),
        _ => return None,
    })
}

read! { FirstPage { lang, me, rooms, marks, partly, room } }

impl FirstPage {
    /// The page that this browser was given.
    #[must_use]
    pub fn of_document() -> Option<Self> {
        let text = document().body()?.get_attribute("data-page")?;
        Self::read(&js_sys::JSON::parse(&text).ok()?)
    }
}

/// A room with a page of its messages, from [`crate::api::room_page`].
///
/// # Errors
/// What the server says; `busy` when it cannot be reached.
pub async fn room_page(room_id: RoomId, which: Window) -> Result<RoomView, Error> {
    let (name, seq) = match which {
        Window::Newest => ("", 0),
        Window::Before(seq) => ("&before=", seq),
        Window::After(seq) => ("&after=", seq),
        Window::Around(seq) => ("&at=", seq),
    };
    let place = if name.is_empty() { String::new() } else { format!("{name}{seq}") };
    let address = format!("/api/room_page?room_id={room_id}{place}");
    let value = match fetch(&address, &RequestInit::new()).await {
        Some(response) if response.status() == Error::RoomNotFound.status() => return Err(Error::RoomNotFound),
        Some(response) => json(&response).await,
        None => None,
    };
    value.and_then(|value| Read::read(&value)).ok_or(Error::Busy { retry_after_ms: 1_000 })
}

/// Posts fields to a server function; what comes back is where to go next.
///
/// # Errors
/// The code of the refusal; `busy` when the server cannot be reached.
pub async fn post(path: &str, fields: &[(&str, String)]) -> Result<Option<String>, String> {
    let body = UrlSearchParams::new();
    if let Ok(body) = &body {
        fields.iter().for_each(|(name, value)| body.append(name, value));
    }
    send(path, body.ok()).await
}

/// Posts a form to a server function; what comes back is where to go next.
///
/// # Errors
/// Those of [`post`].
pub async fn post_form(path: &str, form: &web_sys::Element) -> Result<Option<String>, String> {
    let data = web_sys::FormData::new_with_form(form.unchecked_ref()).map_err(|_| "internal")?;
    send(path, UrlSearchParams::new_with_str_sequence_sequence(&data).ok()).await
}

async fn send(path: &str, body: Option<UrlSearchParams>) -> Result<Option<String>, String> {
    let request = RequestInit::new();
    request.set_method("POST");
    if let Some(body) = &body {
        request.set_body(body);
    }
    let Some(response) = fetch(path, &request).await else {
        return Err("busy".into());
    };
    if response.ok() {
        return Ok(response.headers().get("location").ok().flatten());
    }
    let code = json(&response).await.and_then(|error| field(&error, "code"));
    // What a proxy says in place of the server.
    Err(code.unwrap_or_else(|| "busy".into()))
}

/// Says something in a room without being there, under the message's own id.
///
/// # Errors
/// The code of the refusal; `busy` when the server cannot be reached.
pub async fn post_message(room: RoomId, sending: &Sending) -> Result<(), String> {
    let mut fields =
        vec![("room_id", room.to_string()), ("message", sending.text.clone()), ("id", sending.id.to_string())];
    fields.extend(sending.reply_to.map(|id| ("reply_to", id.to_string())));
    post(super::composer::PATH, &fields).await.map(drop)
}

/// `None` when there is no answer: on a connection that has died unnoticed there never would be one.
async fn fetch(address: &str, request: &RequestInit) -> Option<Response> {
    request.set_signal(Some(&AbortSignal::timeout_with_u32(ANSWER_WITHIN_MS)));
    JsFuture::from(window().fetch_with_str_and_init(address, request)).await.ok()?.dyn_into().ok()
}

async fn json(response: &Response) -> Option<JsValue> {
    JsFuture::from(response.json().ok()?).await.ok()
}
