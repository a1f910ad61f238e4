//! What was said: by days, by runs of one author, in chunks that the browser need not lay out until they are near.

use super::{
    Ui,
    dom::elements,
    menu, message,
    message::Place,
    parts::{Icon, icon},
    regions::{Region, Seen},
    rows::{Look, Row, Written, mend, mix, mix_text, written},
    state::{ChatState, Notice, OpenRoom, Sending},
    text::Text,
    time::Moment,
};
use crate::{
    domain::{PersonId, Seq},
    html::Html,
    protocol::{Member, Talk},
};
use leptos::prelude::*;

/// Messages of one author further apart than this many minutes do not make one run.
const RUN_MINUTES: u32 = 5;
/// Places in a chunk.
const CHUNK: Seq = 10;
/// The chunk of what is not stored yet.
const UNSTORED: Seq = Seq::MAX;

/// One line of the timeline.
enum Line<'a> {
    Day(Moment),
    Unread,
    Notice(&'a Notice),
    /// `preview` is what it is to be, where something was asked of it.
    Message {
        talk: &'a Talk,
        preview: Option<Box<Talk>>,
        answers: Option<&'a Talk>,
        place: Place,
        at: Moment,
    },
    Sending {
        sending: &'a Sending,
        me: &'a Member,
        place: Place,
        at: Moment,
    },
}

impl Line<'_> {
    fn row(&self, with_menu: bool) -> Row {
        match self {
            Self::Day(day) => Row { id: format!("d-{}", day.year * 10_000 + day.month * 100 + day.day), version: 0 },
            Self::Unread => Row { id: "unread".into(), version: 0 },
            Self::Notice(notice) => {
                let version = notice.names.iter().fold(0, |version, name| mix_text(version, name));
                Row { id: format!("n-{}", notice.number), version }
            }
            Self::Message { talk, preview, answers, place, .. } => {
                let marks = [with_menu, place.first, place.own, place.going];
                let marks = marks.iter().fold(0, |all, mark| all << 1 | u64::from(*mark));
                let version = mix(mix(mix(0, talk.rev), marks), answers.map_or(0, |answered| answered.rev));
                let version = preview.as_ref().map_or(version, |preview| mix_preview(version, preview));
                Row { id: format!("m-{}", talk.seq), version }
            }
            Self::Sending { sending, place, .. } => {
                let version = mix_text(u64::from(place.first), sending.failed.as_deref().unwrap_or_default());
                Row { id: format!("m-{}", sending.id), version: mix_text(version, &sending.text) }
            }
        }
    }

    fn look(&self, me: Option<&Member>, text: &Text) -> Look {
        match self {
            Self::Day(day) => sentence("day", &(text.day)(day)),
            Self::Unread => sentence("unread-line", text.unread_from_here),
            Self::Notice(notice) => {
                let words = if notice.came { text.came } else { text.went };
                sentence("system-line", &words(&notice.names))
            }
            Self::Message { talk, preview, answers, place, at } => {
                message::stored(preview.as_deref().unwrap_or(talk), *answers, me, *place, *at, text)
            }
            Self::Sending { sending, me, place, at } => message::sending(sending, me, *place, *at, text),
        }
    }
}

/// What of a message can be asked for: its text, its reactions, and that it is deleted.
fn mix_preview(version: u64, preview: &Talk) -> u64 {
    let version = mix(mix_text(version, &preview.message), u64::from(preview.deleted) + 1);
    preview.reactions.iter().fold(version, |version, one| mix(mix_text(version, &one.emoji), one.by.len() as u64))
}

fn sentence(class: &str, words: &str) -> Look {
    let mut html = Html::new();
    html.text(words);
    Look { tag: "p", class: class.into(), html }
}

/// A chunk: its lines, and the rows that they make.
struct Chunk<'a> {
    /// A version of the history that it is of.
    of: u64,
    number: Seq,
    lines: Vec<Line<'a>>,
    rows: Vec<Row>,
}

impl Chunk<'_> {
    fn row(&self) -> Row {
        // Its element is made once for each history; what is in it is mended by itself.
        Row { id: format!("c-{}", self.number), version: self.of }
    }
}

/// What of the timeline is on screen.
pub type Shown = Vec<(Row, Vec<Row>)>;

/// The timeline, as the server writes it.
#[component]
pub fn Timeline() -> impl IntoView {
    let ui = Ui::get();
    let html = ui.state.with_untracked(|state| {
        let chunks = chunks(state, false);
        let (me, text) = (state.me.as_ref(), ui.text);
        let look = |at: usize| chunk_look(&chunks[at], me, text);
        written(&chunks.iter().map(Chunk::row).collect::<Vec<_>>(), &look)
    });
    view! {
        <div class="timeline-frame">
            <div class="timeline" id="timeline" role="log" aria-live="off" aria-label=ui.text.conversation tabindex="0">
                <div class="timeline-content">
                    <Region id="timeline-top"/>
                    <Written id="chunks" class="chunks" html/>
                    <Region id="timeline-end"/>
                </div>
            </div>
            <p class="visually-hidden" role="log" aria-live="polite"><Region id="announcer"/></p>
            <Region id="left-off"/>
            <button class="button button-quiet to-latest" id="to-latest" type="button" data-do="latest" hidden>
                <Icon name="down"/><span>{(ui.text.new_below)(0)}</span>
            </button>
        </div>
    }
}

