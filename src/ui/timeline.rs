//! What was said, by days and by runs of one author.

use super::{
    Ui, is_plain_click,
    parts::{Avatar, Icon, Mark, hue},
    room_header::CopyLink,
    state::{ChatState, Notice, OpenRoom, Sending},
    time::{Clock, Moment},
};
use crate::{
    domain::{MessageId, PersonId, RoomId},
    protocol::{Member, Talk},
};
use leptos::{either::Either, prelude::*};

/// Messages of one author further apart than this many minutes do not make one run.
const RUN_MINUTES: u32 = 5;

/// One line of the timeline.
#[derive(Clone, Debug, PartialEq)]
enum Line {
    Day(Moment),
    Notice(RoomId, Notice),
    Message { talk: Box<Talk>, first: bool, own: bool },
    Sending { sending: Sending, me: Member, first: bool },
}

/// Two lines with the same key look the same, in whatever rooms they are.
type Key = (u8, u128, u64, bool);

impl Line {
    fn key(&self) -> Key {
        let number = |bytes: &[u8; 16]| u128::from_be_bytes(*bytes);
        match self {
            Self::Day(day) => (0, u128::from(day.year * 10_000 + day.month * 100 + day.day), 0, false),
            Self::Notice(room, notice) => {
                (1, number(room.as_bytes()), notice.number << 32 | notice.names.len() as u64, false)
            }
            Self::Message { talk, first, own } => {
                (2, number(talk.id.as_bytes()), talk.rev * 2 + u64::from(*own), *first)
            }
            Self::Sending { sending, first, .. } => {
                (3, number(sending.id.as_bytes()), u64::from(sending.failed.is_some()), *first)
            }
        }
    }
}

/// The timeline.
#[island]
pub fn Timeline() -> impl IntoView {
    let ui = Ui::get();
    let lines = move || {
        let local = ui.awake.get();
        ui.state.with(|state| state.room.as_ref().map(|room| lines(room, state.me.as_ref(), local))).unwrap_or_default()
    };
    let is_silent = Memo::new(move |_| ui.state.with(|state| state.room.as_ref().is_some_and(OpenRoom::is_silent)));
    view! {
        <div class="timeline-frame">
            <div class="timeline" role="log" aria-live="off" aria-label=ui.text.conversation tabindex="0">
                <div class="timeline-content">
                    {move || if is_silent.get() { Either::Left(view! { <Silence/> }) } else { Either::Right(view! { <Beginning/> }) }}
                    <div class="chunk">
                        <For each=lines key=Line::key let(line)>{show(line)}</For>
                    </div>
                    <BackToNewest/>
                </div>
            </div>
        </div>
    }
}

#[component]
fn Silence() -> impl IntoView {
    let ui = Ui::get();
    view! {
        <div class="blank">
            <Mark/>
            <p class="blank-title">{ui.text.nothing_yet}</p>
            <p class="blank-text">{ui.text.say_first}</p>
            <CopyLink class="button button-quiet copy-link" labelled=false/>
        </div>
    }
}

/// The way to older messages, or the word that there are none.
#[component]
fn Beginning() -> impl IntoView {
    let ui = Ui::get();
    let oldest = |state: &ChatState| state.room.as_ref().and_then(|room| Some((room.id, room.older_than()?)));
    let before = move || ui.state.with(oldest).map(|(_, seq)| format!("?before={seq}"));
    let load = move |click: web_sys::MouseEvent| {
        if let (true, Some((room, seq))) = (is_plain_click(&click), ui.state.with_untracked(oldest)) {
            click.prevent_default();
            ui.load_older(room, seq);
        }
    };
    let is_whole = Memo::new(move |_| before().is_none());
    move || {
        if is_whole.get() {
            Either::Left(view! { <p class="beginning"><Mark/>{ui.text.beginning}</p> })
        } else {
            Either::Right(view! { <a class="button button-quiet older" href=before on:click=load>{ui.text.older}</a> })
        }
    }
}

/// From a page of older messages, which only a reader without JavaScript stays on, back to the newest.
#[component]
fn BackToNewest() -> impl IntoView {
    let ui = Ui::get();
    let room = ui.state.with_untracked(|state| state.room.as_ref().filter(|room| room.is_behind()).map(|room| room.id));
    let behind = Memo::new(move |_| ui.state.with(|state| state.room.as_ref().is_some_and(OpenRoom::is_behind)));
    room.map(|id| {
        let hidden = move || !behind.get();
        view! { <a class="button button-quiet older" href=super::address(id) hidden=hidden>{ui.text.newest}</a> }
    })
}

/// A message as it is drawn, whether it is stored or on its way.
struct Said {
    element: String,
    class: String,
    author: String,
    with_avatar: bool,
    is_guest: bool,
    is_edited: bool,
    at: String,
    body: String,
    note: Option<(MessageId, Option<String>)>,
}

