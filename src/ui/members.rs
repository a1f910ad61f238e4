//! Who is in the room: a pane beside it, or a popover where there is no space.

use super::{
    Ui,
    parts::{Avatar, Icon, text},
    timeline::hue_of,
};
use crate::protocol::Member;
use leptos::prelude::*;

/// The pane.
#[island]
pub fn Members() -> impl IntoView {
    let ui = Ui::get();
    let members =
        move || ui.state.with(|state| state.room.as_ref().map(|room| room.members.clone()).unwrap_or_default());
    view! {
        <aside class="members" id="members" popover="auto" aria-label=ui.text.members>
            <h2 class="members-title"><Icon name="users"/>{ui.text.members}" "{text(move || ui.count().to_string())}</h2>
            <ul class="members-list">
                <For each=members key=Clone::clone let(member)>
                    <MemberItem member/>
                </For>
            </ul>
        </aside>
    }
}

#[component]
fn MemberItem(member: Member) -> impl IntoView {
    let ui = Ui::get();
    let is_me = ui.state.with_untracked(|state| state.me.as_ref() == Some(&member));
    let badge = if is_me { Some(ui.text.me) } else { member.guest.as_ref().map(|_| ui.text.guest) };
    view! {
        <li class=if is_me { "member member-me" } else { "member" }>
            <Avatar name=member.sender.clone() of=hue_of(&member.sender, member.person, member.guest.as_deref())/>
            <span class="member-name" dir="auto">{member.sender}</span>
            {badge.map(|badge| view! { " " <span class="badge">{badge}</span> })}
        </li>
    }
}
