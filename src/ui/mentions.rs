//! Naming somebody: after an `@` the composer offers those who are here, or have spoken here.

use super::{
    parts::{hue, hue_of, initial},
    regions::Seen,
    state::ChatState,
};
use crate::html::Html;

/// Names offered at once.
const OFFERED: usize = 6;

/// The name that has been begun before the caret (in UTF-16 units): where its `@` stands (in bytes), and what of it there
/// is. An `@` inside a word, as in an address, begins none.
#[must_use]
pub fn begun(text: &str, caret: u32) -> Option<(usize, &str)> {
    let mut units = 0;
    let end = text.char_indices().find(|(_, c)| {
        units += c.len_utf16() as u32;
        units > caret
    });
    let before = &text[..end.map_or(text.len(), |(at, _)| at)];
    let at = before.rfind('@')?;
    let is_begin = before[..at].chars().next_back().is_none_or(char::is_whitespace);
    let typed = &before[at + 1..];
    (is_begin && !typed.contains('\n')).then_some((at, typed))
}

/// Whom that may be: those who are here first, then those who have spoken last. `lowered` makes small letters.
#[must_use]
pub fn meant(state: &ChatState, typed: &str, lowered: fn(&str) -> String) -> Vec<String> {
    let Some(room) = &state.room else { return Vec::new() };
    let me = state.me.as_ref().map(|me| me.sender.as_str());
    let members = room.members.iter().map(|member| &member.sender);
    let wanted = lowered(typed);
    let mut meant: Vec<String> = Vec::new();
    for name in members.chain(room.messages.iter().rev().map(|talk| &talk.sender)) {
        if meant.len() < OFFERED
            && Some(name.as_str()) != me
            && !meant.contains(name)
            && lowered(name).starts_with(&wanted)
        {
            meant.push(name.clone());
        }
    }
    meant
}

/// The names on offer, over the composer.
#[must_use]
pub fn region(&Seen { state, .. }: &Seen<'_>) -> Html {
    let mut html = Html::new();
    for (at, name) in state.naming.iter().enumerate() {
        // In the colour that they have elsewhere.
        let members =
            || state.room.iter().flat_map(|room| &room.members).map(|one| (&one.sender, one.person, &one.guest));
        let authors = || state.room.iter().flat_map(|room| room.messages.iter().rev());
        let of = members()
            .chain(authors().map(|talk| (&talk.sender, talk.person, &talk.guest)))
            .find(|(sender, ..)| *sender == name)
            .map_or_else(|| name.clone(), |(_, person, guest)| hue_of(name, person, guest.as_deref()));
        html.raw("<button class=\"mention\" type=\"button\" role=\"option\" tabindex=\"-1\" id=\"mention-")
            .number(at as u64);
        html.raw("\" aria-selected=\"").raw(if at == state.chosen { "true" } else { "false" }).raw("\">");
        html.raw("<span class=\"avatar ").text(&hue(&of)).raw("\" aria-hidden=\"true\">").text(&initial(name));
        html.raw("</span><span dir=\"auto\">").text(name).raw("</span></button>");
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_begins_at_the_start_of_a_word_and_ends_at_the_caret() {
        assert_eq!(begun("@민", 2), Some((0, "민")));
        assert_eq!(begun("안녕 @김 민아", 7), Some((7, "김 민")), "names may have blanks");
        assert_eq!(begun("🎉 @", 4), Some((5, "")));
        assert_eq!(begun("🎉 @mina", 4), Some((5, "")), "up to the caret");
        for (text, caret) in [("mina@madang.kr", 14), ("@mina", 0), ("", 0), ("@mina\n안녕", 8), ("민아", 99)] {
            assert_eq!(begun(text, caret), None, "{text}");
        }
    }
}
