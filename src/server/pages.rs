//! The pages: what each address shows is loaded first, so that status, title and content agree; then it is
//! rendered into the HTML shell.

use super::{
    functions::{Door, page},
    http::App,
    security::{Client, content_security_policy, cookie, problem},
    wire,
};
use crate::{
    domain::{AuthorKind, Error, Lang, RoomId, Seq, Theme, Window, limits},
    ui::{FirstPage, Refused, composer, drafts, lost::Lost, page::Page, text::text, words::words},
};
use axum::{
    Extension,
    extract::{Path, Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use leptos::{
    hydration::{AutoReload, HydrationScripts},
    nonce::use_nonce,
    prelude::*,
    server_fn::error::ServerFnUrlError,
};
use leptos_axum::ResponseOptions;
use tower::ServiceExt;
use tower_http::services::ServeDir;

/// The cookie with the theme.
pub const THEME_COOKIE: &str = "madang_theme";
const LANG_COOKIE: &str = "madang_lang";
/// A name that changes with the content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// A name in /pkg that does not: ask each time, and get 304 if it is the same.
const FRESH: &str = "no-cache";
/// Icons must show while the server is away too.
const AN_HOUR: &str = "public, max-age=3600";
/// How long a preference is kept, in seconds.
const PREFERENCE_AGE: u32 = 365 * 24 * 60 * 60;

/// What the address of a page may say. Of a word said twice the last counts: a form that is refused
/// again comes back with both refusals.
#[derive(Debug, Default)]
struct PageQuery {
    lang: Option<Lang>,
    window: Window,
    /// The room after which the list goes on.
    after: Option<RoomId>,
    refused: Option<Refused>,
}

/// The words of an address, as far as they can be read.
type Words = Result<Query<Vec<(String, String)>>, QueryRejection>;

impl From<Words> for PageQuery {
    fn from(words: Words) -> Self {
        let words = words.map(|Query(words)| words).unwrap_or_default();
        let word = |name| words.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value);
        let place = |name| word(name).and_then(|seq| seq.parse::<Seq>().ok());
        Self {
            lang: word("lang").and_then(|tag| Lang::parse(tag)),
            after: word("after").and_then(|id| id.parse().ok()),
            window: Window::of(place("before"), place("after"), place("at")),
            // Leptos' words for the form that was refused, and why.
            refused: word("__path").zip(word("__err")).map(|(path, error)| Refused {
                path: path.clone(),
                error: ServerFnUrlError::decode_err(error),
                text: None,
            }),
        }
    }
}

/// `/`: the rooms, with `?after=ROOMID` the next page of them.
pub async fn home(
    State(app): State<App>,
    Extension(client): Extension<Client>,
    words: Words,
    request: Request,
) -> Response {
    answer(&app, client, words.into(), request, Asked::Home).await
}

/// `/rooms/{roomId}`: a room, with `?before=SEQ`, `?after=SEQ` or `?at=SEQ` other messages than the newest.
pub async fn room(
    State(app): State<App>,
    Extension(client): Extension<Client>,
    Path(room_id): Path<String>,
    words: Words,
    request: Request,
) -> Response {
    let asked = room_id.parse().map_or(Asked::Nowhere(Lost::Room), Asked::Room);
    answer(&app, client, words.into(), request, asked).await
}

/// A file of the site, or the page for what is not there.
pub async fn file_or_not_found(
    State(app): State<App>,
    Extension(client): Extension<Client>,
    words: Words,
    request: Request,
) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    if is_read {
        let mut asked_file = Request::new(axum::body::Body::empty());
        *asked_file.method_mut() = request.method().clone();
        *asked_file.headers_mut() = request.headers().clone();
        let (path, never_changes) = app.site.path(request.uri().path());
        *asked_file.uri_mut() = path.parse().unwrap_or_default();
        let files = ServeDir::new(&app.site.root)
            .precompressed_br()
            .precompressed_gzip()
            .append_index_html_on_directories(false)
            .call_fallback_on_method_not_allowed(false);
        let Ok(file) = files.oneshot(asked_file).await;
        if file.status() != StatusCode::NOT_FOUND {
            let mut response = file.map(axum::body::Body::new).into_response();
            let keep = match never_changes {
                true => FOR_EVER,
                false if path.starts_with("/pkg/") => FRESH,
                false => AN_HOUR,
            };
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
            response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
            return response;
        }
    }
    answer(&app, client, words.into(), request, Asked::Nowhere(Lost::Page)).await
}

/// `/api/…`: the server functions.
pub async fn server_function(
    State(app): State<App>,
    Extension(client): Extension<Client>,
    request: Request,
) -> Response {
    let door = Door::of(&app, client);
    let answer = leptos_axum::handle_server_fns_with_context(move || provide_context(door.clone()), request).await;
    let response = answer.into_response();
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return response;
    }
    // Leptos says so of arguments that it cannot read, too.
    let (mut parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.status = StatusCode::from_u16(Error::de(body.clone()).status()).unwrap_or(parts.status);
    Response::from_parts(parts, body.into())
}

/// What an address asks for.
enum Asked {
    Home,
    Room(RoomId),
    Nowhere(Lost),
}

