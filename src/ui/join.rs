//! The form with which somebody joins: a name, which is theirs from then on.

use super::{Refused, parts::FieldError, text::Text, words::Words};
use crate::domain::limits::NAME_CHARS;
use leptos::prelude::*;

const PATH: &str = "/api/sign_in";

/// The form, in the place of the composer.
#[component]
pub fn Join(
    /// The words.
    text: &'static Text,
    /// The others.
    words: &'static Words,
    /// The form that was refused.
    refused: Option<Refused>,
) -> impl IntoView {
    let error = Refused::words(refused.as_ref(), PATH, text);
    view! {
        <form class="join field" method="post" action=PATH>
            <label class="join-title" for="join-name">{words.join_label}</label>
            <div class="field-row">
                <input
                    class="field-input"
                    id="join-name"
                    name="name"
                    maxlength=NAME_CHARS.to_string()
                    required
                    autocomplete="nickname"
                    placeholder=words.join_name
                    aria-invalid=(!error.is_empty()).then_some("true")
                    aria-describedby="join-error join-hint"
                />
                <button class="button">{words.join}</button>
            </div>
            <FieldError id="join-error" error/>
            <p class="field-hint" id="join-hint">{words.join_hint}</p>
        </form>
    }
}
