//! The head of a room: its name, who is there, how the connection is.

use super::{
    Ui,
    connection::Event,
    parts::{Hidden, Icon, text},
    state::Link,
};
use leptos::prelude::*;

/// A lost connection is not mentioned before this many milliseconds: most are back by then.
const STATUS_AFTER_MS: f64 = 2_000.0;
/// How long "copied" is shown.
const COPIED_SHOWN: std::time::Duration = std::time::Duration::from_secs(2);

/// The header, and the status line below it.
#[island]
pub fn RoomHeader() -> impl IntoView {
    let ui = Ui::get();
    let name = move || ui.state.with(|state| state.room.as_ref().map(|room| room.name.clone()).unwrap_or_default());
    view! {
        <header class="room-header">
            <a class="icon-button room-back" href="/"><Icon name="back"/><Hidden text=ui.text.rooms/></a>
            <div class="room-title">
                <h1 dir="auto">{text(name)}</h1>
                <p class="room-meta"><Dot/>{text(move || (ui.text.people_here)(ui.count()))}</p>
            </div>
            <CopyLink class="icon-button copy-link" labelled=true/>
            <button class="icon-button members-button" type="button" popovertarget="members">
                <Icon name="users"/>{text(move || ui.count().to_string())}<Hidden text=ui.text.show_members/>
            </button>
        </header>
        <Status/>
    }
}

/// The connection dot. What the server rendered claims nothing.
#[component]
fn Dot() -> impl IntoView {
    let ui = Ui::get();
    let is_live = move || ui.state.with(|state| state.link == Link::Live);
    let state = move || ui.awake.get().then(|| if is_live() { "live" } else { "connecting" });
    let label = move || match state() {
        None => String::new(),
        Some("live") => ui.text.live.to_owned(),
        Some(_) => ui.text.connecting.to_owned(),
    };
    view! {
        <span class="connection" data-state=state>
            <span class="connection-dot"></span>
            <span class="visually-hidden">{text(label)}</span>
        </span>
    }
}

/// One line when the connection has been gone for a while.
#[component]
fn Status() -> impl IntoView {
    let ui = Ui::get();
    let down = Memo::new(move |_| {
        let since = ui.state.with(|state| state.down_since);
        since.is_some_and(|since| ui.now.get() - since >= STATUS_AFTER_MS)
    });
    let countdown = move || match ui.state.with(|state| state.link) {
        Link::Waiting { until } => (ui.text.countdown)(((until - ui.now.get()) / 1_000.0).ceil().max(1.0) as u32),
        _ => String::new(),
    };
    let line = move || {
        down.get().then(|| {
            view! {
                <Icon name="offline"/>
                <span>{ui.text.disconnected}" "<span class="status-countdown" aria-hidden="true">{text(countdown)}</span></span>
            }
        })
    };
    let retry = move || {
        down.get().then(|| {
            let retry = move |_| ui.tell(Event::Wake);
            view! { <button class="link-button" type="button" on:click=retry>{ui.text.reconnect}</button> }
        })
    };
    view! { <div class="status-line"><p role="status">{line}</p>{retry}</div> }
}

/// Copies the room's address.
#[component]
pub fn CopyLink(
    /// The class of the button.
    class: &'static str,
    /// Whether its label may hide on a small screen.
    labelled: bool,
) -> impl IntoView {
    let ui = Ui::get();
    let copied = RwSignal::new(false);
    let copy = move |_| {
        let Ok(address) = window().location().href() else { return };
        leptos::task::spawn_local(async move {
            let clipboard = window().navigator().clipboard();
            // Browsers have no clipboard on plain http, except from this machine: then the address is shown to copy by hand.
            let written = if clipboard.is_undefined() {
                false
            } else {
                wasm_bindgen_futures::JsFuture::from(clipboard.write_text(&address)).await.is_ok()
            };
            if written {
                copied.set(true);
                set_timeout(move || copied.set(false), COPIED_SHOWN);
            } else {
                let _ = window().prompt_with_message_and_default(ui.text.copy_link, &address);
            }
        });
    };
    let label = move || if copied.get() { ui.text.copied } else { ui.text.copy_link }.to_owned();
    view! {
        <button class=class type="button" on:click=copy>
            <Icon name="link"/>
            <span class=labelled.then_some("icon-button-text") aria-live="polite">{text(label)}</span>
        </button>
    }
}
