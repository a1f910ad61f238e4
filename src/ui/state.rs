//! What the page knows, as plain structs. [`ChatState::apply`] takes a frame in any order, repeated
//! or late; it is tested here without a browser.

use crate::{
    domain::{Epoch, MessageId, RoomId, Seq},
    protocol::{Member, Presence, RoomState, RoomSummary, RoomView, ServerFrame, Talk, Typing},
};

/// How long somebody counts as writing after their last TYPING, in milliseconds.
const TYPING_SHOWN_MS: f64 = 5_000.0;
/// Comings and goings that the page remembers.
const NOTICES_KEPT: usize = 50;

/// Everything the page shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChatState {
    /// Who this browser is; `None` before joining.
    pub me: Option<Member>,
    /// Every room, in the order in which they were made.
    pub rooms: Vec<RoomSummary>,
    /// Whether those are a page of them only.
    pub partly: bool,
    /// The room on screen.
    pub room: Option<OpenRoom>,
    /// What waits in rooms that are not on screen; it is sent when its room is opened again.
    pub waiting: Vec<(RoomId, Vec<Sending>)>,
    /// The connection.
    pub link: Link,
    /// Whether a room has let this browser in since the page was loaded.
    pub was_in: bool,
    /// Since when there is no connection (milliseconds, the browser's clock).
    pub down_since: Option<f64>,
}

/// The connection, as people see it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Link {
    /// Opening.
    #[default]
    Connecting,
    /// Open, and the server has spoken.
    Live,
    /// Lost; the next try is at this time (milliseconds, the browser's clock).
    Waiting {
        /// When.
        until: f64,
    },
}

/// The room on screen.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenRoom {
    /// Which.
    pub id: RoomId,
    /// Its name.
    pub name: String,
    /// The history that its numbers belong to.
    pub epoch: Epoch,
    /// Every change up to this number has been applied.
    pub head: Seq,
    /// What was said, by place, without gap …
    pub messages: Vec<Talk>,
    /// … from this place on. What changes before it is loaded with its page.
    from: Seq,
    /// What this browser has said and not seen come back.
    pub sending: Vec<Sending>,
    /// Who is here; not all in a crowd.
    pub members: Vec<Member>,
    /// How many are here.
    pub member_count: u32,
    /// Who is writing, and until when to show it.
    pub typing: Vec<(Member, f64)>,
    /// Who came and went while the page was open.
    pub notices: Vec<Notice>,
    /// How many there have been.
    noticed: u64,
    /// Whether the replay is complete and changes arrive one by one.
    pub live: bool,
}

/// A message that this browser has sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Sending {
    /// Kept over every retry.
    pub id: MessageId,
    /// The text.
    pub text: String,
    /// When, as RFC 3339.
    pub at: String,
    /// The code of its refusal.
    pub failed: Option<String>,
}

/// People who came or went at one point of the conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Counts the notices of this page.
    pub number: u64,
    /// The message after which they did.
    pub after: Seq,
    /// Whether they came; else they went.
    pub came: bool,
    /// Their names.
    pub names: Vec<String>,
}

/// What a frame makes necessary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Todo {
    /// Nothing further.
    Nothing,
    /// Ask for what changed after `head`: something was missed.
    Resync,
    /// The same, but only after so many milliseconds: the server could not let us in.
    ResyncAfter(u32),
    /// Load the room anew: what is here belongs to another history, or to a visitor who has not joined.
    Reload,
    /// Load the whole page anew: this browser is no longer who it was.
    LoadPage,
}

