//! The head of a room: its name, who is there, how the connection is.

use super::{
    Ui, address,
    parts::{Hidden, Icon, icon},
    regions::{Region, Seen},
    state::Link,
};
use crate::{domain::limits, html::Html};
use leptos::prelude::*;

/// A lost connection is not mentioned before this many milliseconds: most are back by then.
const STATUS_AFTER_MS: f64 = 2_000.0;

/// The header, and the status line below it.
#[component]
pub fn RoomHeader() -> impl IntoView {
    let text = Ui::get().text;
    view! {
        <header class="room-header">
            <a class="icon-button room-back" href="/"><Icon name="back"/><Hidden text=text.rooms/></a>
            <div class="room-title">
                <h1 dir="auto"><Region id="room-name"/></h1>
                <p class="room-meta"><Region id="room-meta"/><Region id="room-topic"/></p>
            </div>
            <Region id="room-rename"/>
            <button class="icon-button share-button" type="button" popovertarget="share">
                <Icon name="link"/><span class="icon-button-text">{text.share}</span>
            </button>
            <button class="icon-button members-button" type="button" popovertarget="members">
                <Icon name="users"/><Region id="member-count"/><Hidden text=text.show_members/>
            </button>
        </header>
        <div class="sheet" id="share" popover="auto" aria-label=text.share><Region id="share-rows"/></div>
        <div class="sheet" id="room-settings" popover="auto" aria-label=text.rename><Region id="room-form"/></div>
        <div class="sheet topic-sheet" id="topic" popover="auto" aria-label=text.topic><Region id="whole-topic"/></div>
        // Stands in the page from the start, so that what it says later is announced.
        <div class="status-line"><p role="status"><Region id="status"/></p><Region id="status-retry"/></div>
    }
}

/// The room's name.
#[must_use]
pub fn name(seen: &Seen<'_>) -> Html {
    let mut html = Html::new();
    html.text(seen.state.room.as_ref().map_or("", |room| &room.name));
    html
}

/// The connection's dot, which claims nothing before the page is live, and how many are here.
#[must_use]
pub fn meta(seen: &Seen<'_>) -> Html {
    let mut html = Html::new();
    if seen.awake {
        let (state, words) =
            if seen.state.link == Link::Live { ("live", seen.text.live) } else { ("connecting", seen.text.connecting) };
        html.raw("<span class=\"connection\" data-state=\"").text(state).raw("\"");
        if let Some(room) = seen.state.room.as_ref().filter(|room| room.live) {
            html.raw(" title=\"").text(seen.text.up_to_date).raw(" · #").number(room.head).raw("\"");
        }
        html.raw("><span class=\"connection-dot\"></span>");
        html.raw("<span class=\"visually-hidden\">").text(words).raw("</span></span>");
    }
    html.raw("<span class=\"room-here\">").text(&(seen.text.people_here)(seen.state.member_count())).raw("</span>");
    html
}

/// What it is about, in as much of a line as there is; pressed, it is shown whole.
#[must_use]
pub fn topic(seen: &Seen<'_>) -> Html {
    let mut html = Html::new();
    if let Some(topic) = topic_of(seen) {
        html.raw("<button class=\"room-topic\" type=\"button\" popovertarget=\"topic\" dir=\"auto\" aria-label=\"");
        html.text(seen.text.topic).raw(": ").text(topic).raw("\">").text(topic).raw("</button>");
    }
    html
}

/// The same, whole.
#[must_use]
pub fn whole_topic(seen: &Seen<'_>) -> Html {
    let mut html = Html::new();
    if let Some(topic) = topic_of(seen) {
        html.raw("<p dir=\"auto\">").text(topic).raw("</p>");
    }
    html
}

fn topic_of<'a>(seen: &'a Seen<'_>) -> Option<&'a str> {
    seen.state.room.as_ref()?.topic.as_deref()
}

