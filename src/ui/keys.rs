//! The keyboard, apart from where one writes: from message to message, from pane to pane, and what there is to press.

use super::{
    Ui,
    dom::{around, element, target},
    journey,
    listen::{letter, listen},
    menu, storage,
    words::Words,
};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, KeyboardEvent};

/// What F6 goes round: each pane, and what takes the focus there; the first of them that is there.
const PANES: [(&str, &str); 4] = [
    (".pane", "#rooms [aria-current], #rooms a"),
    (".timeline-frame", "#timeline"),
    (".room-foot", "#composer-text, #join-name"),
    (".members", ".members"),
];

/// The id of the box that says whether single letters do anything …
const LETTERS: &str = "keys-letters";
/// … and the entry that says that they do not. It is kept when somebody signs out.
const NO_LETTERS: &str = "madang-no-letters";

/// What there is to press; opened by `?`, and by its button.
#[component]
pub fn Keys(
    /// The words.
    words: &'static Words,
) -> impl IntoView {
    let rows = words.keys.map(|(keys, words)| view! { <dt><kbd>{keys}</kbd></dt><dd>{words}</dd> });
    view! {
        <div class="sheet keys" id="keys" popover="auto" role="dialog" aria-label=words.keys_title tabindex="-1">
            <p class="sheet-title">{words.keys_title}</p>
            <dl class="keys-rows">{rows.into_iter().collect_view()}</dl>
            <label class="keys-letters"><input type="checkbox" id=LETTERS checked/>{words.keys_letters}</label>
        </div>
    }
}

/// Listens, in the browser.
pub fn start(ui: Ui) {
    let show = || {
        if let Some(letters) = letters() {
            letters.set_checked(storage::entries(NO_LETTERS).is_empty());
        }
    };
    show();
    // Another tab has decided.
    listen("storage", move |_| show());
    listen("change", |change| match letters().filter(|_| around(&change, ".keys-letters").is_some()) {
        Some(letters) if letters.checked() => storage::remove(NO_LETTERS),
        Some(_) => storage::put(NO_LETTERS, "1"),
        None => {}
    });
    listen("keydown", move |key| {
        let key: KeyboardEvent = key.unchecked_into();
        if press(ui, &key) {
            key.prevent_default();
        }
    });
}

fn letters() -> Option<HtmlInputElement> {
    element(&format!("#{LETTERS}")).map(JsCast::unchecked_into)
}

/// Does what a key says; says whether it did.
fn press(ui: Ui, key: &KeyboardEvent) -> bool {
    let Some(target) = target(key) else { return false };
    if menu::step(key, &target) {
        return true;
    }
    if key.ctrl_key() || key.meta_key() || key.alt_key() {
        return false;
    }
    let is_text = around(key, "input, textarea").is_some();
    let has_letters = || letters().is_none_or(|letters| letters.checked());
    match key.key().as_str() {
        "F6" => return next_pane(key),
        "?" if !is_text && has_letters() => {
            return element("#keys").and_then(|keys| keys.show_popover().ok()).is_some();
        }
        _ => {}
    }
    // In the timeline the arrows go from message to message, and letters do what the menu does.
    if around(key, "#timeline").is_none() {
        return false;
    }
    let here = around(key, "[data-do=menu]");
    let deed = match (letter(key).as_str(), &here) {
        ("ArrowUp", _) => return journey::step(here.as_ref(), false),
        ("ArrowDown", _) => return journey::step(here.as_ref(), true),
        // The browser's own way there ends where a chunk is drawn.
        ("PageUp", _) => return journey::turn_page(-1.0),
        ("PageDown", _) => return journey::turn_page(1.0),
        ("Home", _) => return journey::go_to_first(),
        ("End", _) => {
            ui.go_to_end();
            return true;
        }
        ("r", Some(_)) if has_letters() => "reply",
        ("e", Some(_)) if has_letters() => "edit",
        ("u", Some(_)) if has_letters() => "unread",
        _ => return false,
    };
    here.inspect(|button| ui.act(deed, button, key.unchecked_ref())).is_some()
}

/// To the pane after the one that has the focus, or before it with Shift; those not on screen are left out.
fn next_pane(key: &KeyboardEvent) -> bool {
    let here = PANES.iter().position(|(pane, _)| around(key, pane).is_some());
    let count = PANES.len();
    let step = if key.shift_key() { count - 1 } else { 1 };
    let first = here.unwrap_or(if key.shift_key() { 0 } else { count - 1 });
    (1..=count).any(|n| {
        let wanted = PANES[(first + n * step) % count].1;
        let found = wanted.split(',').find_map(element).filter(|element| element.offset_height() > 0);
        found.inspect(|element| drop(element.focus())).is_some()
    })
}
