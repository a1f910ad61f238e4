//! The words of the page that change while it is open, in Korean and English; the others are in [`super::words`]. A table
//! of our own: two languages without plural trouble need no library in the browser, and a missing word does not compile.

use super::{requests::NO_EMOJI, time::Moment};
use crate::domain::{
    Lang,
    limits::{MESSAGE_CHARS, NAME_CHARS, ROOM_NAME_CHARS},
};
use std::borrow::Cow;

/// The words of one language. What takes a value is a function.
pub struct Text {
    /// The product.
    pub madang: &'static str,
    /// The label of the list of rooms; also the way back to it.
    pub rooms: &'static str,
    /// The lobby's badge.
    pub anyone: &'static str,
    /// The last line of a silent room, and the title of its empty timeline.
    pub nothing_yet: &'static str,
    /// Below it.
    pub say_first: &'static str,
    /// Above the first message.
    pub beginning: &'static str,
    /// The room's link.
    pub copy_link: &'static str,
    /// After copying it.
    pub copied: &'static str,
    /// The connection.
    pub live: &'static str,
    /// The connection: that nothing is missing, before the number of the last change.
    pub up_to_date: &'static str,
    /// The connection.
    pub connecting: &'static str,
    /// The status line.
    pub disconnected: &'static str,
    /// The status line.
    pub reconnect: &'static str,
    /// The label of the timeline.
    pub conversation: &'static str,
    /// Above the timeline.
    pub older: &'static str,
    /// Below a page of the list of rooms.
    pub more_rooms: &'static str,
    /// Over the timeline, where that was long ago.
    pub left_off: &'static str,
    /// Below the timeline, where that is not the end.
    pub newer: &'static str,
    /// A guest's badge.
    pub guest: &'static str,
    /// One's own badge.
    pub me: &'static str,
    /// The members pane.
    pub members: &'static str,
    /// After a number.
    pub show_members: &'static str,
    /// After a number, for screen readers.
    pub present: &'static str,
    /// A message under way.
    pub sending: &'static str,
    /// A message refused.
    pub not_sent: &'static str,
    /// A message refused.
    pub retry: &'static str,
    /// A message refused.
    pub discard: &'static str,
    /// In the place of a message that was taken back.
    pub deleted: &'static str,
    /// Beside the time of a message whose text was changed.
    pub edited: &'static str,
    /// The button of a message's menu.
    pub more: &'static str,
    /// While a deletion can be undone.
    pub undo: &'static str,
    /// A deed.
    pub edit: &'static str,
    /// A deed.
    pub copy: &'static str,
    /// The line before the first unread message.
    pub unread_from_here: &'static str,
    /// Behind the number of unread messages, for screen readers.
    pub unread: &'static str,
    /// In the list, of a room.
    pub unsent: &'static str,
    /// Over the composer.
    pub editing: &'static str,
    /// Over the composer.
    pub cancel: &'static str,
    /// The room: its link, name and topic; the way to others.
    pub share: &'static str,
    /// The room: its link, name and topic; the way to others.
    pub rename: &'static str,
    /// The room: its link, name and topic; the way to others.
    pub room_name: &'static str,
    /// The room: its link, name and topic; the way to others.
    pub room_topic: &'static str,
    /// The room: its link, name and topic; the way to others.
    pub topic: &'static str,
    /// The room: its link, name and topic; the way to others.
    pub save: &'static str,
    /// The room: its link, name and topic; the way to others.
    pub say_first_link: &'static str,
    /// The room: its link, name and topic; the way to others.
    pub qr: &'static str,
    /// The room: its link, name and topic; the way to others.
    pub switcher: &'static str,
    /// The room: its link, name and topic; the way to others.
    pub filter: &'static str,
    /// The composer.
    pub message: &'static str,
    /// The composer.
    pub message_example: &'static str,
    /// The composer.
    pub send: &'static str,
    /// "4 are here".
    pub people_here: fn(u32) -> String,
    /// Over the composer: whom the text answers.
    pub replying: fn(&str) -> String,
    /// Who has put a reaction to a message.
    pub reacted: fn(&[String]) -> String,
    /// The way to the end, with so many unread messages there.
    pub new_below: fn(u32) -> String,
    /// Who is writing; never none.
    pub typing: fn(&[String]) -> String,
    /// Who came; never none.
    pub came: fn(&[String]) -> String,
    /// Who went; never none.
    pub went: fn(&[String]) -> String,
    /// "reconnecting in 8 s".
    pub countdown: fn(u32) -> String,
    /// Hour (0–23) and minute.
    pub time: fn(u32, u32) -> String,
    /// A day with its day of the week, and the year.
    pub day: fn(&Moment) -> String,
    /// A day, short; with the year if it is another than that of today.
    pub short_day: fn(&Moment, bool) -> String,
    /// What a refusal's code means.
    pub error: fn(&str) -> String,
}

