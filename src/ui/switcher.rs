//! The way to another room by its name: a field over the list, and the same on Ctrl or Cmd and K from anywhere.

use super::{
    Ui,
    dom::{around, element, elements, target},
    listen::{letter, listen},
    parts::{Hidden, Icon},
    room_list,
    rows::{Row, mend},
};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlInputElement, KeyboardEvent};

const SWITCHER: &str = "switcher";

/// The switcher, closed.
#[component]
pub fn Switcher(
    /// What stands there when no room's name fits.
    none: &'static str,
) -> impl IntoView {
    let text = Ui::get().text;
    view! {
        <div class="switcher" id=SWITCHER popover="auto" role="dialog" aria-label=text.switcher>
            <Filter/>
            <ul class="switcher-rooms" id="switcher-rooms" data-none=none></ul>
        </div>
    }
}

/// The field.
#[component]
pub fn Filter() -> impl IntoView {
    let text = Ui::get().text;
    view! {
        <label class="filter">
            <Icon name="search"/><Hidden text=text.filter/>
            <input class="room-filter" type="search" autocomplete="off" placeholder=text.filter/>
        </label>
    }
}

/// Listens, in the browser.
pub fn start(ui: Ui) {
    // Before the page woke up it could be written in already.
    let field = element("input.room-filter").map(|field| field.unchecked_into::<HtmlInputElement>());
    if let Some(wanted) = field.map(|field| field.value()).filter(|wanted| !wanted.is_empty()) {
        ui.state.update(|state| state.filter = wanted);
    }
    listen("input", move |event| {
        if let Some(field) = around(&event, "input.room-filter") {
            let field: HtmlInputElement = field.unchecked_into();
            ui.state.update(|state| state.filter = field.value());
        }
    });
    // However it closes, the list behind it is whole again.
    listen("toggle", move |event| {
        if target(&event).is_some_and(|target| target.id() == SWITCHER) {
            clear(ui);
        }
    });
    listen("keydown", move |event| {
        let key: KeyboardEvent = event.unchecked_into();
        let name = key.key();
        let is_done = match name.as_str() {
            _ if letter(&key) == "k" && (key.ctrl_key() || key.meta_key()) => open(ui),
            "ArrowUp" | "ArrowDown" if key.alt_key() => go_along(ui, name == "ArrowDown"),
            "ArrowUp" | "ArrowDown" => move_focus(&key, name == "ArrowDown"),
            "Enter" if !key.is_composing() => go_to_first(&key),
            _ => false,
        };
        if is_done {
            key.prevent_default();
        }
    });
    let mut shown: Vec<Row> = Vec::new();
    ui.draw(move || {
        ui.state.track();
        // While it is closed nobody sees it.
        if element("#switcher:popover-open").is_none() {
            return;
        }
        let (after, looks) = ui.state.with(|state| room_list::rows(state, "s", true, ui.text));
        if let Some(list) = document().get_element_by_id("switcher-rooms") {
            mend(&list, &shown, &after, &|at| looks[at].clone());
            shown = after;
        }
    });
}

fn open(ui: Ui) -> bool {
    let Some(switcher) = element("#switcher") else { return false };
    let _ = switcher.show_popover();
    clear(ui);
    if let Some(field) = element("#switcher input") {
        let _ = field.focus();
    }
    true
}

/// Nothing is looked for any more.
fn clear(ui: Ui) {
    for field in elements("input.room-filter") {
        field.unchecked_into::<HtmlInputElement>().set_value("");
    }
    ui.state.update(|state| state.filter.clear());
}

/// Closes the switcher: its room has been chosen.
pub fn close(ui: Ui) {
    if let Some(switcher) = element("#switcher:popover-open") {
        let _ = switcher.hide_popover();
        clear(ui);
    }
}

fn links(list: &str) -> Vec<HtmlElement> {
    elements(&format!("{list} a.room-item"))
}

/// To the room before or after this one in the list.
fn go_along(ui: Ui, down: bool) -> bool {
    let links = links(room_list::LIST);
    let here = ui
        .chosen()
        .map(super::address)
        .and_then(|here| links.iter().position(|link| link.get_attribute("href").as_deref() == Some(&*here)));
    let next = here.and_then(|here| if down { here.checked_add(1) } else { here.checked_sub(1) });
    next.and_then(|next| links.get(next)).inspect(|link| link.click()).is_some()
}

/// From the field to the rooms, and from room to room.
fn move_focus(key: &KeyboardEvent, down: bool) -> bool {
    let Some((list, target)) = list_of(key).zip(target(key)) else { return false };
    let links = links(list);
    let here = links.iter().position(|link| **link == target);
    let next = match here {
        Some(here) if down => links.get(here + 1),
        Some(here) => here.checked_sub(1).and_then(|before| links.get(before)),
        None => links.first().filter(|_| down),
    };
    next.map(|link| link.focus()).is_some()
}

/// Enter in the field opens the first room that fits.
fn go_to_first(key: &KeyboardEvent) -> bool {
    let list = around(key, "input.room-filter").and_then(|_| list_of(key));
    list.and_then(|list| links(list).into_iter().next()).inspect(|link| link.click()).is_some()
}

/// The list of rooms that a key was pressed in.
fn list_of(key: &KeyboardEvent) -> Option<&'static str> {
    ["#switcher", ".room-list"].into_iter().find(|list| around(key, list).is_some())
}
