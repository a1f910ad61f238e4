//! The page for an address that leads nowhere.

use super::{Ui, parts::Mark, room_list::follow};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// What was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lost {
    /// No such room.
    Room,
    /// No such page.
    Page,
}

/// The page.
#[component]
pub fn LostPage(
    /// What was not found.
    lost: Lost,
) -> impl IntoView {
    let ui = Ui::get();
    let (title, text) = match lost {
        Lost::Room => (ui.text.room_lost, ui.text.room_lost_text),
        Lost::Page => (ui.text.page_lost, ui.text.page_lost_text),
    };
    view! {
        <main id="main" class="lost" tabindex="-1">
            <div class="blank">
                <Mark/>
                <h1 class="blank-title">{title}</h1>
                <p class="blank-text">{text}</p>
                <a class="button" href="/" on:click=move |click| follow(ui, &click, None)>{ui.text.home}</a>
            </div>
        </main>
    }
}