impl ChatState {
    /// Applies one frame. `now` is the browser's clock in milliseconds.
    pub fn apply(&mut self, frame: ServerFrame, now: f64) -> Todo {
        if let ServerFrame::List(summary) = frame {
            return self.list(summary);
        }
        let me = self.me.clone();
        let Some(room) = self.room.as_mut() else { return Todo::Nothing };
        match frame {
            ServerFrame::Talk(talk) if talk.room_id == room.id => room.talk(talk),
            ServerFrame::Room(state) if state.room_id == room.id => {
                if me.is_some_and(|me| me != state.you) {
                    // Another tab has signed this browser in as somebody else.
                    return Todo::LoadPage;
                }
                self.was_in = true;
                room.entered(state)
            }
            ServerFrame::Sync(sync) if sync.room_id == room.id => room.synced(sync.head),
            ServerFrame::Enter(presence) if presence.room_id == room.id => room.came(presence),
            ServerFrame::Leave(presence) if presence.room_id == room.id => room.went(presence),
            ServerFrame::Members(members) if members.room_id == room.id => {
                room.member_count = members.member_count;
                Todo::Nothing
            }
            ServerFrame::Typing(Typing { room_id, sender, person, guest }) if room_id == room.id => {
                let member = Member { sender, person, guest };
                if Some(&member) == me.as_ref() {
                    return Todo::Nothing;
                }
                room.typing.retain(|(other, _)| *other != member);
                room.typing.push((member, now + TYPING_SHOWN_MS));
                Todo::Nothing
            }
            ServerFrame::Error(error) if error.code == "bad_frame" && error.room_id == Some(room.id.to_string()) => {
                // ENTER wants a name: another tab has signed this browser out. Where it never had one on
                // the socket (a proxy that hides where we are), loading again would never end.
                self.me = None;
                if self.was_in { Todo::LoadPage } else { Todo::Reload }
            }
            // Neither is the room gone nor are we: the server cannot at the moment.
            ServerFrame::Error(error)
                if error.id.is_none()
                    && error.room_id == Some(room.id.to_string())
                    && ["storage_unavailable", "rate_limited", "busy"].contains(&error.code.as_str()) =>
            {
                Todo::ResyncAfter(error.retry_after_ms.and_then(|ms| ms.try_into().ok()).unwrap_or(1_000))
            }
            ServerFrame::Error(error) => {
                let refused =
                    room.sending.iter_mut().find(|sending| error.id.as_deref() == Some(&sending.id.to_string()));
                if let Some(sending) = refused {
                    sending.failed = Some(error.code);
                }
                Todo::Nothing
            }
            _ => Todo::Nothing,
        }
    }

    fn list(&mut self, summary: RoomSummary) -> Todo {
        let is_new = |room: &OpenRoom| room.id == summary.room_id && summary.head > room.head;
        // Whoever has not joined is told of new messages by the list alone.
        let todo =
            if self.me.is_none() && self.room.as_ref().is_some_and(is_new) { Todo::Reload } else { Todo::Nothing };
        if let Some(room) = self.room.as_mut().filter(|room| room.id == summary.room_id && !room.live) {
            room.member_count = summary.member_count;
        }
        match self.rooms.iter_mut().find(|room| room.room_id == summary.room_id) {
            Some(known) => *known = summary,
            None if self.partly => {}
            None => self.rooms.push(summary),
        }
        todo
    }

    /// Notes how the connection is.
    pub fn set_link(&mut self, link: Link, now: f64) {
        self.link = link;
        self.down_since = if link == Link::Live { None } else { self.down_since.or(Some(now)) };
    }

    /// Shows another room, or the same one anew; what is being sent there stays.
    pub fn open(&mut self, view: RoomView) {
        if self.room.as_ref().is_some_and(|room| room.id != view.room.room_id) {
            self.close();
        }
        let before = self.room.take();
        let mut room = OpenRoom::from(view);
        if let Some(at) = self.waiting.iter().position(|(id, _)| *id == room.id) {
            room.sending = self.waiting.swap_remove(at).1;
        }
        if let Some(before) = before {
            room.sending = before.sending;
            room.notices = before.notices;
            room.noticed = before.noticed;
            // Older messages that join on without a gap stay on screen.
            let joins = before.messages.last().is_some_and(|last| last.seq >= room.from);
            if before.epoch == room.epoch && joins && before.from < room.from {
                room.from = before.from;
                // What became of them meanwhile is still to be asked for.
                room.head = room.head.min(before.head);
                before.messages.into_iter().for_each(|talk| room.put(talk));
            }
        }
        let here: Vec<MessageId> = room.messages.iter().map(|talk| talk.id).collect();
        room.sending.retain(|sending| !here.contains(&sending.id));
        self.room = Some(room);
    }

