//! A real server and real clients.

mod process;
mod proxy;
mod sieve;
mod socket;

pub use process::Process;
pub use proxy::{Direction, Proxy};
pub use socket::{Ears, Mouth, Socket, connect, connect_over, id, open, v1, v1_as};

use clap::Parser;
use futures_util::FutureExt;
use madang::server::{self, chat::Chat, clock, config::Config, site::Site, store::Sqlite};
use reqwest::{
    Method, RequestBuilder,
    header::{HeaderMap, ORIGIN, SET_COOKIE},
};
use serde_json::Value;
use std::{convert::Infallible, future::Future, net::SocketAddr, ops::Deref, path::PathBuf, sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::{sync::oneshot, time::timeout};

/// The longest that anything here waits for one thing.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Waits for `future`, but not for ever.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("waited {} s in vain for {what}", PATIENCE.as_secs()))
}

/// The server in this process, on a port and data of its own. Gone when dropped.
pub struct Madang {
    place: Place,
    directory: TempDir,
    /// Until this is dropped the server runs.
    _stop: oneshot::Sender<Infallible>,
}

impl Madang {
    /// As it starts without any argument.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Without limits on messages, rooms, sign-ins and connections.
    pub async fn start_unlimited() -> Self {
        Self::start_with(|config| {
            config.limits.messages_per_second = 0;
            config.limits.rooms_per_minute = 0;
            config.limits.sign_ins_per_minute = 0;
            config.limits.connections_per_address = 0;
        })
        .await
    }

    /// With other settings.
    pub async fn start_with(adjust: impl FnOnce(&mut Config)) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut config = Config::parse_from(["madang"]);
        config.site = Some(make_site(&directory));
        adjust(&mut config);

        let listener = server::listener::listen("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let clock = clock::system();
        let store = Sqlite::open(&directory.path().join("madang.db"), clock()).await.expect("a fresh database");
        let chat = Chat::open(Arc::new(store), &config.limits, clock).await.expect("a chat");
        let site = Site::find(&config).expect("the site");
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(async move { server::run(listener, chat, site, &config, stopped.map(drop)).await });
        Self { place: Place::at(address), directory, _stop: stop }
    }

    /// Whether any file of the database holds these bytes.
    pub fn disk_holds(&self, text: &str) -> bool {
        let files =
            std::fs::read_dir(self.directory.path()).expect("the data directory").map(|file| file.expect("a file"));
        files.filter(|file| file.path().is_file()).any(|file| {
            let bytes = std::fs::read(file.path()).expect("readable");
            bytes.windows(text.len()).any(|window| window == text.as_bytes())
        })
    }

    /// Waits until no file of the database holds these bytes any more.
    pub async fn disk_forgets(&self, text: &str) {
        let gone = async {
            while self.disk_holds(text) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        within(&format!("{text} to be off the disk"), gone).await;
    }

    /// The directory of the built browser side.
    pub fn site(&self) -> PathBuf {
        self.directory.path().join("site")
    }
}

impl Deref for Madang {
    type Target = Place;
    fn deref(&self) -> &Place {
        &self.place
    }
}

fn make_site(directory: &TempDir) -> PathBuf {
    let site = directory.path().join("site");
    std::fs::create_dir_all(site.join("pkg")).expect("a site directory");
    site
}

/// Where a server is, and a browser-like HTTP client for it, without a cookie jar.
pub struct Place {
    /// Its address and port.
    pub address: SocketAddr,
    http: reqwest::Client,
}

impl Place {
    /// The server, or a proxy before it, at this address.
    pub fn at(address: SocketAddr) -> Self {
        let http =
            reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE).build();
        Self { address, http: http.expect("an HTTP client") }
    }

    /// The origin that this server's own pages have.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A request to be adorned; [`answer`] sends it.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.origin()))
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    /// POST without a body.
    pub async fn post(&self, path: &str) -> Answer {
        answer(self.request(Method::POST, path)).await
    }

    /// A call of a server function, as our own page's script makes it.
    pub async fn call(&self, function: &str, form: &[(&str, &str)], cookie: Option<&str>) -> Answer {
        let request = self.request(Method::POST, &format!("/api/{function}")).header(ORIGIN, self.origin());
        let request = request.header("accept", "application/json").form(form);
        answer(request.header("cookie", cookie.unwrap_or("theme=none"))).await
    }

    /// Calls a server function that only reads, as a page of our own does.
    pub async fn read(&self, function: &str, query: &[(&str, &str)], cookie: Option<&str>) -> Answer {
        let request = self.request(Method::GET, &format!("/api/{function}")).query(query);
        answer(request.header("cookie", cookie.unwrap_or("theme=none"))).await
    }

    /// Makes a room, and gives its id.
    pub async fn new_room(&self, name: &str) -> String {
        let made = answer(self.request(Method::POST, "/chat").query(&[("name", name)])).await;
        assert_eq!(made.status, 200, "{}", made.body);
        text(&made.json()["roomId"]).to_owned()
    }

    /// The id of the lobby.
    pub async fn lobby(&self) -> String {
        text(&self.get("/chat").await.json()[0]["roomId"]).to_owned()
    }

    /// Everything said in a room, from its first message to its last.
    pub async fn history(&self, room: &str) -> Vec<Value> {
        let mut all: Vec<Value> = Vec::new();
        loop {
            let before = all.first().map(|first| format!("&before={}", first["seq"])).unwrap_or_default();
            let page = self.get(&format!("/chat/{room}/messages?limit=200{before}")).await.json();
            let messages = page["messages"].as_array().expect("messages").clone();
            if messages.is_empty() {
                return all;
            }
            all.splice(0..0, messages);
        }
    }

    /// Signs in, and gives the cookie as a browser would send it back.
    pub async fn sign_in(&self, name: &str) -> String {
        let signed_in = self.call("sign_in", &[("name", name)], None).await;
        assert_eq!(signed_in.status, 200, "{name:?}: {}", signed_in.body);
        signed_in.cookie()
    }
}

/// Sends a request and reads all of the response.
pub async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("a response");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, body: response.text().await.expect("the rest of the response") }
}

/// A response.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// The body, which must be JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// A header's value, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("readable"))
    }

    /// `name=value` of the cookie that this response sets.
    pub fn cookie(&self) -> String {
        let cookie = self.header(SET_COOKIE.as_str());
        cookie
            .split(';')
            .next()
            .filter(|pair| pair.contains('='))
            .unwrap_or_else(|| panic!("no cookie in {self:?}"))
            .to_owned()
    }

    /// That a server function refused, with that status and code.
    pub fn assert_refused(&self, status: u16, code: &str) {
        assert_eq!((self.status, &self.json()["code"]), (status, &code.into()), "{}", self.body);
    }

    /// That this is `application/problem+json` with that status and code.
    pub fn assert_problem(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!((&problem["code"], &problem["status"]), (&code.into(), &status.into()), "{problem}");
        assert!(!text(&problem["detail"]).is_empty() && !text(&problem["title"]).is_empty(), "{problem}");
    }
}

/// A JSON value that must be text.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

/// A JSON value that must be a whole number.
pub fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("not a whole number: {value}"))
}
