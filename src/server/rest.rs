//! The HTTP companions of the socket, under `/chat`: open to any origin, blind to cookies.

use super::{
    http::App,
    security::{Client, problem, problem_with},
};
use crate::{
    domain::{Error, RoomId, Window, limits},
    protocol::{MessagesPage, RoomSummary},
};
use axum::{
    Extension, Form, Json,
    extract::{FromRequest, Path, Query, Request, State, rejection::QueryRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        problem(&self)
    }
}

/// The name of a room to make.
#[derive(Deserialize)]
pub struct NewRoom {
    name: Option<String>,
}

/// A page of rooms.
#[derive(Deserialize)]
pub struct RoomsQuery {
    after: Option<RoomId>,
    limit: Option<u32>,
}

/// A page of messages.
#[derive(Deserialize)]
pub struct PageQuery {
    before: Option<u64>,
    limit: Option<u32>,
}

/// `POST /chat?name=N`, or `name` in a form or JSON body: makes a room, as in the tutorial.
pub async fn create_room(
    State(app): State<App>,
    Extension(client): Extension<Client>,
    query: Result<Query<NewRoom>, QueryRejection>,
    request: Request,
) -> Result<Json<RoomSummary>, Error> {
    let Query(query) = query.map_err(|rejection| Error::bad_frame(rejection.body_text()))?;
    let name = match query.name {
        Some(name) => name,
        None => name_in(request).await?.ok_or_else(|| Error::bad_frame("name: missing; as in POST /chat?name=…"))?,
    };
    Ok(Json(app.chat.create_room(&name, None, client.address).await?))
}

async fn name_in(request: Request) -> Result<Option<String>, Error> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/json") {
        let Json(room) = Json::<NewRoom>::from_request(request, &())
            .await
            .map_err(|rejection| Error::bad_frame(rejection.body_text()))?;
        Ok(room.name)
    } else if kind.starts_with("application/x-www-form-urlencoded") {
        let Form(room) = Form::<NewRoom>::from_request(request, &())
            .await
            .map_err(|rejection| Error::bad_frame(rejection.body_text()))?;
        Ok(room.name)
    } else {
        Ok(None)
    }
}

/// `GET /chat?after=ROOMID&limit=1000`: rooms, in the order in which they were made. Where there may be more, the
/// header `Link` (RFC 8288) says where the next are.
pub async fn rooms(
    State(app): State<App>,
    query: Result<Query<RoomsQuery>, QueryRejection>,
) -> Result<Response, Error> {
    let Query(RoomsQuery { after, limit }) = query.map_err(|rejection| Error::bad_frame(rejection.body_text()))?;
    let limit = within(limit, limits::PAGE_ROOMS, limits::PAGE_ROOMS)?;
    let rooms = app.chat.rooms(after, limit).await?;
    let next = rooms.last().filter(|_| rooms.len() == limit as usize);
    let next = next.map(|last| format!("</chat?after={}&limit={limit}>; rel=\"next\"", last.room_id));
    let mut response = Json(rooms).into_response();
    if let Some(next) = next.and_then(|next| HeaderValue::from_str(&next).ok()) {
        response.headers_mut().insert(header::LINK, next);
    }
    Ok(response)
}

/// `GET /chat/{roomId}`: one room.
pub async fn room(State(app): State<App>, Path(room_id): Path<String>) -> Result<Json<RoomSummary>, Error> {
    app.chat.room(parse(&room_id)?).await.map(Json)
}

/// `GET /chat/{roomId}/messages?before=SEQ&limit=50`: a page of one moment, ascending.
pub async fn messages(
    State(app): State<App>,
    Path(room_id): Path<String>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<MessagesPage>, Error> {
    let Query(PageQuery { before, limit }) = query.map_err(|rejection| Error::bad_frame(rejection.body_text()))?;
    let limit = within(limit, limits::PAGE_MESSAGES, limits::PAGE_MESSAGES_MAX)?;
    let window = before.map_or(Window::Newest, Window::Before);
    let (_, page, _) = app.chat.history(parse(&room_id)?, window, limit).await?;
    Ok(Json(page))
}

/// `GET /health`: whether the process lives and its storage answers.
pub async fn health(State(app): State<App>) -> Response {
    match app.chat.check().await {
        Ok(()) => Json(json!({"status": "ok", "storage": "ok"})).into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "degraded", "storage": error.code()})))
            .into_response(),
    }
}

/// A method that the address does not have.
pub async fn method_not_allowed() -> Response {
    problem_with(StatusCode::METHOD_NOT_ALLOWED, &Error::bad_frame("this address does not take that method"))
}

fn within(limit: Option<u32>, usual: u32, most: u32) -> Result<u32, Error> {
    let limit = limit.unwrap_or(usual);
    if (1..=most).contains(&limit) { Ok(limit) } else { Err(Error::bad_frame(format!("limit: must be 1 to {most}"))) }
}

fn parse(room_id: &str) -> Result<RoomId, Error> {
    room_id.parse().map_err(|_| Error::RoomNotFound)
}
