//! The page for an address that leads nowhere.

use super::{parts::Mark, words::Words};
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
    words: &'static Words,
) -> impl IntoView {
    let (title, sentence) = match lost {
        Lost::Room => (words.room_lost, words.room_lost_text),
        Lost::Page => (words.page_lost, words.page_lost_text),
    };
    view! {
        <main id="main" class="lost" tabindex="-1">
            <div class="blank">
                <Mark/>
                <h1 class="blank-title">{title}</h1>
                <p class="blank-text">{sentence}</p>
                <a class="button" href="/">{words.home}</a>
            </div>
        </main>
    }
}
