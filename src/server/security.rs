//! Where a request comes from and what it may do: addresses behind proxies, our own origin, the
//! session cookie, and the headers that every response carries.

use super::{chat::token_hash, config::Config, http::App, places::Place, store::TokenHash};
use crate::domain::{Error, limits};
use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::json;
use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// The session cookie over http.
const COOKIE: &str = "madang_session";
/// The session cookie over https: browsers then refuse it from anywhere but this very host.
const COOKIE_SECURE: &str = "__Host-madang_session";

/// The cookie of a browser that has made rooms and has no name yet.
const MADE_COOKIE: &str = "madang_made";

const HEADERS: &[(&str, &str)] = &[
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

/// Who sent a request, as far as it shows.
#[derive(Clone, Debug)]
pub struct Client {
    /// The [`network`] that limits count: of the address that a trusted proxy tells, else of the peer.
    pub address: IpAddr,
    /// Whether the browser's side of the connection is https.
    pub secure: bool,
    /// What the request says of the page that caused it.
    pub origin: Origin,
    /// The session of its cookie, unchecked.
    pub session: Option<TokenHash>,
    /// What it shows of the rooms that it made before it had a name, unchecked; most often empty.
    pub made: String,
    /// The connection's places among those allowed in all and to its address.
    pub places: Option<Arc<[Place]>>,
    /// Whether a proxy of ours brought it.
    pub proxied: bool,
}

/// The page that caused a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Exactly ours: scheme, host and port.
    Own,
    /// Another, or one that hides (`null`).
    Foreign,
    /// Not said: an old browser's navigation, or no browser.
    Absent,
}

impl Client {
    /// Whether it is certain that our own page sent this.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.origin == Origin::Own
    }

    /// The cookie that gives the browser its session, or with an empty token takes it away.
    #[must_use]
    pub fn session_cookie(&self, token: &str) -> String {
        let (name, secure) = if self.secure { (COOKIE_SECURE, "; Secure") } else { (COOKIE, "") };
        let age = if token.is_empty() { 0 } else { limits::SESSION_AGE.as_secs() };
        format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}")
    }

    /// The cookie that lets the browser show which rooms it made, until it is closed; with an empty one, no more.
    #[must_use]
    pub fn made_cookie(&self, made: &str) -> String {
        let age = if made.is_empty() { "; Max-Age=0" } else { "" };
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{MADE_COOKIE}={made}; Path=/; HttpOnly; SameSite=Lax{age}{secure}")
    }
}

/// What the settings say about origins and proxies.
#[derive(Debug, Default)]
pub struct Trust {
    origins: Vec<String>,
    proxies: Vec<IpAddr>,
    /// Whether the line about a missing `--origin` was logged.
    advised: AtomicBool,
}

impl Trust {
    /// From the settings.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            origins: config.origin.clone(),
            proxies: config.trusted_proxy.iter().map(IpAddr::to_canonical).collect(),
            advised: AtomicBool::new(false),
        }
    }

    /// Whether that is the address of a proxy of ours.
    #[must_use]
    pub fn is_proxy(&self, address: IpAddr) -> bool {
        self.proxies.contains(&address)
    }

    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Client {
        let proxied = self.is_proxy(peer);
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let host = text(header::HOST).unwrap_or_default();
        let forwarded = |name| if proxied { text(HeaderName::from_static(name)) } else { None };

        let listed = self.origins.iter().find(|origin| host_of(origin).is_some_and(|h| h.eq_ignore_ascii_case(host)));
        let secure = match listed {
            Some(origin) => origin.starts_with("https://"),
            None => forwarded("x-forwarded-proto").is_some_and(|scheme| scheme.trim() == "https"),
        };
        let origin = match headers.get_all(header::ORIGIN).iter().collect::<Vec<_>>().as_slice() {
            [] => Origin::Absent,
            [one] if one.to_str().is_ok_and(|origin| self.is_own(origin, host, secure)) => Origin::Own,
            _ => Origin::Foreign,
        };
        Client {
            address: network(self.address(peer, headers)),
            secure,
            origin,
            session: session(headers, secure),
            made: cookie(headers, MADE_COOKIE).unwrap_or_default().to_owned(),
            places: None,
            proxied,
        }
    }

    /// The nearest address that is not a proxy of ours. Each proxy adds what it saw at the end, in the
    /// last line or in one of its own.
    fn address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.is_proxy(peer) {
            return peer;
        }
        let lines = headers.get_all("x-forwarded-for").iter().rev().map(|line| line.to_str().unwrap_or_default());
        let hops = lines.flat_map(|line| line.rsplit(',')).map(|hop| hop.trim().parse::<IpAddr>().ok());
        // An address that cannot be read ends the chain: nothing beyond it is certain.
        hops.map_while(|hop| hop.map(|hop| hop.to_canonical())).find(|hop| !self.is_proxy(*hop)).unwrap_or(peer)
    }

    fn is_own(&self, origin: &str, host: &str, secure: bool) -> bool {
        if !self.origins.is_empty() {
            return self.origins.iter().any(|own| own.eq_ignore_ascii_case(origin));
        }
        let scheme = if secure { "https" } else { "http" };
        if host.is_empty() || !host_of(origin).is_some_and(|h| h.eq_ignore_ascii_case(host)) {
            return false;
        }
        let own = origin.split("://").next() == Some(scheme);
        if !own && !self.advised.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                origin,
                "pages come from this origin but arrive here as {scheme}: set --origin or --trusted-proxy"
            );
        }
        own
    }
}