    fn close(&mut self) {
        if let Some(room) = self.room.take().filter(|room| !room.sending.is_empty()) {
            self.waiting.push((room.id, room.sending));
        }
    }

    /// Takes back what an earlier page of this browser left unsent; says whether it had not come through.
    pub fn take_back(&mut self, id: RoomId, sending: Sending) -> bool {
        let waiting = match self.room.as_mut().filter(|room| room.id == id) {
            Some(room) if room.messages.iter().any(|talk| talk.id == sending.id) => return false,
            Some(room) => &mut room.sending,
            None => {
                let at = self.waiting.iter().position(|(room, _)| *room == id).unwrap_or_else(|| {
                    self.waiting.push((id, Vec::new()));
                    self.waiting.len() - 1
                });
                &mut self.waiting[at].1
            }
        };
        waiting.push(sending);
        true
    }

    /// Puts a page of the messages before `seq` in front, if that is still where it belongs.
    pub fn prepend(&mut self, view: RoomView, seq: Seq) {
        let belongs = |room: &&mut OpenRoom| {
            let same_room = room.id == view.room.room_id && room.epoch == view.epoch;
            same_room && room.messages.first().is_some_and(|first| first.seq == seq)
        };
        if let Some(room) = self.room.as_mut().filter(belongs) {
            room.from = view.messages.first().map_or(1, |talk| talk.seq);
            for talk in view.messages {
                room.put(talk);
            }
        }
    }

    /// Forgets who has stopped writing; says whether that changed anything.
    pub fn tick(&mut self, now: f64) -> bool {
        let Some(room) = self.room.as_mut() else { return false };
        let before = room.typing.len();
        room.typing.retain(|(_, until)| *until > now);
        room.typing.len() != before
    }
}

impl From<RoomView> for OpenRoom {
    fn from(view: RoomView) -> Self {
        Self {
            id: view.room.room_id,
            name: view.room.name,
            epoch: view.epoch,
            head: view.room.head,
            from: view.messages.first().map_or(1, |talk| talk.seq),
            messages: view.messages,
            sending: Vec::new(),
            members: view.members,
            member_count: view.room.member_count,
            typing: Vec::new(),
            notices: Vec::new(),
            noticed: 0,
            live: false,
        }
    }
}

impl OpenRoom {
    /// The place of the first message here, if there are older ones.
    #[must_use]
    pub fn older_than(&self) -> Option<Seq> {
        Some(self.from).filter(|seq| *seq > 1)
    }

