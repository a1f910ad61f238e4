//! What a pointer aims at stays where it is until it is released: were it moved, or written anew, between press and
//! release, the click would be lost, or go to something else.

use super::{
    Ui,
    dom::{around, element, is_media},
    listen::{follow, listen},
    room_list,
};
use leptos::prelude::*;
use std::time::Duration;
use wasm_bindgen::JsCast;
use web_sys::MouseEvent;

/// How long after the release of a button its click may come: after a touch, not at once.
const CLICK_WITHIN: Duration = Duration::from_millis(100);

impl Ui {
    /// Draws now, and whenever what was read for it changes; between the press and the release of a button, after it.
    pub fn draw(self, mut work: impl FnMut() + 'static) {
        follow(move || {
            if !self.pressed.get() {
                work();
            }
        });
    }
}

/// Listens, in the browser.
pub fn start(ui: Ui) {
    // Counted, so that what ends one press does not end the next.
    let presses = StoredValue::new(0);
    listen("pointerdown", move |press| {
        if press.unchecked_ref::<MouseEvent>().button() == 0 && around(&press, "a, button").is_some() {
            presses.update_value(|presses| *presses += 1);
            ui.pressed.set(true);
        }
    });
    let release = move || {
        if ui.pressed.get_untracked() {
            ui.pressed.set(false);
        }
    };
    listen("pointerup", move |_| {
        let press: u32 = presses.get_value();
        let release = move || {
            if presses.get_value() == press {
                release();
            }
        };
        set_timeout(release, CLICK_WITHIN);
    });
    // Some presses end without a click.
    for event in ["click", "pointercancel", "contextmenu", "dragend", "blur"] {
        listen(event, move |_| release());
    }
    // The rooms go to their places once the pointer has left them.
    listen("pointerout", move |event| {
        if around(&event, room_list::LIST).is_some() && !is_over(room_list::LIST) {
            ui.state.notify();
        }
    });
}

/// Whether a pointer is over what the selector names. A touch is not.
#[must_use]
pub fn is_over(selector: &str) -> bool {
    is_media("(hover: hover)") && element(&format!("{selector}:hover")).is_some()
}
