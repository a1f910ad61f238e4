//! A room's address as a QR code, for whoever sits next to somebody with a telephone.

use super::{
    http::App,
    security::{Client, problem},
};
use crate::domain::{Error, RoomId};
use axum::{
    Extension,
    extract::{Path, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use qrcode::{EcLevel, QrCode, render::svg};

/// Its least width and height, in pixels.
const SIDE: u32 = 200;

/// `GET /rooms/{roomId}/qr.svg`: the address at which this room was asked for.
pub async fn qr(
    State(app): State<App>,
    Extension(client): Extension<Client>,
    Path(room_id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let room = match room_id.parse::<RoomId>() {
        Ok(id) => app.chat.room(id).await,
        Err(_) => Err(Error::RoomNotFound),
    };
    let code = room.and_then(|room| {
        let scheme = if client.secure { "https" } else { "http" };
        let address = format!("{scheme}://{host}/rooms/{}", room.room_id);
        QrCode::with_error_correction_level(address, EcLevel::M).map_err(|_| Error::bad_frame("Host: too long"))
    });
    match code {
        Ok(code) => {
            let svg = code.render::<svg::Color<'_>>().min_dimensions(SIDE, SIDE).build();
            ([(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "no-store")], svg).into_response()
        }
        Err(error) => problem(&error),
    }
}
