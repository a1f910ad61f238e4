//! Madang (마당): group chat that anyone can host with one command and join with one click.
//!
//! One crate, two artefacts: a server (feature `ssr`) and the WebAssembly module that brings its
//! pages to life (feature `hydrate`).
//!
//! | module | what it is for |
//! |---|---|
//! | [`domain`] | what a chat is: rooms, messages, names, limits, the one error. Knows nothing else |
//! | [`html`] | HTML put together as text, so that nothing people wrote becomes markup |
//! | [`protocol`] | the frames of `/ws/chat` and the JSON of its HTTP companions |
//! | [`api`] | the server functions: what the pages read and what their forms post to |
//! | `server` | everything that runs on the host: the chat's use cases, storage, fan-out, HTTP |
//! | [`ui`] | the page, rendered on the server and made live in the browser |
//!
//! The dependency rule in one sentence: ui → api, protocol, domain; server → protocol, domain (and ui
//! only in `pages.rs`, to place it on the page); domain → nothing.
//!
//! To follow a message: `server/websocket.rs` takes the upgrade, `server/session` reads the frame
//! (`server/frames.rs`), `server/chat/messages.rs` checks it, `server/writer.rs` stores it and then tells its room
//! (`server/hub/room.rs`), which writes its bytes to every member (`server/mailbox`); in the browser
//! `ui/connection.rs` receives it and `ui/state` applies it.

// Leptos' views are deeply nested types.
#![recursion_limit = "512"]

pub mod api;
pub mod domain;
pub mod html;
pub mod protocol;
#[cfg(feature = "ssr")]
pub mod server;
pub mod ui;

/// Brings the page to life; called once by the page's script.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    std::panic::set_hook(Box::new(|panic| {
        console_error_panic_hook::hook(panic);
        ui::show_crashed();
    }));
    // Hydrates nothing, but sets up what signals and tasks need.
    leptos::mount::hydrate_islands();
    leptos::task::spawn_local(ui::waking::wake());
}
