//! What can be done with a message: one menu for all of them, written by the server, that opens beside its button.

use super::{
    dom::{closest, element, elements},
    parts::Icon,
    text::Text,
    words::Words,
};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, HtmlInputElement, KeyboardEvent};

/// In the menu: the id of the message that it stands for.
const SUBJECT: &str = "data-subject";
/// The field for reactions that are not at hand.
pub const ANY_EMOJI: &str = ".menu-any";
/// Reactions at hand.
const EMOJI: [&str; 6] = ["👍", "❤️", "😂", "😮", "🙏", "🎉"];

/// The menu, closed.
#[component]
pub fn MessageMenu(
    /// The words.
    text: &'static Text,
    /// The others.
    words: &'static Words,
) -> impl IntoView {
    let emoji = EMOJI.map(|emoji| {
        view! { <button class="menu-emoji" type="button" role="menuitem" data-do="react" data-emoji=emoji>{emoji}</button> }
    });
    let item = |deed: &'static str, icon: &'static str, words: &'static str, class: &'static str| {
        view! { <button class=class type="button" role="menuitem" data-do=deed><Icon name=icon/>{words}</button> }
    };
    view! {
        <div class="menu" id="message-menu" popover="auto" tabindex="-1">
            <div role="menu" aria-label=text.more>
                <div class="menu-row" role="group" aria-label=words.react>{emoji.collect_view()}</div>
                {item("reply", "reply", words.reply, "menu-item")}
                {item("copy-text", "copy", text.copy, "menu-item")}
                {item("copy-address", "link", words.copy_address, "menu-item")}
                {item("unread", "unread", words.mark_unread, "menu-item")}
                {item("edit", "pencil", text.edit, "menu-item menu-own")}
                {item("delete", "trash", text.discard, "menu-item menu-own menu-danger")}
            </div>
            // Whatever the keyboard, or the system's own picker, puts in is the reaction.
            <label class="menu-item">
                <Icon name="plus"/>
                <input class="menu-any" type="text" autocomplete="off" aria-label=words.react_other placeholder=words.react_other/>
            </label>
        </div>
    }
}

/// Whether what is put in there is text. What else is no emoji the server knows.
pub fn is_text(reaction: &str) -> bool {
    reaction.contains(|letter| matches!(letter, 'a'..='z' | 'A'..='Z' | 'ㄱ'..='ㅣ' | '가'..='힣'))
}

fn menu() -> Option<HtmlElement> {
    element("#message-menu")
}

/// The message that the menu stands for, if the button is in the menu.
#[must_use]
pub fn subject(button: &Element) -> Option<Element> {
    let menu = closest(button, ".menu")?;
    document().get_element_by_id(&menu.get_attribute(SUBJECT)?)
}

/// Opens it beside `button`, for `message`.
pub fn open(button: &Element, message: &Element, is_own: bool) {
    let Some(menu) = menu() else { return };
    let _ = menu.set_attribute(SUBJECT, &message.id());
    if let Some(field) = element(ANY_EMOJI) {
        field.unchecked_into::<HtmlInputElement>().set_value("");
    }
    let _ = menu.class_list().toggle_with_force("menu-of-own", is_own);
    let _ = menu.show_popover();
    // Beside the button, and all of it on screen, also when the window becomes smaller under it.
    // Whole pixels: formatting fractions weighs 5 KB.
    let (at, size) = (button.get_bounding_client_rect(), menu.get_bounding_client_rect());
    let (width, height) = (size.width() as i32, size.height() as i32);
    let on_screen = |start: i32, extent: i32| format!("max(8px, min({start}px, 100% - {}px))", extent + 8);
    let below = at.bottom() as i32 + 4;
    let window_height = window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or(0.0) as i32;
    let top = if below + height + 8 > window_height { at.top() as i32 - height - 4 } else { below };
    let style = menu.style();
    let _ = style.set_property("left", &on_screen(at.right() as i32 - width, width));
    let _ = style.set_property("top", &on_screen(top, height));
    if let Some(first) = element("#message-menu button") {
        let _ = first.focus();
    }
}

/// Moves the focus in the menu as the arrow, Home and End keys say; says whether that was one, there.
pub fn step(key: &KeyboardEvent, target: &Element) -> bool {
    if key.is_composing() || !menu().is_some_and(|menu| menu.contains(Some(target))) {
        return false;
    }
    let mut buttons = elements("#message-menu :is(button, input)");
    // What is not shown has no box.
    buttons.retain(|button| button.offset_height() > 0);
    let at = buttons.iter().position(|button| **button == *target).unwrap_or(0);
    let next = match key.key().as_str() {
        "ArrowDown" | "ArrowRight" => (at + 1) % buttons.len().max(1),
        "ArrowUp" | "ArrowLeft" => at.checked_sub(1).unwrap_or(buttons.len().saturating_sub(1)),
        "Home" => 0,
        "End" => buttons.len().saturating_sub(1),
        _ => return false,
    };
    buttons.get(next).map(|button| button.focus()).is_some()
}

/// Closes it where its message is no more.
pub fn close_for_gone() {
    let Some(subject) = menu().and_then(|menu| menu.get_attribute(SUBJECT)) else { return };
    if element(&format!("#{subject}:not(.message-deleted)")).is_none() {
        close();
    }
}

/// Closes it.
pub fn close() {
    if let Some(menu) = menu()
        && menu.matches(":popover-open").unwrap_or(false)
    {
        let _ = menu.hide_popover();
    }
}
