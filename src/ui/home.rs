//! Home: what Madang is in one sentence, and the form that makes a room.

use super::{Refused, parts::FieldError, text::Text, words::Words};
use crate::domain::limits::ROOM_NAME_CHARS;
use leptos::prelude::*;

const PATH: &str = "/api/create_room";

/// Home's main pane.
#[component]
pub fn Home(
    /// Whether nobody has made a room yet.
    only_lobby: bool,
    /// The words.
    text: &'static Text,
    /// The others.
    words: &'static Words,
    /// The form that was refused.
    refused: Option<Refused>,
) -> impl IntoView {
    let (title, sentence) =
        if only_lobby { (words.first_room, words.first_room_text) } else { (words.welcome, words.welcome_text) };
    let error = Refused::words(refused.as_ref(), PATH, text);
    view! {
        <main id="main" class="welcome" tabindex="-1">
            <div class="welcome-inner">
                <svg class="yard" aria-hidden="true"><use href="/icons.svg#yard"></use></svg>
                <div>
                    <h1 class="welcome-title">{title}</h1>
                    <p class="welcome-text">{sentence}</p>
                </div>
                <form class="create field" id="create" method="post" action=PATH>
                    <label class="field-label" for="create-name">{words.create_label}</label>
                    <div class="field-row">
                        <input
                            class="field-input"
                            id="create-name"
                            name="name"
                            maxlength=ROOM_NAME_CHARS.to_string()
                            required
                            autocomplete="off"
                            placeholder=words.create_example
                            aria-invalid=(!error.is_empty()).then_some("true")
                            aria-describedby="create-error"
                        />
                        <button class="button">{words.create}</button>
                    </div>
                    <FieldError id="create-error" error/>
                </form>
            </div>
        </main>
    }
}
