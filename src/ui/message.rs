//! What a message looks like, stored or on its way.

use super::{
    parts::{hue, hue_of, icon, initial},
    rows::Look,
    state::Sending,
    text::Text,
    time::Moment,
};
use crate::{
    html::Html,
    protocol::{Member, Talk},
};

/// How a message stands among the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Whether it is the first of its author's run.
    pub first: bool,
    /// Whether this browser's person wrote it.
    pub own: bool,
    /// Whether its deletion can still be undone.
    pub going: bool,
    /// Whether its text is on its way.
    pub changing: bool,
}

/// A stored message. `answers` is the message that it answers, where that is here too.
#[must_use]
pub fn stored(talk: &Talk, answers: Option<&Talk>, me: Option<&Member>, place: Place, at: Moment, text: &Text) -> Look {
    let mut html = Html::new();
    let of = hue_of(&talk.sender, talk.person, talk.guest.as_deref());
    if place.first && !place.own {
        html.raw("<span class=\"avatar\" aria-hidden=\"true\">").text(&initial(&talk.sender)).raw("</span>");
    }
    head(&mut html, &talk.sender, talk.guest.is_some(), &talk.at, at, text);
    if talk.deleted || place.going {
        html.raw("<div class=\"message-body\">").text(text.deleted);
        if place.going {
            html.raw(" <button class=\"link-button\" type=\"button\" data-do=\"undelete\">")
                .text(text.undo)
                .raw("</button>");
        }
        html.raw("</div>");
        return Look { tag: "article", class: class(place, "message-deleted", &of), html };
    }
    if let Some(quote) = &talk.reply_to {
        let gone = answers.is_some_and(|answered| answered.deleted);
        let said = answers.filter(|answered| answered.edited_at.is_some());
        let said = said.map_or(quote.excerpt.as_str(), |answered| answered.message.as_str());
        html.raw("<a class=\"quote\" data-do=\"jump\" href=\"?at=")
            .number(quote.seq)
            .raw("\"><span class=\"quote-author\">");
        html.text(&quote.sender).raw("</span> <span class=\"quote-text\" dir=\"auto\">");
        html.text(if gone { text.deleted } else { said.split('\n').next().unwrap_or_default() }).raw("</span></a>");
    }
    // In the row of the bubble, on the side where there is room.
    let menu = |html: &mut Html, is_here: bool| {
        if is_here && me.is_some() {
            html.raw("<button class=\"message-more icon-button\" type=\"button\" data-do=\"menu\" tabindex=\"-1\" aria-haspopup=\"menu\" aria-label=\"");
            html.text(text.more).raw("\">⋯</button>");
        }
    };
    menu(&mut html, place.own);
    body(&mut html, &talk.message, talk.html.as_deref());
    menu(&mut html, !place.own);
    if place.changing {
        html.raw("<p class=\"message-note message-waiting\">");
        icon(&mut html, "clock");
        html.text(text.sending).raw("</p>");
    } else if talk.edited_at.is_some() {
        html.raw("<span class=\"message-edited\">").text(text.edited).raw("</span>");
    }
    if !talk.reactions.is_empty() {
        reactions(&mut html, talk, me, text);
    }
    let names_me = me.is_some_and(|me| !place.own && names(&talk.message, &me.sender));
    let state = match place.changing {
        true => "message-sending",
        false if names_me => "message-names-me",
        false => "",
    };
    Look { tag: "article", class: class(place, state, &of), html }
}

/// Whether a text names somebody: an `@` that begins a word, outside of code, and the name with no more letters of its
/// kind. A Korean particle may follow.
fn names(text: &str, name: &str) -> bool {
    let is_latin = |letter: char| letter.is_ascii_alphanumeric();
    text.match_indices('@').any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + 1..]);
        let is_code = before.matches('`').count() % 2 == 1 && after.contains('`');
        let said = after.get(..name.len()).is_some_and(|said| said.eq_ignore_ascii_case(name));
        let is_part = |name: &str| name.ends_with(is_latin) && after[name.len()..].starts_with(is_latin);
        said && !is_code && !before.ends_with(is_latin) && !is_part(name)
    })
}

/// A message that this browser has sent and not seen come back.
#[must_use]
pub fn sending(sending: &Sending, me: &Member, place: Place, at: Moment, text: &Text) -> Look {
    let mut html = Html::new();
    head(&mut html, &me.sender, false, &sending.at, at, text);
    body(&mut html, &sending.text, None);
    let state = match &sending.failed {
        None => {
            // Shown when it takes long: see message.css.
            html.raw("<p class=\"message-note message-waiting\">");
            icon(&mut html, "clock");
            html.text(text.sending);
            deeds(&mut html, text);
            html.raw("</p>");
            "message-sending"
        }
        Some(code) => {
            html.raw("<p class=\"message-note\" role=\"alert\">");
            icon(&mut html, "alert");
            html.text(text.not_sent).raw(" ").text(&(text.error)(code));
            deeds(&mut html, text);
            html.raw("</p>");
            "message-failed"
        }
    };
    let of = hue_of(&me.sender, me.person, me.guest.as_deref());
    Look { tag: "article", class: class(place, state, &of), html }
}