    /// Whether there is nothing to show yet.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.messages.is_empty() && self.sending.is_empty() && self.notices.is_empty()
    }

    /// Whether there are newer messages than those here: the page was asked for older ones.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        !self.live && self.messages.last().is_some_and(|talk| talk.seq < self.head)
    }

    fn talk(&mut self, talk: Talk) -> Todo {
        let (rev, author) = (talk.rev, (talk.sender.clone(), talk.person, talk.guest.clone()));
        self.sending.retain(|sending| sending.id != talk.id);
        self.typing.retain(|(member, _)| (member.sender.clone(), member.person, member.guest.clone()) != author);
        if talk.seq >= self.from {
            self.put(talk);
        }
        if !self.live || rev <= self.head {
            return Todo::Nothing;
        }
        if rev > self.head + 1 {
            self.live = false;
            return Todo::Resync;
        }
        self.head = rev;
        Todo::Nothing
    }

    /// Keeps the state with the highest `rev`, at the message's place.
    fn put(&mut self, talk: Talk) {
        match self.messages.binary_search_by_key(&talk.seq, |known| known.seq) {
            Ok(at) if self.messages[at].rev < talk.rev => self.messages[at] = talk,
            Ok(_) => {}
            Err(at) => self.messages.insert(at, talk),
        }
    }

    fn entered(&mut self, state: RoomState) -> Todo {
        if state.reset || state.epoch != self.epoch {
            // Not one of them belongs to what is loaded now.
            self.messages.clear();
            return Todo::Reload;
        }
        self.name = state.name;
        self.members = state.members;
        self.member_count = state.member_count;
        self.typing.clear();
        self.live = false;
        Todo::Nothing
    }

    fn synced(&mut self, head: Seq) -> Todo {
        self.head = self.head.max(head);
        self.live = true;
        Todo::Nothing
    }

    fn came(&mut self, presence: Presence) -> Todo {
        let member = member_of(&presence);
        self.member_count = presence.member_count;
        if !self.members.contains(&member) {
            self.members.push(member);
            self.members.sort_by(|a, b| a.sender.cmp(&b.sender));
            self.notice(true, presence.sender);
        }
        Todo::Nothing
    }

    fn went(&mut self, presence: Presence) -> Todo {
        let member = member_of(&presence);
        self.member_count = presence.member_count;
        self.members.retain(|other| *other != member);
        self.typing.retain(|(other, _)| *other != member);
        self.notice(false, presence.sender);
        Todo::Nothing
    }

    /// One line for all who came, or went, at the same point.
    fn notice(&mut self, came: bool, name: String) {
        let after = self.messages.last().map_or(0, |talk| talk.seq);
        match self.notices.last_mut() {
            Some(last) if last.after == after && last.came == came => {
                last.names.retain(|known| *known != name);
                last.names.push(name);
            }
            _ => {
                self.noticed += 1;
                self.notices.push(Notice { number: self.noticed, after, came, names: vec![name] });
            }
        }
        if self.notices.len() > NOTICES_KEPT {
            self.notices.remove(0);
        }
    }
}