/// What limits count as one address: of IPv6 the first half, since whoever has one address has them all.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(whole) => {
            let [a, b, c, d, ..] = whole.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

fn host_of(origin: &str) -> Option<&str> {
    origin.split_once("://").map(|(_, host)| host)
}

fn session(headers: &HeaderMap, secure: bool) -> Option<TokenHash> {
    let name = if secure { COOKIE_SECURE } else { COOKIE };
    cookie(headers, name).and_then(token_hash)
}

/// The value of a cookie.
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().split_once('=').filter(|(key, _)| *key == name))
        .map(|(_, value)| value)
}

/// Notes who sent the request, for everything behind.
pub async fn identify(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::from([127, 0, 0, 1]), |info| info.0.ip().to_canonical());
    let mut client = app.trust.client(peer, request.headers());
    client.places = request.extensions().get::<Arc<[Place]>>().cloned();
    request.extensions_mut().insert(client);
    next.run(request).await
}

/// Refuses what another site's page sends to the server functions.
pub async fn refuse_cross_site(request: Request, next: Next) -> Response {
    let client = request.extensions().get::<Client>();
    let fetch_site = request.headers().get("sec-fetch-site").and_then(|value| value.to_str().ok());
    let own = match client.map(|client| client.origin) {
        Some(Origin::Own) => true,
        Some(Origin::Absent) => matches!(fetch_site, None | Some("same-origin" | "none")),
        _ => false,
    };
    if own { next.run(request).await } else { problem(&Error::CrossSite) }
}

/// The content security policy. Pages give the nonce of their inline scripts; `connect` is a further
/// address that they may connect to (the reload socket of `cargo leptos watch`).
#[must_use]
pub fn content_security_policy(nonce: Option<&str>, connect: Option<&str>) -> String {
    let nonce = nonce.map(|nonce| format!(" 'nonce-{nonce}'")).unwrap_or_default();
    let connect = connect.map(|address| format!(" {address}")).unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'self'{nonce} 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; font-src 'self'; \
         connect-src 'self'{connect}; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}

/// Puts the security headers on a response, whatever route it came from.
pub async fn secure(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY)
        && let Ok(policy) = HeaderValue::from_str(&content_security_policy(None, None))
    {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// An error as `application/problem+json` (RFC 9457), with the same `code` as on the socket.
#[must_use]
pub fn problem(error: &Error) -> Response {
    problem_with(StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), error)
}

/// The same under a status that HTTP has a better word for.
#[must_use]
pub fn problem_with(status: StatusCode, error: &Error) -> Response {
    let mut body = json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "code": error.code(),
        "detail": error.to_string(),
    });
    let retry = error.retry_after_ms();
    if let Some(ms) = retry {
        body["retryAfterMs"] = json!(ms);
    }
    let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response();
    if let Some(ms) = retry {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1_000)));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(peer: &str, lines: &[&str]) -> IpAddr {
        let trust = Trust { proxies: vec![IpAddr::from([127, 0, 0, 1])], ..Trust::default() };
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", HeaderValue::from_str(line).expect("a header"));
        }
        trust.address(peer.parse().expect("an address"), &headers)
    }

    #[test]
    fn a_proxy_is_believed_from_the_end_and_nobody_else_is() {
        let seen = IpAddr::from([203, 0, 113, 7]);
        assert_eq!(address("127.0.0.1", &["198.51.100.1, 203.0.113.7"]), seen);
        assert_eq!(address("127.0.0.1", &["198.51.100.1", "203.0.113.7"]), seen, "a proxy that adds a line of its own");
        assert_eq!(address("127.0.0.1", &["203.0.113.7, 127.0.0.1"]), seen, "proxies in a row");
        assert_eq!(address("127.0.0.1", &["203.0.113.7, nonsense"]), IpAddr::from([127, 0, 0, 1]));
        assert_eq!(address("192.0.2.9", &["203.0.113.7"]), IpAddr::from([192, 0, 2, 9]), "a stranger's word");
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let of = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("192.0.2.1"), IpAddr::from([192, 0, 2, 1]));
    }
}
