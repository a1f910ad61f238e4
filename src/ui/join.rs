//! The form with which somebody joins: a name, which is theirs from then on.

use super::{Ui, connection::Event, parts::FieldError};
use crate::{api, domain::limits::NAME_CHARS};
use leptos::{ev::SubmitEvent, html::Input, prelude::*};

const PATH: &str = "/api/sign_in";

/// The form, in the place of the composer.
#[component]
pub fn Join() -> impl IntoView {
    let ui = Ui::get();
    let name: NodeRef<Input> = NodeRef::new();
    // A second click while the first is under way is not a second wish.
    let busy = RwSignal::new(false);
    let error = RwSignal::new(ui.refused(PATH));
    let join = move |submit: SubmitEvent| {
        submit.prevent_default();
        let Some(name) = name.get_untracked().filter(|_| !busy.get_untracked()) else { return };
        busy.set(true);
        leptos::task::spawn_local(async move {
            let answer = api::sign_in(name.value()).await;
            busy.set(false);
            match answer {
                Ok(me) => {
                    ui.state.update(|state| state.me = Some(me));
                    ui.tell(Event::SignedIn);
                }
                Err(refusal) => {
                    error.set((ui.text.error)(refusal.code()));
                    let _ = name.focus();
                }
            }
        });
    };
    let described = move || if error.with(String::is_empty) { "join-hint" } else { "join-error join-hint" };
    view! {
        <form class="join field" method="post" action=PATH on:submit=join>
            <label class="join-title" for="join-name">{ui.text.join_label}</label>
            <div class="field-row">
                <input
                    class="field-input"
                    id="join-name"
                    name="name"
                    maxlength=NAME_CHARS.to_string()
                    required
                    autocomplete="nickname"
                    placeholder=ui.text.join_name
                    aria-invalid=move || (!error.with(String::is_empty)).then_some("true")
                    aria-describedby=described
                    node_ref=name
                />
                <button class="button">{ui.text.join}</button>
            </div>
            <FieldError id="join-error" text=error/>
            <p class="field-hint" id="join-hint">{ui.text.join_hint}</p>
        </form>
    }
}