/// What others have just said, for who does not see it: never what is old, nor one's own.
#[must_use]
pub fn announcement(seen: &Seen<'_>) -> Html {
    let mut html = Html::new();
    html.text(&seen.state.spoken);
    html
}

/// Keeps the timeline as the state has it, in the browser.
pub fn start(ui: Ui) {
    // What the server wrote: nothing is read from the page but its clocks.
    let mut shown = ui.state.with_untracked(|state| shown(&chunks(state, false)));
    ui.draw(move || {
        ui.state.with(|state| {
            let chunks = chunks(state, true);
            let after = self::shown(&chunks);
            show(&shown, &after, &chunks, state.me.as_ref(), ui.text);
            shown = after;
        });
        menu::close_for_gone();
    });
}

/// Turns the clocks that the server wrote to the browser's zone. Writing every message anew would lay all of them
/// out again.
pub fn set_clocks(text: &Text) {
    for clock in elements("#chunks time") {
        let at = clock.get_attribute("datetime").unwrap_or_default();
        let (here, there) = (Moment::new(&at, true), Moment::new(&at, false));
        if here != there {
            clock.set_text_content(Some(&here.clock(text)));
        }
    }
}

fn shown(chunks: &[Chunk<'_>]) -> Shown {
    chunks.iter().map(|chunk| (chunk.row(), chunk.rows.clone())).collect()
}

fn show(before: &Shown, after: &Shown, chunks: &[Chunk<'_>], me: Option<&Member>, text: &Text) {
    let Some(parent) = document().get_element_by_id("chunks") else { return };
    let heads = |shown: &Shown| shown.iter().map(|(head, _)| head.clone()).collect::<Vec<_>>();
    mend(&parent, &heads(before), &heads(after), &|at| chunk_look(&chunks[at], me, text));
    for (chunk, (head, rows)) in chunks.iter().zip(after) {
        let old = before.iter().find(|(old, _)| old == head);
        if let (Some((_, old)), Some(element)) = (old, document().get_element_by_id(&head.id)) {
            mend(&element, old, rows, &|at| chunk.lines[at].look(me, text));
        }
    }
}

fn chunk_look(chunk: &Chunk<'_>, me: Option<&Member>, text: &Text) -> Look {
    let html = written(&chunk.rows, &|at| chunk.lines[at].look(me, text));
    Look { tag: "div", class: "chunk".into(), html }
}

/// Above the first line: the way to older messages, or that there are none.
#[must_use]
pub fn top(&Seen { state, text, .. }: &Seen<'_>) -> Html {
    let mut html = Html::new();
    let Some(room) = &state.room else { return html };
    if room.is_silent() {
        html.raw("<div class=\"blank\"><svg class=\"mark\" aria-hidden=\"true\"><use href=\"/icons.svg#logo\"></use></svg><p class=\"blank-title\">");
        html.text(text.nothing_yet).raw("</p><p class=\"blank-text\">").text(text.say_first).raw("</p>");
        html.raw("<button class=\"button button-quiet copy-link\" type=\"button\" data-do=\"copy-link\">");
        icon(&mut html, "link");
        html.raw("<span aria-live=\"polite\">").text(text.copy_link).raw("</span></button></div>");
    } else if let Some(seq) = room.older_than() {
        html.raw("<a class=\"button button-quiet older\" data-do=\"older\" href=\"?before=").number(seq).raw("\">");
        html.text(text.older).raw("</a>");
    } else {
        html.raw("<p class=\"beginning\"><svg class=\"mark\" aria-hidden=\"true\"><use href=\"/icons.svg#logo\"></use></svg>");
        html.text(text.beginning).raw("</p>");
    }
    html
}

/// Over everything: the way back to where one left off, while that is not here.
#[must_use]
pub fn left_off(&Seen { state, text, .. }: &Seen<'_>) -> Html {
    let mut html = Html::new();
    if let Some((room, mark)) = state.room.as_ref().and_then(|room| Some((room, room.left_off()?))) {
        html.raw("<a class=\"button button-quiet to-left-off\" data-do=\"left-off\" href=\"")
            .text(&super::address(room.id))
            .raw("?at=")
            .number(mark)
            .raw("\">");
        icon(&mut html, "unread");
        html.text(text.left_off).raw("</a>");
    }
    html
}

/// Below the last line: the way on, where that is not the end.
#[must_use]
pub fn end(&Seen { state, text, .. }: &Seen<'_>) -> Html {
    let mut html = Html::new();
    if let Some((room, seq)) = state.room.as_ref().and_then(|room| Some((room, room.newer_than()?))) {
        html.raw("<a class=\"button button-quiet older\" data-do=\"newer\" href=\"?after=").number(seq).raw("\">");
        html.text(text.newer).raw("</a>");
        html.raw("<a class=\"button button-quiet older\" data-do=\"latest\" href=\"")
            .text(&super::address(room.id))
            .raw("\">");
        html.text(&(text.new_below)(0)).raw("</a>");
    }
    html
}

/// The lines of the room on screen, in order: days before their first message, comings and goings where they fell,
/// and at the end what is still being sent.
fn chunks(state: &ChatState, awake: bool) -> Vec<Chunk<'_>> {
    let Some(room) = &state.room else { return Vec::new() };
    let me = state.me.as_ref();
    let unread = room.divider.and_then(|mark| room.after(mark)).map(|talk| talk.seq);
    let of = mix_text(mix_text(0, &room.id.to_string()), &room.epoch.to_string());
    let mut writer = Writer { of, chunks: Vec::new(), run: None, day: None, unread, awake, with_menu: me.is_some() };
    let mut notices = room.notices.iter().peekable();
    let start = room.messages.first().map_or(0, |talk| talk.seq);
    while notices.next_if(|notice| notice.after + 1 < start).is_some() {}
    while let Some(notice) = notices.next_if(|notice| notice.after < start) {
        writer.put(start / CHUNK, Line::Notice(notice));
    }
    for talk in &room.messages {
        writer.message(room, talk, state.preview(talk), me);
        while let Some(notice) = notices.next_if(|notice| notice.after == talk.seq) {
            writer.run = None;
            writer.put(talk.seq / CHUNK, Line::Notice(notice));
        }
    }
    // Where this is not the end, they belong to what is not here.
    notices.filter(|_| room.newest).for_each(|notice| writer.put(UNSTORED, Line::Notice(notice)));
    for sending in me.iter().flat_map(|_| &room.sending) {
        writer.sending(sending, me);
    }
    writer.chunks
}

/// Who wrote a message.
type By<'a> = (&'a str, Option<PersonId>, Option<&'a str>);

struct Writer<'a> {
    of: u64,
    chunks: Vec<Chunk<'a>>,
    /// The author of the last message, and when.
    run: Option<(By<'a>, Moment)>,
    day: Option<(u32, u32, u32)>,
    /// The first message that was not read yet.
    unread: Option<Seq>,
    awake: bool,
    with_menu: bool,
}

impl<'a> Writer<'a> {
    fn put(&mut self, number: Seq, line: Line<'a>) {
        if self.chunks.last().is_none_or(|chunk| chunk.number != number) {
            self.chunks.push(Chunk { of: self.of, number, lines: Vec::new(), rows: Vec::new() });
        }
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.rows.push(line.row(self.with_menu));
            chunk.lines.push(line);
        }
    }

    fn message(&mut self, room: &'a OpenRoom, talk: &'a Talk, preview: Option<Talk>, me: Option<&Member>) {
        let chunk = talk.seq / CHUNK;
        let at = Moment::new(&talk.at, self.awake);
        if self.day != Some(at.date()) {
            self.day = Some(at.date());
            self.run = None;
            self.put(chunk, Line::Day(at));
        }
        if self.unread == Some(talk.seq) {
            self.run = None;
            self.put(chunk, Line::Unread);
        }
        let own = me.is_some_and(|me| me.person.is_some() && me.person == talk.person);
        let first = self.begins_run((&talk.sender, talk.person, talk.guest.as_deref()), at);
        let answers = talk.reply_to.as_ref().and_then(|quote| room.message(quote.seq));
        let changing = preview.as_ref().is_some_and(|preview| preview.message != talk.message);
        let place = Place { first, own, going: room.is_going(talk.id), changing };
        self.put(chunk, Line::Message { talk, preview: preview.map(Box::new), answers, place, at });
    }

    fn sending(&mut self, sending: &'a Sending, me: Option<&'a Member>) {
        let Some(me) = me else { return };
        let at = Moment::new(&sending.at, self.awake);
        let first = self.begins_run((&me.sender, me.person, me.guest.as_deref()), at);
        self.put(UNSTORED, Line::Sending { sending, me, place: Place { first, own: true, ..Place::default() }, at });
    }

    fn begins_run(&mut self, author: By<'a>, at: Moment) -> bool {
        let continues = self.run.as_ref().is_some_and(|(last, since)| {
            let minutes = (at.hour * 60 + at.minute).checked_sub(since.hour * 60 + since.minute);
            *last == author && since.date() == at.date() && minutes.is_some_and(|minutes| minutes < RUN_MINUTES)
        });
        self.run = Some((author, at));
        !continues
    }
}
