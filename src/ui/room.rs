//! A room's page: header, status, timeline, and the composer or the form to join.

use super::{
    Ui,
    composer::Composer,
    connection::Event,
    join::Join,
    members::Members,
    parts::{Hidden, Icon},
    room_list::follow,
    state::Link,
    timeline::Timeline,
};
use crate::domain::RoomId;
use leptos::{either::Either, prelude::*};

/// A lost connection is not mentioned before this many milliseconds: most are back by then.
const STATUS_AFTER_MS: f64 = 2_000.0;
/// How long "copied" is shown.
const COPIED_SHOWN: std::time::Duration = std::time::Duration::from_secs(2);

/// A room's main pane and its members.
#[component]
pub fn RoomPage(
    /// The room.
    id: RoomId,
) -> impl IntoView {
    let ui = Ui::get();
    let joined = Memo::new(move |_| ui.state.with(|state| state.me.is_some()));
    view! {
        <main id="main" class="room" tabindex="-1">
            <Header/>
            <Status/>
            <Timeline id/>
            <div class="room-foot">
                {move || if joined.get() { Either::Left(view! { <Composer id/> }) } else { Either::Right(view! { <Join/> }) }}
            </div>
        </main>
        <Members/>
    }
}

#[component]
fn Header() -> impl IntoView {
    let ui = Ui::get();
    let name = Memo::new(move |_| {
        ui.state.with(|state| state.room.as_ref().map(|room| room.name.clone()).unwrap_or_default())
    });
    let count = Memo::new(move |_| ui.state.with(|state| state.room.as_ref().map_or(0, |room| room.member_count)));
    view! {
        <header class="room-header">
            <a class="icon-button room-back" href="/" on:click=move |click| follow(ui, &click, None)><Icon name="back"/><Hidden text=ui.text.rooms/></a>
            <div class="room-title">
                <h1 dir="auto">{move || name.get()}</h1>
                <p class="room-meta"><Dot/>{move || (ui.text.people_here)(count.get())}</p>
            </div>
            <CopyLink class="icon-button copy-link" labelled=true/>
            <button class="icon-button members-button" type="button" popovertarget="members">
                <Icon name="users"/>{move || count.get()}<Hidden text=ui.text.show_members/>
            </button>
        </header>
    }
}

/// The connection dot. What the server rendered claims nothing.
#[component]
fn Dot() -> impl IntoView {
    let ui = Ui::get();
    let live = Memo::new(move |_| ui.awake.get().then(|| ui.state.with(|state| state.link == Link::Live)));
    let state = move || live.get().map(|live| if live { "live" } else { "connecting" });
    let label = move || live.get().map(|live| if live { ui.text.live } else { ui.text.connecting });
    view! { <span class="connection" data-state=state><span class="connection-dot"></span><span class="visually-hidden">{label}</span></span> }
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
        down.get().then(|| view! { <Icon name="offline"/><span>{ui.text.disconnected}" "<span class="status-countdown" aria-hidden="true">{countdown}</span></span> })
    };
    let retry = move || {
        down.get().then(|| view! { " " <button class="link-button" type="button" on:click=move |_| ui.tell(Event::Wake)>{ui.text.reconnect}</button> })
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
    let label = move || if copied.get() { ui.text.copied } else { ui.text.copy_link };
    view! {
        <button class=class type="button" on:click=copy>
            <Icon name="link"/>
            <span class=labelled.then_some("icon-button-text") aria-live="polite">{label}</span>
        </button>
    }
}
