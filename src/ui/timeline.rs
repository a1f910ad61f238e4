//! What was said, by days and by runs of one author.

use super::{
    Ui, is_plain_click,
    parts::{Avatar, Icon, Mark, hue},
    room::CopyLink,
    state::{ChatState, Notice, OpenRoom, Sending},
    time::{Clock, Moment},
};
use crate::{
    domain::{MessageId, PersonId, RoomId, Seq},
    protocol::{Member, Talk},
};
use leptos::{
    either::{Either, EitherOf4},
    prelude::*,
};

/// Messages of one author further apart than this many minutes do not make one run.
const RUN_MINUTES: u32 = 5;

/// One line of the timeline.
#[derive(Clone, Debug, PartialEq)]
enum Line {
    Day(Moment),
    Notice(Notice),
    Message { talk: Box<Talk>, first: bool, own: bool },
    Sending { sending: Sending, me: Member, first: bool },
}

/// Two lines with the same key look the same.
type Key = (u8, u128, u64, bool);

impl Line {
    fn key(&self) -> Key {
        match self {
            Self::Day(day) => (0, u128::from(day.year * 10_000 + day.month * 100 + day.day), 0, false),
            Self::Notice(notice) => (1, u128::from(notice.number), notice.names.len() as u64, false),
            Self::Message { talk, first, own } => (2, u128::from(talk.seq), talk.rev * 2 + u64::from(*own), *first),
            Self::Sending { sending, first, .. } => {
                (3, u128::from_be_bytes(*sending.id.as_bytes()), u64::from(sending.failed.is_some()), *first)
            }
        }
    }
}

/// The timeline.
#[component]
pub fn Timeline(
    /// The room.
    id: RoomId,
) -> impl IntoView {
    let ui = Ui::get();
    let lines = move || {
        let local = ui.awake.get();
        let shown = |state: &ChatState| {
            state.room.as_ref().filter(|room| room.id == id).map(|room| lines(room, state.me.as_ref(), local))
        };
        ui.state.with(shown).unwrap_or_default()
    };
    let is_silent = Memo::new(move |_| ui.state.with(|state| state.room.as_ref().is_some_and(OpenRoom::is_silent)));
    view! {
        <div class="timeline-frame">
            <div class="timeline" role="log" aria-live="off" aria-label=ui.text.conversation tabindex="0">
                <div class="timeline-content">
                    {move || if is_silent.get() { Either::Left(view! { <Silence/> }) } else { Either::Right(view! { <Beginning id/> }) }}
                    <div class="chunk">
                        <For each=lines key=Line::key let(line)>{show(line)}</For>
                    </div>
                    <BackToNewest id/>
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
fn Beginning(id: RoomId) -> impl IntoView {
    let ui = Ui::get();
    let oldest = |state: &ChatState| state.room.as_ref().and_then(OpenRoom::older_than);
    let before = Memo::new(move |_| ui.state.with(oldest).map(|seq| seq.to_string()).unwrap_or_default());
    move || match before.get().parse::<Seq>() {
        Ok(seq) => {
            let load = move |click: web_sys::MouseEvent| {
                if is_plain_click(&click) {
                    click.prevent_default();
                    ui.load_older(id, seq);
                }
            };
            Either::Left(
                view! { <a class="button button-quiet older" href=format!("?before={seq}") on:click=load>{ui.text.older}</a> },
            )
        }
        Err(_) => Either::Right(view! { <p class="beginning"><Mark/>{ui.text.beginning}</p> }),
    }
}

/// From a page of older messages, which only a reader without JavaScript stays on, back to the newest.
#[component]
fn BackToNewest(id: RoomId) -> impl IntoView {
    let ui = Ui::get();
    let behind = Memo::new(move |_| ui.state.with(|state| state.room.as_ref().is_some_and(OpenRoom::is_behind)));
    move || {
        behind
            .get()
            .then(|| view! { <a class="button button-quiet older" href=super::address(Some(id))>{ui.text.newest}</a> })
    }
}

fn show(line: Line) -> impl IntoView {
    let ui = Ui::get();
    match line {
        Line::Day(day) => {
            let date = format!("{:04}-{:02}-{:02}", day.year, day.month, day.day);
            let label = (ui.text.day)(day.month, day.day, day.weekday);
            EitherOf4::A(view! { <p class="day"><time datetime=date>{label}</time></p> })
        }
        Line::Notice(notice) => {
            let sentence = if notice.came { (ui.text.came)(&notice.names) } else { (ui.text.went)(&notice.names) };
            EitherOf4::B(view! { <p class="system-line">{sentence}</p> })
        }
        Line::Message { talk, first, own } => EitherOf4::C(view! { <Message talk=*talk first own/> }),
        Line::Sending { sending, me, first } => EitherOf4::D(view! { <Unsent sending me first/> }),
    }
}

#[component]
fn Message(talk: Talk, first: bool, own: bool) -> impl IntoView {
    let ui = Ui::get();
    let of = hue_of(&talk.sender, talk.person, talk.guest.as_deref());
    let class = class_of(first, own, "", &of);
    let badge = talk.guest.is_some().then(|| view! { <span class="badge">{ui.text.guest}</span>" " });
    view! {
        <article class=class id=format!("m-{}", talk.seq)>
            {(first && !own).then(|| view! { <Avatar name=talk.sender.clone()/> })}
            <p class="message-head"><span class="message-author" dir="auto">{talk.sender}</span>" "{badge}<Clock at=talk.at class="message-time"/></p>
            <div class="message-body" dir="auto">{talk.message}</div>
        </article>
    }
}

#[component]
fn Unsent(sending: Sending, me: Member, first: bool) -> impl IntoView {
    let ui = Ui::get();
    let id = sending.id;
    let of = hue_of(&me.sender, me.person, me.guest.as_deref());
    let state = if sending.failed.is_some() { "message-failed" } else { "message-sending" };
    let note = match sending.failed {
        None => Either::Left(view! { <p class="message-note"><Icon name="clock"/>{ui.text.sending}</p> }),
        Some(code) => Either::Right(view! { <Refused id code/> }),
    };
    view! {
        <article class=class_of(first, true, state, &of)>
            <p class="message-head"><span class="message-author" dir="auto">{me.sender}</span>" "<Clock at=sending.at class="message-time"/></p>
            <div class="message-body" dir="auto">{sending.text}</div>
            {note}
        </article>
    }
}

#[component]
fn Refused(id: MessageId, code: String) -> impl IntoView {
    let ui = Ui::get();
    view! {
        <p class="message-note" role="alert">
            <Icon name="alert"/>{ui.text.not_sent}" "{(ui.text.error)(&code)}" "
            <button class="link-button" type="button" on:click=move |_| ui.say_again(id)>{ui.text.retry}</button>" "
            <button class="link-button" type="button" on:click=move |_| ui.discard(id)>{ui.text.discard}</button>
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
        lines.push(Line::Notice(notice.clone()));
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
            lines.push(Line::Notice(notice.clone()));
        }
    }
    lines.extend(notices.cloned().map(Line::Notice));
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