async fn answer(app: &App, client: Client, query: PageQuery, request: Request, asked: Asked) -> Response {
    if let Some(lang) = query.lang {
        // Remembered, and gone from the address.
        return (
            [(header::SET_COOKIE, preference_cookie(LANG_COOKIE, lang.as_str()))],
            Redirect::to(&local(request.uri().path())),
        )
            .into_response();
    }
    let lang = lang_of(request.headers());
    match load(app, client, asked, &query, lang).await {
        Ok((first, lost)) => {
            let mut refused = query.refused;
            if let Some(refused) = refused.as_mut().filter(|refused| refused.path == composer::PATH) {
                refused.text = unsaid(app, &first);
            }
            render(app, request, first, lost, refused).await
        }
        Err(error) => problem(&error),
    }
}

async fn load(
    app: &App,
    client: Client,
    asked: Asked,
    query: &PageQuery,
    lang: Lang,
) -> Result<(FirstPage, Option<Lost>), Error> {
    let door = Door::of(app, client);
    let person = door.person().await?;
    let marks = match &person {
        Some(person) => door.chat.reads(person.id).await?,
        None => Vec::new(),
    };
    let me = person.map(|person| wire::member(&person.name, &AuthorKind::Person(person.id)));
    let rooms = door.chat.rooms(query.after, limits::ROOMS_LISTED).await?;
    let partly = query.after.is_some() || rooms.len() >= limits::ROOMS_LISTED as usize;
    let (room, lost) = match asked {
        Asked::Home => (None, None),
        Asked::Nowhere(lost) => (None, Some(lost)),
        Asked::Room(id) => match page(&door.chat, id, query.window).await {
            Ok(view) => (Some(view), None),
            Err(Error::RoomNotFound) => (None, Some(Lost::Room)),
            Err(error) => return Err(error),
        },
    };
    Ok((FirstPage { lang, me, rooms, marks, partly, room }, lost))
}

/// What was written and refused.
fn unsaid(app: &App, first: &FirstPage) -> Option<String> {
    app.unsaid.take(first.me.as_ref()?.person?, first.room.as_ref()?.room.room_id)
}

async fn render(
    app: &App,
    request: Request,
    first: FirstPage,
    lost: Option<Lost>,
    refused: Option<Refused>,
) -> Response {
    let options = app.site.options.clone();
    let theme = cookie(request.headers(), THEME_COOKIE).and_then(Theme::parse);
    let status = if lost.is_some() { StatusCode::NOT_FOUND } else { StatusCode::OK };
    // `cargo leptos watch` reloads the page by a socket on a port of its own.
    let reload =
        std::env::var_os("LEPTOS_WATCH").map(|_| format!("ws://127.0.0.1:{0} ws://localhost:{0}", options.reload_port));
    let headers = move || {
        let Some(response) = use_context::<ResponseOptions>() else { return };
        response.set_status(status);
        response.insert_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let policy = content_security_policy(use_nonce().as_deref(), reload.as_deref());
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
        }
    };
    let shell = move || shell(options.clone(), theme, first.clone(), lost, refused.clone());
    leptos_axum::render_app_async_with_context(headers, shell)(request).await
}

fn shell(
    options: LeptosOptions,
    theme: Option<Theme>,
    first: FirstPage,
    lost: Option<Lost>,
    refused: Option<Refused>,
) -> impl IntoView {
    // The browser mends the page and does not hydrate it: it needs no marks for that.
    if let Some(shared) = Owner::current_shared_context() {
        shared.set_is_hydrating(false);
    }
    let lang = first.lang.as_str();
    let (text, words) = (text(first.lang), words(first.lang));
    let json = first.to_json();
    let writes = first.me.is_some() && first.room.is_some();
    let title = match &first.room {
        Some(view) => format!("{} · {}", view.room.name, text.madang),
        None => text.madang.to_owned(),
    };
    view! {
        <!DOCTYPE html>
        <html lang=lang data-theme=theme.map(Theme::as_str)>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content"/>
                <meta name="theme-color" content="#ece4d3" media="(prefers-color-scheme: light)"/>
                <meta name="theme-color" content="#101319" media="(prefers-color-scheme: dark)"/>
                <meta name="description" content=words.description/>
                <title>{title}</title>
                <link rel="icon" href="/favicon.ico" sizes="32x32"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="manifest" href="/manifest.webmanifest"/>
                <link rel="apple-touch-icon" href="/icon-192.png"/>
                <link rel="stylesheet" id="leptos" href=format!("/{}/madang.css", options.site_pkg_dir)/>
                <AutoReload options=options.clone()/>
                <HydrationScripts options/>
                {writes.then(|| view! { <script nonce=use_nonce()>{drafts::EARLY}</script> })}
            </head>
            <body data-page=json>
                <a class="skip-link" href="#main">{words.skip}</a>
                <Page first lost refused/>
                <div id="crashed" class="crashed" role="alert" hidden>
                    <p>{words.crashed}</p>
                    <a class="button" href="">{words.reload}</a>
                </div>
            </body>
        </html>
    }
}

/// A path that cannot be read as another host's address.
fn local(path: &str) -> String {
    format!("/{}", path.trim_start_matches(['/', '\\']))
}

/// The language: chosen before, else the browser's, else Korean.
fn lang_of(headers: &HeaderMap) -> Lang {
    let accepted =
        || headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).and_then(Lang::accepted);
    cookie(headers, LANG_COOKIE).and_then(Lang::parse).or_else(accepted).unwrap_or_default()
}

/// A cookie that remembers a preference.
#[must_use]
pub fn preference_cookie(name: &str, value: &str) -> String {
    format!("{name}={value}; Path=/; Max-Age={PREFERENCE_AGE}; SameSite=Lax; HttpOnly")
}