/// The words of a language.
#[must_use]
pub fn text(lang: Lang) -> &'static Text {
    match lang {
        Lang::Ko => &KO,
        Lang::En => &EN,
    }
}

/// Up to three names, and how many more there are.
fn listed(names: &[String]) -> (String, usize) {
    let shown: Vec<_> = names.iter().take(3).map(|name| apart(name)).collect();
    (shown.join(", "), names.len().saturating_sub(3))
}

/// A name as it stands in a sentence: one that runs from right to left does not turn what is around it.
fn apart(name: &str) -> Cow<'_, str> {
    let is_turned =
        |letter| matches!(letter, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}');
    if name.contains(is_turned) { format!("\u{2068}{name}\u{2069}").into() } else { name.into() }
}

static KO: Text = Text {
    madang: "마당",
    rooms: "방 목록",
    anyone: "누구나",
    nothing_yet: "아직 아무 말도 없습니다",
    say_first: "첫마디를 건네 보세요. 링크를 보내면 누구나 들어올 수 있습니다.",
    beginning: "대화가 시작된 곳입니다",
    copy_link: "링크 복사",
    copied: "복사했습니다",
    live: "연결됨",
    up_to_date: "모두 받았습니다",
    connecting: "연결하는 중",
    disconnected: "연결이 끊겼습니다.",
    reconnect: "다시 연결",
    conversation: "대화",
    older: "이전 메시지 보기",
    more_rooms: "방 더 보기",
    left_off: "읽던 곳으로",
    newer: "이후 메시지 보기",
    guest: "손님",
    me: "나",
    members: "함께 있는 사람",
    show_members: "명, 함께 있는 사람 보기",
    present: "명 접속 중",
    sending: "보내는 중",
    not_sent: "보내지 못했습니다.",
    retry: "다시 보내기",
    discard: "지우기",
    deleted: "지워진 메시지입니다",
    edited: "고침",
    more: "더 보기",
    undo: "되돌리기",
    edit: "고치기",
    copy: "복사",
    unread_from_here: "여기부터 새 메시지",
    unread: "개 안 읽음",
    unsent: "보내지 못한 메시지",
    editing: "메시지를 고치는 중",
    cancel: "취소",
    share: "초대",
    rename: "방 이름과 주제 고치기",
    room_name: "방 이름",
    room_topic: "주제 (한 줄)",
    topic: "주제",
    save: "저장",
    say_first_link: "링크나 QR 코드로 누구나 들어올 수 있습니다",
    qr: "이 방의 QR 코드",
    switcher: "방으로 가기",
    filter: "방 찾기",
    message: "메시지",
    message_example: "메시지를 써 보세요",
    send: "보내기",
    people_here: |n| format!("{n}명이 함께 있습니다"),
    replying: |name| format!("{} 님에게 답하기", apart(name)),
    reacted: |names| match listed(names) {
        (names, 0) => format!("{names} 님의 공감"),
        (names, more) => format!("{names} 님 외 {more}명의 공감"),
    },
    new_below: |n| if n == 0 { "최근 메시지로".into() } else { format!("새 메시지 {n}개") },
    typing: |names| match listed(names) {
        (names, 0) => format!("{names} 님이 쓰고 있습니다"),
        (names, more) => format!("{names} 님 외 {more}명이 쓰고 있습니다"),
    },
    came: |names| match listed(names) {
        (names, 0) => format!("{names} 님이 들어왔습니다"),
        (names, more) => format!("{names} 님 외 {more}명이 들어왔습니다"),
    },
    went: |names| match listed(names) {
        (names, 0) => format!("{names} 님이 나갔습니다"),
        (names, more) => format!("{names} 님 외 {more}명이 나갔습니다"),
    },
    countdown: |seconds| format!("{seconds}초 뒤 다시 연결합니다."),
    time: |hour, minute| {
        let half = if hour < 12 { "오전" } else { "오후" };
        format!("{half} {}:{minute:02}", (hour + 11) % 12 + 1)
    },
    day: |&Moment { year, month, day, weekday, .. }| {
        let weekday = ["일", "월", "화", "수", "목", "금", "토"][weekday as usize % 7];
        format!("{year}년 {month}월 {day}일 {weekday}요일")
    },
    short_day: |&Moment { year, month, day, .. }, with_year| {
        if with_year { format!("{year}. {month}. {day}.") } else { format!("{month}월 {day}일") }
    },
    error: |code| match code {
        "name_taken" => "다른 분이 쓰고 있거나 그와 비슷해 보이는 이름입니다. 다른 이름을 적어 주세요.".into(),
        "name_invalid" => format!("이름은 {NAME_CHARS}자까지이고, 보이지 않는 글자는 쓸 수 없습니다."),
        "room_name_invalid" => format!("방 이름은 1자에서 {ROOM_NAME_CHARS}자까지입니다."),
        "message_empty" => "빈 메시지는 보낼 수 없습니다.".into(),
        "message_too_long" => format!("메시지는 {MESSAGE_CHARS}자까지 쓸 수 있습니다."),
        NO_EMOJI => "공감은 이모지 하나로, 한 메시지에 정해진 수까지 할 수 있습니다.".into(),
        "rate_limited" => "조금 천천히 보내 주세요. 잠시 뒤 다시 해 보세요.".into(),
        "room_not_found" => "이 방을 찾을 수 없습니다.".into(),
        "message_not_found" => "그 메시지는 이제 없습니다.".into(),
        "not_entered" => "먼저 이름을 적고 들어와 주세요.".into(),
        "busy" => "서버에 연결할 수 없습니다. 잠시 뒤 다시 해 보세요.".into(),
        "storage_unavailable" => "서버가 지금 저장하지 못합니다. 잠시 뒤 다시 해 보세요.".into(),
        _ => "잘 되지 않았습니다. 다시 해 보세요.".into(),
    },
};

