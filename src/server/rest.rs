//! The HTTP companions of the socket, under `/chat`: open to any origin, blind to cookies.

use super::{
    http::App,
    security::{Client, problem, problem_with},
};
use crate::{
    domain::{Error, RoomId, limits},
    protocol::{MessagesPage, RoomSummary},
};
use axum::{
    Extension, Form, Json,
    extract::{FromRequest, Path, Query, Request, State, rejection::QueryRejection},
    http::{StatusCode, header},
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

/// `GET /chat`: every room, in the order in which they were made.
pub async fn rooms(State(app): State<App>) -> Result<Json<Vec<RoomSummary>>, Error> {
    app.chat.rooms().await.map(Json)
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
    let limit = limit.unwrap_or(limits::PAGE_MESSAGES);
    if !(1..=limits::PAGE_MESSAGES_MAX).contains(&limit) {
        return Err(Error::bad_frame(format!("limit: must be 1 to {}", limits::PAGE_MESSAGES_MAX)));
    }
    let (_, page) = app.chat.history(parse(&room_id)?, before, limit).await?;
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

fn parse(room_id: &str) -> Result<RoomId, Error> {
    room_id.parse().map_err(|_| Error::RoomNotFound)
}
