//! The foot of the list: who one is, the language, the theme.

use super::{
    parts::{Avatar, Hidden, Icon},
    words::Words,
};
use crate::{domain::Lang, protocol::Member};
use leptos::prelude::*;

/// The foot.
#[component]
pub fn Account(
    /// The page's language.
    lang: Lang,
    /// The words.
    words: &'static Words,
    /// Who this browser is.
    me: Option<Member>,
) -> impl IntoView {
    let current = move |one| (one == lang).then_some("true");
    view! {
        <footer class="account">
            {me.map(|me| view! { <Me me words/> })}
            <nav class="language" aria-label=words.language>
                <a href="?lang=ko" lang="ko" hreflang="ko" aria-current=current(Lang::Ko)>"한국어"</a>
                <a href="?lang=en" lang="en" hreflang="en" aria-current=current(Lang::En)>"English"</a>
            </nav>
            <button class="icon-button keys-button" type="button" popovertarget="keys" aria-label=words.keys_title>"?"</button>
            <form method="post" action="/api/set_theme">
                <button class="icon-button theme-dark" name="theme" value="dark"><Icon name="moon"/><Hidden text=words.dark/></button>
                <button class="icon-button theme-light" name="theme" value="light"><Icon name="sun"/><Hidden text=words.light/></button>
            </form>
        </footer>
    }
}

#[component]
fn Me(me: Member, words: &'static Words) -> impl IntoView {
    let of = me.person.map(|id| id.to_string()).unwrap_or_default();
    view! {
        <div class="account-me">
            <Avatar name=me.sender.clone() of/>
            <span class="account-name" dir="auto">{me.sender}</span>
            <form method="post" action="/api/sign_out"><button class="icon-button">{words.sign_out}</button></form>
        </div>
    }
}