fn member_of(presence: &Presence) -> Member {
    Member { sender: presence.sender.clone(), person: presence.person, guest: presence.guest.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::PersonId,
        protocol::{ErrorFrame, Sync},
    };
    use rand::{Rng, SeedableRng, rngs::StdRng};

    fn talk(room_id: RoomId, seq: Seq, rev: Seq, message: &str) -> Talk {
        Talk {
            room_id,
            sender: "mina".into(),
            message: message.into(),
            id: MessageId::new(),
            seq,
            rev,
            at: "2026-11-22T00:00:00.000Z".into(),
            person: None,
            guest: Some("ab12".into()),
            edited_at: None,
            deleted: false,
            reply_to: None,
            reactions: vec![],
        }
    }

    fn state(messages: u64) -> (ChatState, RoomId) {
        let id = RoomId::new();
        let room = RoomSummary {
            room_id: id,
            name: "방".into(),
            topic: None,
            lobby: false,
            head: messages,
            last: None,
            at: None,
            member_count: 0,
        };
        let view = RoomView {
            room,
            epoch: Epoch::new(),
            messages: (1..=messages).map(|n| talk(id, n, n, &n.to_string())).collect(),
            members: vec![],
        };
        let mut state = ChatState::default();
        state.open(view);
        state.apply(ServerFrame::Sync(Sync { room_id: id, head: messages }), 0.0);
        (state, id)
    }

    fn summary(room_id: RoomId, head: Seq) -> RoomSummary {
        RoomSummary {
            room_id,
            name: "b".into(),
            topic: None,
            lobby: false,
            head,
            last: None,
            at: None,
            member_count: 2,
        }
    }

    fn shown(state: &ChatState) -> Vec<String> {
        state.room.iter().flat_map(|room| &room.messages).map(|talk| talk.message.clone()).collect()
    }

    fn room(state: &ChatState) -> &OpenRoom {
        state.room.as_ref().expect("a room is open")
    }

    #[test]
    fn a_repeat_changes_nothing() {
        let (mut state, id) = state(1);
        let next = talk(id, 2, 2, "둘");
        assert_eq!(state.apply(ServerFrame::Talk(next.clone()), 0.0), Todo::Nothing);
        let before = state.clone();
        assert_eq!(state.apply(ServerFrame::Talk(next), 0.0), Todo::Nothing);
        assert_eq!(state, before);
    }

    #[test]
    fn a_gap_asks_again_and_the_replay_closes_it() {
        let (mut state, id) = state(1);
        let (two, three) = (talk(id, 2, 2, "2"), talk(id, 3, 3, "3"));
        assert_eq!(state.apply(ServerFrame::Talk(three.clone()), 0.0), Todo::Resync);
        assert_eq!(room(&state).head, 1, "what is missing is asked for");
        for frame in [two, three] {
            assert_eq!(state.apply(ServerFrame::Talk(frame), 0.0), Todo::Nothing);
        }
        state.apply(ServerFrame::Sync(Sync { room_id: id, head: 3 }), 0.0);
        assert_eq!(shown(&state), ["1", "2", "3"]);
        assert_eq!((room(&state).head, room(&state).live), (3, true));
    }

    /// A server's side of one room: the present state of each message, and who says what next.
    struct Log {
        room: RoomId,
        messages: Vec<Talk>,
        head: Seq,
        dice: StdRng,
    }

    impl Log {
        /// Something is said, or something said before is changed.
        fn change(&mut self) -> Talk {
            self.head += 1;
            if self.messages.is_empty() || self.dice.random_bool(0.6) {
                self.messages.push(talk(self.room, self.head, self.head, &format!("{}", self.head)));
                return self.messages.last().cloned().expect("just said");
            }
            let at = self.dice.random_range(0..self.messages.len());
            let changed = &mut self.messages[at];
            changed.rev = self.head;
            changed.deleted = self.dice.random_bool(0.2);
            changed.message = if changed.deleted { String::new() } else { format!("changed at {}", self.head) };
            changed.clone()
        }

        /// The answer to ENTER with `since`.
        fn replay(&self, since: Seq) -> Vec<ServerFrame> {
            let mut missed: Vec<Talk> = self.messages.iter().filter(|talk| talk.rev > since).cloned().collect();
            missed.sort_by_key(|talk| talk.rev);
            let sync = ServerFrame::Sync(Sync { room_id: self.room, head: self.head });
            missed.into_iter().map(ServerFrame::Talk).chain([sync]).collect()
        }
    }

    #[test]
    fn whatever_is_lost_doubled_or_swapped_on_the_way_the_page_ends_up_as_the_log() {
        for seed in 0..500 {
            let (mut state, room) = state(0);
            let mut log = Log { room, messages: vec![], head: 0, dice: StdRng::seed_from_u64(seed) };
            let mut late: Option<ServerFrame> = None;
            for _ in 0..60 {
                let mut frames = vec![ServerFrame::Talk(log.change())];
                match log.dice.random_range(0..8) {
                    0 => frames.clear(),
                    1 => frames.push(frames[0].clone()),
                    2 => late = frames.pop(),
                    _ => frames.extend(late.take()),
                }
                for frame in frames {
                    if state.apply(frame, 0.0) == Todo::Resync {
                        let since = state.room.as_ref().expect("open").head;
                        let mut replay = log.replay(since);
                        // What went wrong before may still arrive in the middle of it.
                        replay.splice(0..0, late.take());
                        replay.into_iter().for_each(|frame| assert_eq!(state.apply(frame, 0.0), Todo::Nothing));
                    }
                }
            }
            // The next change shows every hole, and a line that is quiet is entered anew.
            let since = state.room.as_ref().expect("open").head;
            for frame in log.replay(since) {
                state.apply(frame, 0.0);
            }
            let OpenRoom { messages, head, live, .. } = state.room.expect("open");
            assert_eq!((messages, head, live), (log.messages, log.head, true), "seed {seed}");
        }
    }

    #[test]
    fn a_change_of_what_is_not_loaded_leaves_no_hole() {
        let (mut state, id) = state(9);
        let view = RoomView {
            room: RoomSummary { head: 9, ..summary(id, 9) },
            epoch: room(&state).epoch,
            messages: (6..=9).map(|n| talk(id, n, n, &n.to_string())).collect(),
            members: vec![],
        };
        state.room = Some(view.into());
        state.apply(ServerFrame::Sync(Sync { room_id: id, head: 9 }), 0.0);
        assert_eq!(state.apply(ServerFrame::Talk(talk(id, 3, 10, "changed")), 0.0), Todo::Nothing);
        assert_eq!((shown(&state).len(), room(&state).older_than(), room(&state).head), (4, Some(6), 10));
    }

    #[test]
    fn a_room_that_cannot_let_us_in_is_asked_again_later() {
        let (mut state, id) = state(1);
        let error = |code: &str| ErrorFrame {
            code: code.into(),
            message: String::new(),
            room_id: Some(id.to_string()),
            id: None,
            retry_after_ms: Some(70),
        };
        assert_eq!(state.apply(ServerFrame::Error(error("storage_unavailable")), 0.0), Todo::ResyncAfter(70));
        assert_eq!(state.apply(ServerFrame::Error(error("message_empty")), 0.0), Todo::Nothing);
    }

    #[test]
    fn messages_stand_in_order_and_the_highest_revision_wins() {
        let (mut state, id) = state(1);
        let mut edited = talk(id, 2, 3, "둘째, 고침");
        let mut first = talk(id, 2, 2, "둘째");
        first.id = edited.id;
        state.room.as_mut().expect("open").live = false;
        state.apply(ServerFrame::Talk(edited.clone()), 0.0);
        state.apply(ServerFrame::Talk(first), 0.0);
        assert_eq!(shown(&state), ["1", "둘째, 고침"]);
        edited.rev = 4;
        edited.message = "또 고침".into();
        state.apply(ServerFrame::Talk(edited), 0.0);
        assert_eq!(shown(&state), ["1", "또 고침"]);
    }

    #[test]
    fn ones_own_message_is_sending_until_it_comes_back() {
        let (mut state, id) = state(0);
        let back = talk(id, 1, 1, "안녕");
        state.room.as_mut().expect("open").sending.push(Sending {
            id: back.id,
            text: "안녕".into(),
            at: String::new(),
            failed: None,
        });
        let refusal = ErrorFrame {
            code: "rate_limited".into(),
            message: String::new(),
            room_id: None,
            id: Some(back.id.to_string()),
            retry_after_ms: None,
        };
        state.apply(ServerFrame::Error(refusal), 0.0);
        assert_eq!(room(&state).sending[0].failed.as_deref(), Some("rate_limited"));
        state.apply(ServerFrame::Talk(back), 0.0);
        assert_eq!((room(&state).sending.len(), shown(&state)), (0, vec!["안녕".into()]));
    }

    #[test]
    fn what_waits_in_a_room_is_there_when_it_is_opened_again() {
        let (mut state, _) = state(0);
        let view = |id| {
            let room = RoomSummary {
                room_id: id,
                name: "b".into(),
                topic: None,
                lobby: false,
                head: 0,
                last: None,
                at: None,
                member_count: 0,
            };
            RoomView { room, epoch: Epoch::new(), messages: vec![], members: vec![] }
        };
        let (first, second) = (room(&state).id, RoomId::new());
        let sending = Sending { id: MessageId::new(), text: "안녕".into(), at: String::new(), failed: None };
        state.room.as_mut().expect("open").sending.push(sending.clone());
        state.open(view(second));
        assert!(room(&state).sending.is_empty());
        let later = Sending { id: MessageId::new(), ..sending.clone() };
        assert!(state.take_back(first, later.clone()));
        state.open(view(first));
        assert_eq!(room(&state).sending, [sending, later]);
    }

    #[test]
    fn what_came_through_before_the_page_was_loaded_is_not_sent_again() {
        let (mut state, id) = state(1);
        let through = room(&state).messages[0].id;
        let sending = |id| Sending { id, text: "안녕".into(), at: String::new(), failed: None };
        assert!(!state.take_back(id, sending(through)));
        assert!(state.take_back(id, sending(MessageId::new())));
        assert_eq!(room(&state).sending.len(), 1);
    }

    #[test]
    fn whoever_became_somebody_else_in_another_tab_gets_another_page() {
        let (mut state, id) = state(1);
        state.me = Some(Member { sender: "mina".into(), person: Some(PersonId::new()), guest: None });
        let refused = |id: RoomId| {
            ServerFrame::Error(ErrorFrame {
                code: "bad_frame".into(),
                message: String::new(),
                room_id: Some(id.to_string()),
                id: None,
                retry_after_ms: None,
            })
        };
        let mut stranger = state.clone();
        assert_eq!(stranger.apply(refused(id), 0.0), Todo::Reload, "never let in: no page would help");
        let entered = |you| RoomState {
            room_id: id,
            name: "방".into(),
            topic: None,
            lobby: false,
            epoch: room(&state).epoch,
            head: 1,
            you,
            members: vec![],
            member_count: 1,
            reset: false,
        };
        let me = state.me.clone().expect("joined");
        let (as_me, as_other) = (entered(me), entered(Member { sender: "jun".into(), person: None, guest: None }));
        assert_eq!(state.apply(ServerFrame::Room(as_me), 0.0), Todo::Nothing);
        assert_eq!(state.clone().apply(ServerFrame::Room(as_other), 0.0), Todo::LoadPage);
        assert_eq!(state.apply(refused(id), 0.0), Todo::LoadPage);
    }

    #[test]
    fn frames_of_other_rooms_do_not_touch_the_open_one() {
        let (mut state, _) = state(1);
        let before = state.clone();
        state.apply(ServerFrame::Talk(talk(RoomId::new(), 9, 9, "elsewhere")), 0.0);
        state.apply(ServerFrame::Sync(Sync { room_id: RoomId::new(), head: 99 }), 0.0);
        assert_eq!(state, before);
    }

    #[test]
    fn another_history_is_loaded_anew() {
        let (mut state, id) = state(1);
        let you = Member { sender: "mina".into(), person: None, guest: None };
        let entered = RoomState {
            room_id: id,
            name: "방".into(),
            topic: None,
            lobby: false,
            epoch: Epoch::new(),
            head: 1,
            you,
            members: vec![],
            member_count: 1,
            reset: false,
        };
        assert_eq!(state.apply(ServerFrame::Room(entered), 0.0), Todo::Reload);
    }

    #[test]
    fn several_who_come_together_make_one_line() {
        let (mut state, id) = state(1);
        for name in ["가", "나"] {
            let presence = Presence {
                room_id: id,
                sender: name.into(),
                message: String::new(),
                person: None,
                guest: Some(name.into()),
                member_count: 1,
            };
            state.apply(ServerFrame::Enter(presence.clone()), 0.0);
            state.apply(ServerFrame::Enter(presence), 0.0);
        }
        assert_eq!(
            room(&state).notices,
            [Notice { number: 1, after: 1, came: true, names: vec!["가".into(), "나".into()] }]
        );
    }

    #[test]
    fn typing_fades_and_ends_with_the_message() {
        let (mut state, id) = state(0);
        let typing = Typing { room_id: id, sender: "mina".into(), person: None, guest: Some("ab12".into()) };
        let typing = ServerFrame::Typing(typing);
        state.apply(typing.clone(), 0.0);
        assert!(!state.tick(4_999.0) && state.tick(5_001.0));
        state.apply(typing, 6_000.0);
        state.apply(ServerFrame::Talk(talk(id, 1, 1, "hi")), 6_001.0);
        assert!(room(&state).typing.is_empty());
    }

    #[test]
    fn the_list_brings_new_rooms_and_wakes_a_visitor() {
        let (mut state, id) = state(1);
        assert_eq!(state.apply(ServerFrame::List(summary(RoomId::new(), 9)), 0.0), Todo::Nothing);
        assert_eq!(state.rooms.len(), 1);
        state.partly = true;
        assert_eq!(state.apply(ServerFrame::List(summary(RoomId::new(), 9)), 0.0), Todo::Nothing);
        assert_eq!(state.rooms.len(), 1, "one of another page");
        assert_eq!(state.apply(ServerFrame::List(summary(id, 2)), 0.0), Todo::Reload);
        state.me = Some(Member { sender: "mina".into(), person: None, guest: None });
        assert_eq!(state.apply(ServerFrame::List(summary(id, 3)), 0.0), Todo::Nothing);
    }
}
