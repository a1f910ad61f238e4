//! Who is in the room: a pane beside it, or a popover where there is no space.

use super::{
    Ui,
    parts::{Icon, hue, hue_of, initial},
    regions::Region,
    rows::{Look, Row, Written, mend, row, written},
    state::ChatState,
    text::Text,
};
use crate::{html::Html, protocol::Member};
use leptos::prelude::*;

/// The pane, as the server writes it.
#[component]
pub fn Members() -> impl IntoView {
    let ui = Ui::get();
    let html = ui.state.with_untracked(|state| {
        let (rows, looks) = rows(state, ui.text);
        let mut html = Html::new();
        html.raw("<ul class=\"members-list\" id=\"members-list\">")
            .html(&written(&rows, &|at| looks[at].clone()))
            .raw("</ul>");
        html
    });
    view! {
        <aside class="members" id="members" popover="auto" tabindex="-1" aria-label=ui.text.members>
            <h2 class="members-title"><Icon name="users"/>{ui.text.members}" "<Region id="members-count"/></h2>
            <Written id="members-rows" class="members-rows" html/>
        </aside>
    }
}

/// Keeps the list as the state has it, in the browser.
pub fn start(ui: Ui) {
    let mut shown = ui.state.with_untracked(|state| rows(state, ui.text).0);
    ui.draw(move || {
        let (after, looks) = ui.state.with(|state| rows(state, ui.text));
        if let Some(list) = document().get_element_by_id("members-list") {
            mend(&list, &shown, &after, &|at| looks[at].clone());
        }
        shown = after;
    });
}

fn rows(state: &ChatState, text: &Text) -> (Vec<Row>, Vec<Look>) {
    let members = state.room.iter().flat_map(|room| &room.members);
    members
        .map(|member| {
            let of = hue_of(&member.sender, member.person, member.guest.as_deref());
            let look = look(member, &of, state.me.as_ref() == Some(member), text);
            (row(format!("w-{of}"), &look), look)
        })
        .unzip()
}

fn look(member: &Member, of: &str, is_me: bool, text: &Text) -> Look {
    let mut html = Html::new();
    html.raw("<span class=\"avatar ").text(&hue(of)).raw("\" aria-hidden=\"true\">").text(&initial(&member.sender));
    html.raw("</span><span class=\"member-name\" dir=\"auto\">").text(&member.sender).raw("</span>");
    if is_me || member.guest.is_some() {
        html.raw(" <span class=\"badge\">").text(if is_me { text.me } else { text.guest }).raw("</span>");
    }
    Look { tag: "li", class: if is_me { "member member-me" } else { "member" }.into(), html }
}
