//! The server functions: the page's way to the use cases. What changes something is posted by a form, with
//! JavaScript (`ui/forms.rs`) or without it, and then answered by a redirect. What only reads is a GET.

#![expect(missing_docs, reason = "of the structs that the macro makes of the arguments")]

use crate::{
    domain::{Error, MessageId, RoomId, Seq, Theme},
    protocol::{Member, RoomSummary, RoomView, Talk},
};
use leptos::{
    prelude::*,
    server_fn::{
        codec::{GetUrl, JsonEncoding},
        error::ServerFnErrorErr,
    },
};

/// The first 200 rooms that were made after the room `after`, in that order; from the first one without it.
///
/// # Errors
/// `storage_unavailable`.
#[server(endpoint = "list_rooms", input = GetUrl)]
pub async fn list_rooms(after: Option<RoomId>) -> Result<Vec<RoomSummary>, Error> {
    crate::server::functions::list_rooms(after).await
}

/// Makes a room. A plain form is sent on to it.
///
/// # Errors
/// `room_name_invalid`, `rate_limited`, `storage_unavailable`.
#[server(endpoint = "create_room")]
pub async fn create_room(name: String) -> Result<RoomSummary, Error> {
    crate::server::functions::create_room(&name).await
}

/// A room with a page of its messages, and who is there: the newest, those `before` or `after` a place, or those
/// around the place `at`.
///
/// # Errors
/// `room_not_found`, `storage_unavailable`.
#[server(endpoint = "room_page", input = GetUrl)]
pub async fn room_page(
    room_id: RoomId,
    before: Option<Seq>,
    after: Option<Seq>,
    at: Option<Seq>,
) -> Result<RoomView, Error> {
    crate::server::functions::room_page(room_id, before, after, at).await
}

/// Gives a room another name and topic, for the person who made it. A plain form is sent back to it.
///
/// # Errors
/// `room_name_invalid`, `bad_frame` for the topic, `not_entered` without a session, `forbidden`, `room_not_found`,
/// `rate_limited`, `storage_unavailable`.
#[server(endpoint = "change_room")]
pub async fn change_room(
    name: String,
    #[server(default)] topic: String,
    room_id: RoomId,
) -> Result<RoomSummary, Error> {
    crate::server::functions::change_room(room_id, &name, &topic).await
}

/// Takes a name and gives this browser a session.
///
/// # Errors
/// `name_invalid`, `name_taken`, `rate_limited`, `storage_unavailable`.
#[server(endpoint = "sign_in")]
pub async fn sign_in(name: String) -> Result<Member, Error> {
    crate::server::functions::sign_in(&name).await
}

/// Ends this browser's session; its name is free again.
///
/// # Errors
/// `storage_unavailable`.
#[server(endpoint = "sign_out")]
pub async fn sign_out() -> Result<(), Error> {
    crate::server::functions::sign_out().await
}

/// Says something, for pages without JavaScript; the live page uses its socket.
///
/// # Errors
/// `not_entered` without a session, `message_empty`, `message_too_long`, `rate_limited`, `storage_unavailable`.
#[server(endpoint = "post_message")]
pub async fn post_message(
    room_id: RoomId,
    message: String,
    #[server(default)] id: Option<MessageId>,
    #[server(default)] reply_to: Option<MessageId>,
) -> Result<Talk, Error> {
    crate::server::functions::post_message(room_id, message, id, reply_to).await
}

/// Paints the page light or dark from now on, for pages without JavaScript too.
///
/// # Errors
/// `bad_frame` for any other word.
#[server(endpoint = "set_theme")]
pub async fn set_theme(theme: Theme) -> Result<(), Error> {
    crate::server::functions::set_theme(theme).await
}

impl FromServerFnError for Error {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(detail) | ServerFnErrorErr::MissingArg(detail) => Self::bad_frame(detail),
            _ => Self::Internal,
        }
    }
}
