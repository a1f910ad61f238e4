//! How the page comes to life: a step at a time, so that somebody who reads or types already is never kept waiting.

use super::{
    FirstPage, Ui, composer,
    connection::{self, Event},
    deeds, drafts, forms, journey, keys,
    listen::listen,
    members, outbox, place, pointer, reading, regions, room_list,
    state::{ChatState, Link},
    switcher, timeline, viewport,
};
use crate::domain::PersonId;
use futures_channel::mpsc::unbounded;
use futures_util::StreamExt;
use leptos::prelude::*;
use std::time::Duration;
use wasm_bindgen::JsCast;
use web_sys::StorageEvent;

/// What wakes up, in this order: first what mends what the server wrote, from a state that is still the same; then
/// what changes it.
const STEPS: [fn(Ui); 15] = [
    |ui| timeline::set_clocks(ui.text),
    timeline::start,
    room_list::start,
    members::start,
    regions::start,
    take_back,
    // Before anything is said here, or counts as seen.
    |ui| {
        if !reading::has_scrolled_away() {
            ui.land();
        }
    },
    composer::start,
    |ui| {
        forms::start(ui.text);
        pointer::start(ui);
    },
    deeds::start,
    keys::start,
    reading::start,
    |ui| {
        viewport::start();
        place::start(ui);
    },
    switcher::start,
    wake_on_events,
];

/// Keeping the page for offline hours is not done beside what somebody waits for.
const INSTALL_AFTER: Duration = Duration::from_secs(3);

/// Brings the page to life and keeps it connected, in the browser.
pub async fn wake() {
    let (events, inbox) = connection::events();
    others_turn().await;
    let first = FirstPage::of_document().unwrap_or_default();
    others_turn().await;
    let ui = Ui::new(first, events);
    ui.now.set(js_sys::Date::now());
    for step in STEPS {
        others_turn().await;
        step(ui);
    }
    // A task of its own: compiling it takes a turn, too.
    others_turn().await;
    leptos::task::spawn_local(connection::run(ui, inbox));
    install_soon(ui);
}

/// Keeps the page for offline hours, as soon as that is in nobody's way and the server is there.
fn install_soon(ui: Ui) {
    let install = move || match ui.state.with_untracked(|state| state.link) {
        Link::Live => journey::install(),
        _ => install_soon(ui),
    };
    set_timeout(install, INSTALL_AFTER);
}

/// Lets the browser answer a key or paint before it goes on. In a tab that nobody sees there is nothing to wait for, and
/// a turn takes a second.
async fn others_turn() {
    if document().hidden() {
        return;
    }
    let (ours, mut wait) = unbounded::<()>();
    set_timeout(move || drop(ours), Duration::ZERO);
    wait.next().await;
}

/// What an earlier page of this browser did not get through.
fn take_back(ui: Ui) {
    let me = ui.state.with_untracked(|state| state.me.as_ref().and_then(|me| me.person));
    take_drafts(ui, me);
    for change in me.map(outbox::kept_changes).unwrap_or_default() {
        ui.ask(change);
    }
    for (room, sending) in me.map(outbox::kept).unwrap_or_default() {
        let id = sending.id;
        let mut waits = false;
        ui.state.update(|state| waits = state.take_back(room, sending));
        if !waits {
            outbox::forget(id);
        }
    }
}

/// What was being written, here or in another tab, now and whenever that changes.
fn take_drafts(ui: Ui, me: Option<PersonId>) {
    let Some(me) = me else { return };
    ui.state.update(|state| {
        (state.drafts, state.abouts) = (drafts::kept(me), drafts::kept_abouts(me));
    });
    listen("storage", move |change| {
        let change: StorageEvent = change.unchecked_into();
        let key = change.key().unwrap_or_default();
        if let Some(room) = drafts::room_of(&key, me) {
            ui.state.update(|state| {
                state.set_draft(room, &change.new_value().unwrap_or_default());
            });
        }
    });
}

fn wake_on_events(ui: Ui) {
    for event in ["online", "focus", "visibilitychange"] {
        listen(event, move |_| ui.tell(Event::Wake));
    }
    listen("offline", move |_| ui.tell(Event::Doubt));
    listen("popstate", move |_| {
        let path = window().location().pathname().unwrap_or_default();
        let asked = journey::room_of(&path);
        let here = ui.state.with_untracked(ChatState::here);
        // A link to a part of the page fires this too.
        match (asked, here) {
            (Some(asked), Some(here)) if asked != here => ui.go(asked, false),
            // Back to a message.
            (Some(asked), Some(_)) if journey::named().is_some_and(|seq| !journey::show(seq)) => ui.go(asked, false),
            _ => drop(ui.set_out()),
        }
    });
    let tick = move || {
        ui.now.set(js_sys::Date::now());
        let mut faded = false;
        ui.state.update_untracked(|state| faded = state.tick(js_sys::Date::now()));
        if faded {
            ui.state.notify();
        }
        ui.tell_read();
        ui.tell(Event::Tick);
    };
    let _ = set_interval_with_handle(tick, Duration::from_secs(1));
}