/// What can be done with a message that has not come through.
fn deeds(html: &mut Html, text: &Text) {
    html.raw(" <span class=\"message-deeds\">");
    for (deed, words) in [("retry", text.retry), ("rewrite", text.edit), ("discard", text.discard)] {
        html.raw("<button class=\"link-button\" type=\"button\" data-do=\"").text(deed).raw("\">");
        html.text(words).raw("</button> ");
    }
    html.raw("</span>");
}

fn head(html: &mut Html, author: &str, is_guest: bool, when: &str, at: Moment, text: &Text) {
    html.raw("<p class=\"message-head\"><span class=\"message-author\" dir=\"auto\">").text(author).raw("</span> ");
    if is_guest {
        html.raw("<span class=\"badge\">").text(text.guest).raw("</span> ");
    }
    html.raw("<time class=\"message-time\" datetime=\"").text(when).raw("\">").text(&at.clock(text)).raw("</time></p>");
}

fn body(html: &mut Html, plain: &str, rich: Option<&str>) {
    match rich {
        Some(rich) => html.raw("<div class=\"message-body message-rich\" dir=\"auto\">").sanitised(rich),
        None => html.raw("<div class=\"message-body\" dir=\"auto\">").text(plain),
    };
    html.raw("</div>");
}

fn reactions(html: &mut Html, talk: &Talk, me: Option<&Member>, text: &Text) {
    html.raw("<ul class=\"reactions\">");
    for reaction in &talk.reactions {
        let own = me.is_some_and(|me| me.person.is_some() && reaction.by.contains(&me.sender));
        html.raw("<li><button class=\"reaction\" type=\"button\" data-do=\"react\" data-emoji=\"")
            .text(&reaction.emoji);
        html.raw("\" aria-pressed=\"").raw(if own { "true" } else { "false" }).raw("\" title=\"");
        html.text(&reaction.by.join(", ")).raw("\"");
        if me.is_none() {
            html.raw(" disabled");
        }
        html.raw(">").text(&reaction.emoji).raw(" <span class=\"reaction-count\">").number(reaction.by.len() as u64);
        html.raw("</span><span class=\"visually-hidden\">")
            .text(&(text.reacted)(&reaction.by))
            .raw("</span></button></li>");
    }
    html.raw("</ul>");
}

fn class(place: Place, state: &str, of: &str) -> String {
    let mut class = String::from("message");
    for (is_so, part) in
        [(place.first, "message-first"), (place.own, "message-own"), (!state.is_empty(), state), (true, &hue(of))]
    {
        if is_so {
            class.push(' ');
            class.push_str(part);
        }
    }
    class
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Lang, MessageId, RoomId},
        protocol::{Reaction, ReplyTo},
        ui::text,
    };

    fn talk(sender: &str, message: &str) -> Talk {
        Talk {
            room_id: RoomId::new(),
            sender: sender.into(),
            message: message.into(),
            html: None,
            id: MessageId::new(),
            seq: 1,
            rev: 1,
            at: "2026-11-25T00:00:00.000Z".into(),
            person: None,
            guest: Some("ab12".into()),
            edited_at: None,
            deleted: false,
            reply_to: None,
            reactions: vec![],
        }
    }

    #[test]
    fn nothing_that_people_wrote_becomes_markup() {
        let bad = "\"><script>alert(1)</script>";
        let mut talk = talk(bad, bad);
        talk.reply_to = Some(ReplyTo { id: MessageId::new(), seq: 1, sender: bad.into(), excerpt: bad.into() });
        talk.reactions = vec![Reaction { emoji: bad.into(), by: vec![bad.into()] }];
        talk.at = bad.into();
        let me = Member { sender: bad.into(), person: None, guest: None };
        let (moment, text) = (Moment::new(&talk.at, false), text::text(Lang::En));
        let place = Place { first: true, ..Place::default() };
        let html = stored(&talk, Some(&talk), Some(&me), place, moment, text).html;
        assert!(!html.as_str().contains("<script") && !html.as_str().contains("\">&quot;&gt;\""), "{}", html.as_str());
        let unsent = Sending {
            id: MessageId::new(),
            text: bad.into(),
            at: bad.into(),
            failed: Some(bad.into()),
            reply_to: None,
        };
        assert!(!sending(&unsent, &me, place, moment, text).html.as_str().contains("<script"));
    }

    #[test]
    fn somebody_is_named_by_their_whole_name() {
        for text in ["@Jun", "@jun 님", "자, @Jun이 말한", "(@JUN)", "@Junho, @Jun", "`x` @Jun", "can`t, @Jun"] {
            assert!(names(text, "Jun"), "{text}");
        }
        for text in ["@Junho", "mail@Jun.com", "Jun", "@", "@Ju", "@주", "`@Jun`", "```\n@Jun\n```"] {
            assert!(!names(text, "Jun"), "{text}");
        }
        assert!(names("@미나야", "미나"));
    }

    #[test]
    fn a_deleted_message_shows_nothing_of_what_it_was() {
        let mut talk = talk("mina", "secret");
        talk.deleted = true;
        let look = stored(&talk, None, None, Place::default(), Moment::new(&talk.at, false), text::text(Lang::En));
        assert!(!look.html.as_str().contains("secret") && look.class.contains("message-deleted"));
    }
}
