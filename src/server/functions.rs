//! What the server functions do on the host: the use cases, plus cookies, redirects and statuses.

use super::{
    chat::{Chat, Draft, Speaker},
    http::App,
    pages::{THEME_COOKIE, preference_cookie},
    security::Client,
    store::Person,
    unsaid::Unsaid,
    wire,
};
use crate::{
    domain::{Author, AuthorKind, Error, MessageId, RoomId, Seq, Theme, Window, limits},
    protocol::{Member, RoomSummary, RoomView, Talk},
};
use axum::http::{HeaderValue, StatusCode, header};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use std::sync::Arc;

/// What a request brings: the chat, and who asks.
#[derive(Clone)]
pub struct Door {
    /// The use cases.
    pub chat: Chat,
    /// Who asks.
    pub client: Client,
    /// What was said by plain forms and refused.
    pub unsaid: Arc<Unsaid>,
}

impl Door {
    /// What a request of that client brings.
    #[must_use]
    pub fn of(app: &App, client: Client) -> Self {
        Self { chat: app.chat.clone(), client, unsaid: app.unsaid.clone() }
    }

    fn current() -> Result<Self, Error> {
        use_context().ok_or(Error::Internal)
    }

    /// The person whose session the request came with.
    pub async fn person(&self) -> Result<Option<Person>, Error> {
        self.chat.who(self.client.session.as_ref()).await
    }
}

/// See [`crate::api::list_rooms`].
pub async fn list_rooms(after: Option<RoomId>) -> Result<Vec<RoomSummary>, Error> {
    answer(async { Door::current()?.chat.rooms(after, limits::ROOMS_LISTED).await }).await
}

/// See [`crate::api::create_room`].
pub async fn create_room(name: &str) -> Result<RoomSummary, Error> {
    answer(async {
        let door = Door::current()?;
        let by = door.person().await?.map(|person| person.id);
        let room = door.chat.create_room(name, by, door.client.address).await?;
        if by.is_none() {
            set_cookie(&door.client.made_cookie(&door.chat.made(&door.client.made, room.room_id)));
        }
        leptos_axum::redirect(&format!("/rooms/{}", room.room_id));
        Ok(room)
    })
    .await
}

/// See [`crate::api::change_room`].
pub async fn change_room(id: RoomId, name: &str, topic: &str) -> Result<RoomSummary, Error> {
    answer(async {
        let door = Door::current()?;
        let person = door.person().await?.ok_or(Error::NotEntered)?;
        let room = door.chat.change_room(id, person.id, name, topic).await?;
        leptos_axum::redirect(&format!("/rooms/{id}"));
        Ok(room)
    })
    .await
}

/// See [`crate::api::room_page`].
pub async fn room_page(
    room_id: RoomId,
    before: Option<Seq>,
    after: Option<Seq>,
    at: Option<Seq>,
) -> Result<RoomView, Error> {
    answer(async { page(&Door::current()?.chat, room_id, Window::of(before, after, at)).await }).await
}

/// A room with a page of its messages.
pub async fn page(chat: &Chat, room_id: RoomId, window: Window) -> Result<RoomView, Error> {
    let (room, messages, newest) = chat.history(room_id, window, limits::PAGE_MESSAGES).await?;
    Ok(RoomView {
        room,
        epoch: messages.epoch,
        messages: messages.messages,
        newest,
        members: chat.hub().present(room_id).members,
    })
}

/// See [`crate::api::sign_in`].
pub async fn sign_in(name: &str) -> Result<Member, Error> {
    answer(async {
        let Door { chat, client, .. } = Door::current()?;
        let signed_in = chat.sign_in(name, client.session.as_ref(), client.address).await?;
        set_cookie(&client.session_cookie(&signed_in.token));
        if !client.made.is_empty() {
            chat.adopt_rooms(&client.made, signed_in.person.id).await?;
            set_cookie(&client.made_cookie(""));
        }
        Ok(wire::member(&signed_in.person.name, &AuthorKind::Person(signed_in.person.id)))
    })
    .await
}

/// See [`crate::api::sign_out`].
pub async fn sign_out() -> Result<(), Error> {
    answer(async {
        let Door { chat, client, .. } = Door::current()?;
        if let Some(session) = &client.session {
            chat.sign_out(session).await?;
        }
        set_cookie(&client.session_cookie(""));
        Ok(())
    })
    .await
}

/// See [`crate::api::post_message`].
pub async fn post_message(
    room: RoomId,
    text: String,
    id: Option<MessageId>,
    reply_to: Option<MessageId>,
) -> Result<Talk, Error> {
    answer(async {
        let door = Door::current()?;
        let person = door.person().await?.ok_or(Error::NotEntered)?;
        let author = Author { name: person.name, kind: AuthorKind::Person(person.id) };
        let speaker = Speaker { author, connection: 0, address: door.client.address };
        let unsaid = wants_page().then(|| text.clone());
        let said = door.chat.post_and_wait(speaker, Draft { room, id, text, reply_to }).await;
        if let (Err(_), Some(text)) = (&said, unsaid) {
            door.unsaid.keep(person.id, room, text);
        }
        said
    })
    .await
}

/// See [`crate::api::set_theme`].
pub async fn set_theme(theme: Theme) -> Result<(), Error> {
    set_cookie(&preference_cookie(THEME_COOKIE, theme.as_str()));
    Ok(())
}

/// Gives an error its HTTP status; Leptos would say 500 to all.
async fn answer<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let result = work.await;
    if let (Err(error), Some(response), false) = (&result, use_context::<ResponseOptions>(), wants_page()) {
        response.set_status(StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    }
    result
}

/// Whether a plain form asked: it is answered by a redirect, whose status must stay.
fn wants_page() -> bool {
    let accept =
        use_context::<axum::http::request::Parts>().and_then(|parts| parts.headers.get(header::ACCEPT).cloned());
    accept.is_some_and(|accept| accept.to_str().is_ok_and(|accept| accept.contains("text/html")))
}

fn set_cookie(cookie: &str) {
    if let (Some(response), Ok(cookie)) = (use_context::<ResponseOptions>(), HeaderValue::from_str(cookie)) {
        response.append_header(header::SET_COOKIE, cookie);
    }
}