static EN: Text = Text {
    madang: "Madang",
    rooms: "Rooms",
    anyone: "everyone",
    nothing_yet: "Nothing said yet",
    say_first: "Say the first word. Anyone you send the link to can come in.",
    beginning: "This is where the conversation began",
    copy_link: "Copy link",
    copied: "Copied",
    live: "Connected",
    up_to_date: "Up to date",
    connecting: "Connecting",
    disconnected: "The connection is lost.",
    reconnect: "Reconnect",
    conversation: "Conversation",
    older: "Earlier messages",
    more_rooms: "More rooms",
    left_off: "Back to where you left off",
    newer: "Later messages",
    guest: "guest",
    me: "you",
    members: "Here now",
    show_members: "here, show who",
    present: "here",
    sending: "Sending",
    not_sent: "Not sent.",
    retry: "Send again",
    discard: "Delete",
    deleted: "This message was deleted",
    edited: "edited",
    more: "More",
    undo: "Undo",
    edit: "Edit",
    copy: "Copy",
    unread_from_here: "New from here",
    unread: "unread",
    unsent: "Not sent yet",
    editing: "Editing a message",
    cancel: "Cancel",
    share: "Invite",
    rename: "Change name and topic",
    room_name: "Name",
    room_topic: "Topic (one line)",
    topic: "Topic",
    save: "Save",
    say_first_link: "Anyone with the link or the QR code can come in",
    qr: "This room's QR code",
    switcher: "Go to a room",
    filter: "Find a room",
    message: "Message",
    message_example: "Write a message",
    send: "Send",
    people_here: |n| if n == 1 { "1 person here".into() } else { format!("{n} people here") },
    replying: |name| format!("Replying to {}", apart(name)),
    reacted: |names| match listed(names) {
        (names, 0) => format!("from {names}"),
        (names, more) => format!("from {names} and {more} more"),
    },
    new_below: |n| if n == 0 { "To the latest".into() } else { format!("{n} new") },
    typing: |names| match listed(names) {
        (who, 0) if names.len() == 1 => format!("{who} is writing"),
        (who, 0) => format!("{who} are writing"),
        (who, more) => format!("{who} and {more} more are writing"),
    },
    came: |names| match listed(names) {
        (names, 0) => format!("{names} came in"),
        (names, more) => format!("{names} and {more} more came in"),
    },
    went: |names| match listed(names) {
        (names, 0) => format!("{names} left"),
        (names, more) => format!("{names} and {more} more left"),
    },
    countdown: |seconds| format!("Trying again in {seconds} s."),
    time: |hour, minute| format!("{hour:02}:{minute:02}"),
    day: |&Moment { year, month, day, weekday, .. }| {
        let weekday =
            ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"][weekday as usize % 7];
        format!("{weekday}, {} {day}, {year}", MONTHS[(month as usize + 11) % 12])
    },
    short_day: |&Moment { year, month, day, .. }, with_year| {
        let month = &MONTHS[(month as usize + 11) % 12][..3];
        if with_year { format!("{month} {day}, {year}") } else { format!("{month} {day}") }
    },
    error: |code| match code {
        "name_taken" => "Somebody uses that name, or one that looks like it. Please choose another.".into(),
        "name_invalid" => format!("A name has up to {NAME_CHARS} characters, all of them visible."),
        "room_name_invalid" => format!("A room's name has 1 to {ROOM_NAME_CHARS} characters."),
        "message_empty" => "An empty message cannot be sent.".into(),
        "message_too_long" => format!("A message has at most {MESSAGE_CHARS} characters."),
        NO_EMOJI => "A reaction is one emoji, and a message takes only so many.".into(),
        "rate_limited" => "That was a little fast. Try again in a moment.".into(),
        "room_not_found" => "There is no such room.".into(),
        "message_not_found" => "That message is not there any more.".into(),
        "not_entered" => "Write your name and join first.".into(),
        "busy" => "The server cannot be reached. Try again in a moment.".into(),
        "storage_unavailable" => "The server cannot store anything right now. Try again in a moment.".into(),
        _ => "That did not work. Please try again.".into(),
    },
};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_days_read_naturally() {
        assert_eq!([(KO.time)(0, 5), (KO.time)(12, 0), (KO.time)(14, 38)], ["오전 12:05", "오후 12:00", "오후 2:38"]);
        let day = Moment::new("2026-11-22T19:17:23.042Z", false);
        assert_eq!((KO.day)(&day), "2026년 11월 22일 일요일");
        assert_eq!([(KO.short_day)(&day, false), (KO.short_day)(&day, true)], ["11월 22일", "2026. 11. 22."]);
        assert_eq!([(EN.time)(14, 38), (EN.day)(&day)], ["14:38", "Sunday, November 22, 2026"]);
        assert_eq!([(EN.short_day)(&day, false), (EN.short_day)(&day, true)], ["Nov 22", "Nov 22, 2026"]);
    }

    #[test]
    fn several_people_are_named_up_to_three() {
        let names: Vec<String> = ["가", "나", "다", "라", "마"].map(String::from).into();
        assert_eq!((KO.typing)(&names[..1]), "가 님이 쓰고 있습니다");
        assert_eq!((EN.typing)(&names), "가, 나, 다 and 2 more are writing");
        assert_eq!((EN.came)(&["דנה 2".into(), "가".into()]), "\u{2068}דנה 2\u{2069}, 가 came in");
    }
}