fn show(line: Line) -> impl IntoView {
    let ui = Ui::get();
    match line {
        Line::Day(day) => Either::Left(sentence("day", (ui.text.day)(day.month, day.day, day.weekday))),
        Line::Notice(_, notice) => {
            let words = if notice.came { (ui.text.came)(&notice.names) } else { (ui.text.went)(&notice.names) };
            Either::Left(sentence("system-line", words))
        }
        Line::Message { talk, first, own } => {
            let of = hue_of(&talk.sender, talk.person, talk.guest.as_deref());
            let state = if talk.deleted { "message-deleted" } else { "" };
            Either::Right(message(Said {
                element: format!("m-{}", talk.seq),
                class: class_of(first, own, state, &of),
                author: talk.sender,
                with_avatar: first && !own,
                is_guest: talk.guest.is_some(),
                is_edited: talk.edited_at.is_some(),
                at: talk.at,
                body: if talk.deleted { ui.text.deleted.into() } else { talk.message },
                note: None,
            }))
        }
        Line::Sending { sending, me, first } => {
            let of = hue_of(&me.sender, me.person, me.guest.as_deref());
            let state = if sending.failed.is_some() { "message-failed" } else { "message-sending" };
            Either::Right(message(Said {
                element: format!("m-{}", sending.id),
                class: class_of(first, true, state, &of),
                author: me.sender,
                with_avatar: false,
                is_guest: false,
                is_edited: false,
                at: sending.at,
                body: sending.text,
                note: Some((sending.id, sending.failed)),
            }))
        }
    }
}

fn sentence(class: &'static str, words: String) -> impl IntoView {
    view! { <p class=class>{words}</p> }
}

fn message(said: Said) -> impl IntoView {
    let ui = Ui::get();
    view! {
        <article class=said.class id=said.element>
            {said.with_avatar.then(|| view! { <Avatar name=said.author.clone()/> })}
            <p class="message-head">
                <span class="message-author" dir="auto">{said.author}</span>" "
                {said.is_guest.then(|| view! { <span class="badge">{ui.text.guest}</span>" " })}
                <Clock at=said.at class="message-time"/>
            </p>
            <div class="message-body" dir="auto">
                {said.body}
                {said.is_edited.then(|| view! { <span class="message-edited">{ui.text.edited}</span> })}
            </div>
            {said.note.map(|(id, failed)| view! { <Note id failed/> })}
        </article>
    }
}

/// How it stands with a message that is not stored yet.
#[component]
fn Note(id: MessageId, failed: Option<String>) -> impl IntoView {
    let ui = Ui::get();
    let is_failed = failed.is_some();
    let words =
        failed.map_or(ui.text.sending.to_owned(), |code| format!("{} {}", ui.text.not_sent, (ui.text.error)(&code)));
    let buttons = is_failed.then(|| {
        view! {
            " "<button class="link-button" type="button" on:click=move |_| ui.say_again(id)>{ui.text.retry}</button>
            " "<button class="link-button" type="button" on:click=move |_| ui.discard(id)>{ui.text.discard}</button>
        }
    });
    view! {
        <p class="message-note" role=is_failed.then_some("alert")>
            <Icon name=if is_failed { "alert" } else { "clock" }/>{words}{buttons}
        </p>
    }
}

fn class_of(first: bool, own: bool, state: &str, of: &str) -> String {
    let mut class = String::from("message");
    for part in [if first { "message-first" } else { "" }, if own { "message-own" } else { "" }, state, &hue(of)] {
        if !part.is_empty() {
            class.push(' ');
            class.push_str(part);
        }
    }
    class
}

/// What somebody's hue is taken from.
#[must_use]
pub fn hue_of(sender: &str, person: Option<PersonId>, guest: Option<&str>) -> String {
    person.map_or_else(|| format!("{sender}{}", guest.unwrap_or_default()), |id| id.to_string())
}

/// The lines of a room, in order: days before their first message, comings and goings where they fell,
/// and at the end what is still being sent.
fn lines(room: &OpenRoom, me: Option<&Member>, local: bool) -> Vec<Line> {
    let mut lines = Vec::with_capacity(room.messages.len() + room.sending.len() + 8);
    let mut notices = room.notices.iter().peekable();
    let mut day = None;
    let mut run: Option<(String, Moment)> = None;
    let start = room.messages.first().map_or(0, |talk| talk.seq);
    while notices.next_if(|notice| notice.after + 1 < start).is_some() {}
    while let Some(notice) = notices.next_if(|notice| notice.after < start) {
        lines.push(Line::Notice(room.id, notice.clone()));
    }
    for talk in &room.messages {
        let moment = Moment::new(&talk.at, local);
        if day != Some(moment.date()) {
            day = Some(moment.date());
            run = None;
            lines.push(Line::Day(moment));
        }
        let author = hue_of(&talk.sender, talk.person, talk.guest.as_deref());
        let first = !continues(run.as_ref(), &author, &moment);
        run = Some((author, moment));
        let own = me.is_some_and(|me| me.person.is_some() && me.person == talk.person);
        lines.push(Line::Message { talk: Box::new(talk.clone()), first, own });
        while let Some(notice) = notices.next_if(|notice| notice.after == talk.seq) {
            run = None;
            lines.push(Line::Notice(room.id, notice.clone()));
        }
    }
    lines.extend(notices.cloned().map(|notice| Line::Notice(room.id, notice)));
    if let Some(me) = me {
        for sending in &room.sending {
            let moment = Moment::new(&sending.at, local);
            let author = hue_of(&me.sender, me.person, me.guest.as_deref());
            let first = !continues(run.as_ref(), &author, &moment);
            run = Some((author, moment));
            lines.push(Line::Sending { sending: sending.clone(), me: me.clone(), first });
        }
    }
    lines
}

fn continues(run: Option<&(String, Moment)>, author: &str, moment: &Moment) -> bool {
    run.is_some_and(|(last, since)| {
        let minutes = (moment.hour * 60 + moment.minute).checked_sub(since.hour * 60 + since.minute);
        last == author && since.date() == moment.date() && minutes.is_some_and(|minutes| minutes < RUN_MINUTES)
    })
}
