//! Events, all heard at the window: elements come and go, and one kind of listener keeps the module small.

use leptos::prelude::window;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::Event;

/// Calls `work` at each event of that name, for as long as the page lives. Scrolling and the focus do not bubble and
/// are heard on their way down.
pub fn listen(name: &str, work: impl Fn(Event) + 'static) {
    hear(name, Box::new(work));
}

fn hear(name: &str, work: Box<dyn Fn(Event)>) {
    let listener = Closure::wrap(work);
    let callback = listener.as_ref().unchecked_ref();
    let _ = window().add_event_listener_with_callback_and_bool(name, callback, name == "scroll");
    listener.forget();
}
