//! Home: what Madang is in one sentence, and the form that makes a room.

use super::{Ui, parts::FieldError};
use crate::{api, domain::limits::ROOM_NAME_CHARS};
use leptos::{ev::SubmitEvent, html::Input, prelude::*};

const PATH: &str = "/api/create_room";

/// Home's main pane.
#[component]
pub fn Home() -> impl IntoView {
    let ui = Ui::get();
    let only_lobby = ui.state.with_untracked(|state| state.rooms.len() <= 1);
    let (title, text) = if only_lobby {
        (ui.text.first_room, ui.text.first_room_text)
    } else {
        (ui.text.welcome, ui.text.welcome_text)
    };
    view! {
        <main id="main" class="welcome" tabindex="-1">
            <div class="welcome-inner">
                <svg class="yard" aria-hidden="true"><use href="/icons.svg#yard"></use></svg>
                <div>
                    <h1 class="welcome-title">{title}</h1>
                    <p class="welcome-text">{text}</p>
                </div>
                <Create/>
            </div>
        </main>
    }
}

#[component]
fn Create() -> impl IntoView {
    let ui = Ui::get();
    let name: NodeRef<Input> = NodeRef::new();
    // A second click while the first is under way is not a second wish.
    let busy = RwSignal::new(false);
    let error = RwSignal::new(ui.refused(PATH));
    let create = move |submit: SubmitEvent| {
        submit.prevent_default();
        let Some(name) = name.get_untracked().filter(|_| !busy.get_untracked()) else { return };
        busy.set(true);
        leptos::task::spawn_local(async move {
            let answer = api::create_room(name.value()).await;
            busy.set(false);
            match answer {
                Ok(room) => {
                    ui.state.update(|state| {
                        if state.rooms.iter().all(|known| known.room_id != room.room_id) {
                            state.rooms.push(room.clone());
                        }
                    });
                    ui.go(Some(room.room_id), true);
                }
                Err(refusal) => {
                    error.set((ui.text.error)(refusal.code()));
                    let _ = name.focus();
                }
            }
        });
    };
    view! {
        <form class="create field" id="create" method="post" action=PATH on:submit=create>
            <label class="field-label" for="create-name">{ui.text.create_label}</label>
            <div class="field-row">
                <input
                    class="field-input"
                    id="create-name"
                    name="name"
                    maxlength=ROOM_NAME_CHARS.to_string()
                    required
                    autocomplete="off"
                    placeholder=ui.text.create_example
                    aria-invalid=move || (!error.with(String::is_empty)).then_some("true")
                    aria-describedby=move || (!error.with(String::is_empty)).then_some("create-error")
                    node_ref=name
                />
                <button class="button">{ui.text.create}</button>
            </div>
            <FieldError id="create-error" text=error/>
        </form>
    }
}
