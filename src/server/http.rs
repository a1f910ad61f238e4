//! Every route of Madang on one screen.

use super::{
    chat::Chat,
    config::Config,
    pages,
    places::Places,
    qr, rest,
    security::{self, Trust},
    site::Site,
    unsaid::Unsaid,
    websocket,
};
use crate::domain::limits;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    middleware::{from_fn, from_fn_with_state, map_response},
    routing::{any, get},
};
use std::{convert::Infallible, sync::Arc};
use tokio::sync::mpsc;
use tower_http::{
    CompressionLevel,
    compression::CompressionLayer,
    cors::{Any, CorsLayer},
    limit::RequestBodyLimitLayer,
    timeout::TimeoutLayer,
};

/// What every route can reach.
#[derive(Clone)]
pub struct App {
    /// The use cases.
    pub chat: Chat,
    /// Our origins and proxies.
    pub trust: Arc<Trust>,
    /// The built browser side.
    pub site: Arc<Site>,
    /// Connections that there may be.
    pub places: Arc<Places>,
    /// What was said by plain forms and refused.
    pub unsaid: Arc<Unsaid>,
    /// Held by whatever a stopping server has to wait for.
    pub alive: mpsc::Sender<Infallible>,
}

impl App {
    /// From the settings.
    #[must_use]
    pub fn new(chat: Chat, site: Site, config: &Config, alive: mpsc::Sender<Infallible>) -> Self {
        let places = Arc::new(Places::new(config.limits.connections_per_address));
        Self { chat, trust: Arc::new(Trust::new(config)), site: Arc::new(site), places, unsaid: Arc::default(), alive }
    }
}

/// A body that drips does not hold its place for ever.
fn timeout() -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, limits::REQUEST_TIMEOUT)
}

/// Pages and lists, packed as they are sent; files are packed when the site is built. Level 1 costs about as much
/// as the writing that it saves, and makes a room's page a sixth of its size; level 4 makes it a seventh, and costs more
/// than the page.
fn compression() -> CompressionLayer {
    CompressionLayer::new().quality(CompressionLevel::Precise(1))
}

/// Every route of Madang.
pub fn router(app: App) -> Router {
    // Leptos renders on this runtime. A second server in one process (a test) finds it set already.
    let _ = any_spawner::Executor::init_tokio();
    let open = Router::new()
        .route("/chat", get(rest::rooms).post(rest::create_room))
        .route("/chat/{room_id}", get(rest::room))
        .route("/chat/{room_id}/messages", get(rest::messages))
        .route("/health", get(rest::health))
        .method_not_allowed_fallback(rest::method_not_allowed)
        .layer(timeout())
        .layer(DefaultBodyLimit::max(limits::REQUEST_BYTES))
        .layer(CorsLayer::new().allow_origin(Any).allow_methods(Any).allow_headers(Any));

    let functions = Router::new()
        .route("/api/{*function}", any(pages::server_function))
        .layer(RequestBodyLimitLayer::new(limits::REQUEST_BYTES))
        .layer(timeout())
        .layer(from_fn(security::refuse_cross_site));

    Router::new()
        .route("/", get(pages::home))
        .route("/rooms/{room_id}", get(pages::room))
        .route("/rooms/{room_id}/qr.svg", get(qr::qr))
        .route("/ws/chat", get(websocket::upgrade))
        .merge(open)
        .merge(functions)
        .fallback(pages::file_or_not_found)
        .layer(from_fn_with_state(app.clone(), security::identify))
        .layer(map_response(security::secure))
        .layer(compression())
        .with_state(app)
}