/// The button with which whoever made the room gives it another name.
#[must_use]
pub fn rename(seen: &Seen<'_>) -> Html {
    let mut html = Html::new();
    if seen.state.may_rename() {
        html.raw("<button class=\"icon-button\" type=\"button\" popovertarget=\"room-settings\">");
        icon(&mut html, "pencil");
        html.raw("<span class=\"visually-hidden\">").text(seen.text.rename).raw("</span></button>");
    }
    html
}

/// Its form: a plain one.
#[must_use]
pub fn form(seen: &Seen<'_>) -> Html {
    let mut html = Html::new();
    let Some(room) = seen.state.room.as_ref().filter(|_| seen.state.may_rename()) else { return html };
    let text = seen.text;
    html.raw("<form class=\"field\" method=\"post\" action=\"/api/change_room\"><label class=\"field-label\" for=\"room-form-name\">");
    html.text(text.room_name)
        .raw("</label><input class=\"field-input\" id=\"room-form-name\" name=\"name\" required maxlength=\"");
    html.number(limits::ROOM_NAME_CHARS as u64)
        .raw("\" aria-describedby=\"room-form-error\" value=\"")
        .text(&room.name);
    html.raw("\"><label class=\"field-label\" for=\"room-form-topic\">").text(text.room_topic);
    html.raw("</label><input class=\"field-input\" id=\"room-form-topic\" name=\"topic\" maxlength=\"");
    html.number(limits::TOPIC_CHARS as u64).raw("\" value=\"").text(room.topic.as_deref().unwrap_or_default());
    html.raw("\"><input type=\"hidden\" name=\"room_id\" value=\"").text(&room.id.to_string());
    html.raw("\"><p class=\"field-error\" id=\"room-form-error\" role=\"alert\" hidden>");
    icon(&mut html, "alert");
    html.raw("<span></span></p><button class=\"button\">").text(text.save).raw("</button></form>");
    html
}

/// The room's address: as a QR code, and to copy.
#[must_use]
pub fn share(seen: &Seen<'_>) -> Html {
    let mut html = Html::new();
    let Some(room) = &seen.state.room else { return html };
    html.raw("<p class=\"sheet-title\">")
        .text(seen.text.say_first_link)
        .raw("</p><img class=\"qr\" loading=\"lazy\" width=\"200\" height=\"200\" alt=\"");
    html.text(seen.text.qr).raw("\" src=\"").text(&address(room.id)).raw("/qr.svg\">");
    html.raw("<button class=\"button copy-link\" type=\"button\" data-do=\"copy-link\">");
    icon(&mut html, "link");
    html.raw("<span aria-live=\"polite\">").text(seen.text.copy_link).raw("</span></button>");
    html
}

/// How many are here, as a number.
#[must_use]
pub fn count(seen: &Seen<'_>) -> Html {
    let mut html = Html::new();
    html.number(seen.state.member_count().into());
    html
}

fn is_down(seen: &Seen<'_>) -> bool {
    seen.state.down_since.is_some_and(|since| seen.now - since >= STATUS_AFTER_MS)
}

/// One line when the connection has been gone for a while.
#[must_use]
pub fn status(seen: &Seen<'_>) -> Html {
    let mut html = Html::new();
    if is_down(seen) {
        icon(&mut html, "offline");
        html.raw("<span>").text(seen.text.disconnected).raw("</span>");
    }
    html
}

/// How long that still lasts, apart from what is announced, and the button that ends it.
#[must_use]
pub fn retry(seen: &Seen<'_>) -> Html {
    let mut html = Html::new();
    if is_down(seen) {
        if let Link::Waiting { until } = seen.state.link {
            html.raw("<span class=\"status-countdown\" aria-hidden=\"true\">");
            html.text(&(seen.text.countdown)(((until - seen.now) / 1_000.0).ceil().max(1.0) as u32)).raw("</span>");
        }
        html.raw("<button class=\"link-button\" type=\"button\" data-do=\"reconnect\">")
            .text(seen.text.reconnect)
            .raw("</button>");
    }
    html
}
