//! The page for an address that leads nowhere.

use super::{parts::Mark, text::Text};
use leptos::prelude::*;

/// What was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// The words.
    text: &'static Text,
) -> impl IntoView {
    let (title, sentence) = match lost {
        Lost::Room => (text.room_lost, text.room_lost_text),
        Lost::Page => (text.page_lost, text.page_lost_text),
    };
    view! {
        <main id="main" class="lost" tabindex="-1">
            <div class="blank">
                <Mark/>
                <h1 class="blank-title">{title}</h1>
                <p class="blank-text">{sentence}</p>
                <a class="button" href="/">{text.home}</a>
            </div>
        </main>
    }
}
