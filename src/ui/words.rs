//! The words that only the server writes, in Korean and English: what is in no table of the browser's need not be loaded.

use crate::domain::Lang;

/// The words of one language.
pub struct Words {
    /// One sentence on what it is, for search engines and shared links.
    pub description: &'static str,
    /// Skip link.
    pub skip: &'static str,
    /// The label of the language links.
    pub language: &'static str,
    /// Theme buttons.
    pub dark: &'static str,
    /// Theme buttons.
    pub light: &'static str,
    /// Home.
    pub welcome: &'static str,
    /// Home.
    pub welcome_text: &'static str,
    /// Home while there is only the lobby.
    pub first_room: &'static str,
    /// Home while there is only the lobby.
    pub first_room_text: &'static str,
    /// The create form.
    pub create_link: &'static str,
    /// The create form.
    pub create_label: &'static str,
    /// The create form.
    pub create_example: &'static str,
    /// The create form.
    pub create: &'static str,
    /// The join form.
    pub join_label: &'static str,
    /// The join form.
    pub join_name: &'static str,
    /// The join form.
    pub join_hint: &'static str,
    /// The join form.
    pub join: &'static str,
    /// Signing out.
    pub sign_out: &'static str,
    /// A page that is not there.
    pub page_lost: &'static str,
    /// A page that is not there.
    pub page_lost_text: &'static str,
    /// A room that is not there.
    pub room_lost: &'static str,
    /// A room that is not there.
    pub room_lost_text: &'static str,
    /// The way home.
    pub home: &'static str,
    /// The bar over a page that crashed.
    pub crashed: &'static str,
    /// The bar over a page that crashed.
    pub reload: &'static str,
    /// The sheet of keys.
    pub keys_title: &'static str,
    /// The sheet of keys.
    pub keys_letters: &'static str,
    /// Where no room's name fits what was looked for.
    pub no_such_room: &'static str,
    /// A deed.
    pub react_other: &'static str,
    /// A deed.
    pub react: &'static str,
    /// A deed.
    pub reply: &'static str,
    /// A deed.
    pub copy_address: &'static str,
    /// A deed.
    pub mark_unread: &'static str,
    /// What there is to press, and what it does.
    pub keys: [(&'static str, &'static str); 11],
}

/// The words of a language.
#[must_use]
pub fn words(lang: Lang) -> &'static Words {
    match lang {
        Lang::Ko => &KO,
        Lang::En => &EN,
    }
}

static KO: Words = Words {
    description: "누구나 명령 하나로 열고, 링크 하나로 들어오는 대화방",
    skip: "본문으로 건너뛰기",
    language: "언어",
    dark: "어두운 화면",
    light: "밝은 화면",
    welcome: "문은 열려 있습니다",
    welcome_text: "마당은 우리 서버에서 여는 대화방입니다. 방에 들어가 이름만 적으면 바로 이야기할 수 있습니다.",
    first_room: "첫 방을 열어 보세요",
    first_room_text: "아직 모두의 마당뿐입니다. 방에 이름을 붙이면 이야기가 시작됩니다.",
    create_link: "새 방 만들기",
    create_label: "새 방 이름",
    create_example: "예: 봄 소풍 준비",
    create: "방 만들기",
    join_label: "이 마당에서 쓸 이름을 적어 주세요",
    join_name: "이름",
    join_hint: "로그아웃할 때까지 다른 사람은 이 이름을 쓸 수 없습니다.",
    join: "들어가기",
    sign_out: "로그아웃",
    page_lost: "이 페이지를 찾을 수 없습니다",
    page_lost_text: "주소가 바뀌었거나 끝까지 복사되지 않았을 수 있습니다.",
    room_lost: "이 방을 찾을 수 없습니다",
    room_lost_text: "방이 없어졌거나 링크가 끝까지 복사되지 않았을 수 있습니다.",
    home: "마당으로 돌아가기",
    crashed: "화면이 멈췄습니다. 새로고침하면 이어서 쓸 수 있습니다.",
    reload: "새로고침",
    keys_title: "키보드로 쓰기",
    keys_letters: "한 글자 키(R E U ?) 쓰기",
    no_such_room: "찾는 방이 없습니다.",
    react_other: "다른 이모지로 공감하기",
    react: "공감하기",
    reply: "답하기",
    copy_address: "메시지 링크 복사",
    mark_unread: "여기부터 안 읽음",
    keys: [
        ("Enter", "보내기"),
        ("Shift Enter", "줄 바꾸기"),
        ("↑", "빈 칸에서: 내 마지막 메시지 고치기"),
        ("@", "이름 부르기"),
        ("Esc", "답하기·고치기 그만두기"),
        ("Ctrl K", "방으로 가기"),
        ("Alt ↑ ↓", "위아래 방으로"),
        ("F6", "다음 자리로: 방, 대화, 입력, 사람"),
        ("↑ ↓", "대화에서: 메시지 사이"),
        ("R E U", "메시지에서: 답하기, 고치기, 안 읽음"),
        ("?", "이 도움말"),
    ],
};

static EN: Words = Words {
    description: "Group chat that anyone can host with one command and join with one click",
    skip: "Skip to content",
    language: "Language",
    dark: "Dark theme",
    light: "Light theme",
    welcome: "The gate is open",
    welcome_text: "Madang is a courtyard for talking, on a server of your own. Step into a room, write your name, and speak.",
    first_room: "Open the first room",
    first_room_text: "There is only the common yard so far. Name a room and the talk begins.",
    create_link: "New room",
    create_label: "Name of the new room",
    create_example: "e.g. Spring picnic",
    create: "Create room",
    join_label: "Write the name you want to use here",
    join_name: "Name",
    join_hint: "Nobody else can use this name until you sign out.",
    join: "Join",
    sign_out: "Sign out",
    page_lost: "There is no such page",
    page_lost_text: "The address may have changed, or was not copied to its end.",
    room_lost: "There is no such room",
    room_lost_text: "The room may be gone, or the link was not copied to its end.",
    home: "Back to the yard",
    crashed: "The page has stopped. Reload it to go on.",
    reload: "Reload",
    keys_title: "Keyboard",
    keys_letters: "Use single-letter keys (R E U ?)",
    no_such_room: "No room has such a name.",
    react_other: "Another emoji",
    react: "React",
    reply: "Reply",
    copy_address: "Copy link to message",
    mark_unread: "Mark unread from here",
    keys: [
        ("Enter", "Send"),
        ("Shift Enter", "New line"),
        ("↑", "In an empty field: edit your last message"),
        ("@", "Mention somebody"),
        ("Esc", "Stop replying or editing"),
        ("Ctrl K", "Go to a room"),
        ("Alt ↑ ↓", "Room above or below"),
        ("F6", "Next pane: rooms, conversation, field, people"),
        ("↑ ↓", "In the conversation: from message to message"),
        ("R E U", "On a message: reply, edit, mark unread"),
        ("?", "This help"),
    ],
};
