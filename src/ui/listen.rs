//! Events, all heard at the window: elements come and go, and one kind of listener keeps the module small. And what follows
//! the state, for the same reason.

use leptos::prelude::{Effect, window};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::Event;

/// Calls `work` at each event of that name, for as long as the page lives. Scrolling, and that something opens or closes,
/// do not bubble and are heard on their way down.
pub fn listen(name: &str, work: impl Fn(Event) + 'static) {
    hear(name, Box::new(work));
}

/// Does `work`, and does it again whenever what it has read for it has changed.
pub fn follow(work: impl FnMut() + 'static) {
    repeat(Box::new(work));
}

/// The letter of a key, on a keyboard of another script too: ㄱ stands on the key of R.
#[must_use]
pub fn letter(key: &web_sys::KeyboardEvent) -> String {
    let name = key.key();
    if name.is_ascii() { name } else { key.code().strip_prefix("Key").unwrap_or_default().to_ascii_lowercase() }
}

fn repeat(mut work: Box<dyn FnMut()>) {
    Effect::new(move |_| work());
}

fn hear(name: &str, work: Box<dyn Fn(Event)>) {
    let listener = Closure::wrap(work);
    let callback = listener.as_ref().unchecked_ref();
    let _ = window().add_event_listener_with_callback_and_bool(name, callback, ["scroll", "toggle"].contains(&name));
    listener.forget();
}
