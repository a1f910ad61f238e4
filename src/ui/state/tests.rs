use super::room::{BACK_WITHIN_MS, PAGE};
use super::*;
use crate::{
    domain::{Epoch, PersonId},
    protocol::{ClientFrame, ErrorFrame, Presence, RoomState, Sync},
};
use rand::{Rng, SeedableRng, rngs::StdRng};

pub(in crate::ui) fn talk(room_id: RoomId, seq: Seq, rev: Seq, message: &str) -> Talk {
    Talk {
        room_id,
        sender: "mina".into(),
        message: message.into(),
        html: None,
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
        message_count: messages,
        created_by: None,
        created_at: String::new(),
    };
    let view = RoomView {
        room,
        epoch: Epoch::new(),
        messages: (1..=messages).map(|n| talk(id, n, n, &n.to_string())).collect(),
        newest: true,
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
        message_count: head,
        created_by: None,
        created_at: String::new(),
    }
}

/// The answer to ENTER.
fn entered(room_id: RoomId, you: Member, epoch: Epoch, head: Seq) -> RoomState {
    RoomState {
        room_id,
        name: "방".into(),
        topic: None,
        lobby: false,
        epoch,
        head,
        you,
        members: vec![],
        member_count: 1,
        reset: false,
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
        newest: true,
        members: vec![],
    };
    state.room = Some(view.into());
    state.apply(ServerFrame::Sync(Sync { room_id: id, head: 9 }), 0.0);
    assert_eq!(state.apply(ServerFrame::Talk(talk(id, 3, 10, "changed")), 0.0), Todo::Nothing);
    assert_eq!((shown(&state).len(), room(&state).older_than(), room(&state).head), (4, Some(6), 10));
}

/// The messages of those places, as a page of a room.
fn view(state: &ChatState, places: std::ops::RangeInclusive<Seq>, head: Seq) -> RoomView {
    let OpenRoom { id, epoch, .. } = *room(state);
    let messages = places.map(|n| talk(id, n, n, &n.to_string())).collect::<Vec<_>>();
    let newest = messages.last().is_some_and(|last| last.seq == head);
    RoomView { room: summary(id, head), epoch, messages, newest, members: vec![] }
}

#[test]
fn a_window_further_back_grows_to_both_sides_and_meets_the_present_without_a_hole() {
    let (mut state, id) = state(300);
    let page = view(&state, 101..=150, 300);
    state.room = Some(page.into());
    state.apply(ServerFrame::Sync(Sync { room_id: id, head: 300 }), 0.0);
    assert_eq!(state.apply(ServerFrame::Talk(talk(id, 301, 301, "301")), 0.0), Todo::Nothing);
    assert_eq!((room(&state).messages.len(), room(&state).head), (50, 301), "what is beyond the window waits");
    let mut edited = talk(id, 120, 302, "edited");
    edited.id = room(&state).message(120).expect("here").id;
    state.apply(ServerFrame::Talk(edited), 0.0);
    assert_eq!(room(&state).message(120).expect("here").message, "edited");

    state.prepend(view(&state, 51..=100, 302), 101);
    state.append(view(&state, 151..=200, 302), 150);
    state.append(view(&state, 999..=999, 999), 150);
    assert_eq!((room(&state).older_than(), room(&state).newer_than()), (Some(51), Some(200)));
    // The page was read before 301 came: it looks like the end, and is not.
    state.append(view(&state, 201..=300, 300), 200);
    assert_eq!(room(&state).newer_than(), Some(300));
    state.append(view(&state, 301..=301, 302), 300);
    assert!(!room(&state).newest, "a page of another end");
    let mut end = view(&state, 303..=303, 303);
    state.apply(ServerFrame::Talk(talk(id, 303, 303, "303")), 0.0);
    end.newest = true;
    state.append(end, 301);
    assert_eq!((room(&state).newer_than(), room(&state).messages.last().map(|talk| talk.seq)), (None, Some(303)));
    state.apply(ServerFrame::Talk(talk(id, 304, 304, "304")), 0.0);
    assert_eq!(room(&state).messages.last().map(|talk| talk.seq), Some(304));
    let places: Vec<Seq> = room(&state).messages.iter().map(|talk| talk.seq).collect();
    assert_eq!(places, (51..=304).filter(|seq| *seq != 302).collect::<Vec<_>>());
}

#[test]
fn the_page_holds_so_many_messages_and_lets_go_of_the_far_end() {
    let (mut state, id) = state(MESSAGES_HELD as Seq);
    for n in 1..=PAGE as Seq + 1 {
        let seq = MESSAGES_HELD as Seq + n;
        state.apply(ServerFrame::Talk(talk(id, seq, seq, "new")), 0.0);
    }
    assert_eq!((room(&state).messages.len(), room(&state).older_than()), (MESSAGES_HELD + 1, Some(51)));
    state.prepend(view(&state, 1..=50, 2_051), 51);
    assert_eq!((room(&state).messages.len(), room(&state).older_than()), (MESSAGES_HELD, None));
    assert_eq!(room(&state).newer_than(), Some(MESSAGES_HELD as Seq));
}

#[test]
fn whoever_was_away_for_long_gets_the_newest_messages_and_the_way_back() {
    let (mut state, id) = state(100);
    let you = Member { sender: "mina".into(), person: None, guest: None };
    let entered = |state: &ChatState, head| ServerFrame::Room(entered(id, you.clone(), room(state).epoch, head));
    let (near, far) = (100 + FAR, 101 + FAR);
    assert_eq!(state.clone().apply(entered(&state, near), 0.0), Todo::Nothing);
    assert_eq!(state.apply(entered(&state, far), 0.0), Todo::Reload);
    // The replay may be quicker than the page.
    let before = state.clone();
    for seq in 101..=far {
        assert_eq!(state.apply(ServerFrame::Talk(talk(id, seq, seq, "missed")), 0.0), Todo::Nothing);
    }
    state.apply(ServerFrame::Sync(Sync { room_id: id, head: far }), 0.0);
    assert_eq!(state, before);
    state.open(view(&state, far - 49..=far, far));
    assert_eq!((room(&state).messages.len(), room(&state).left_off()), (50, Some(100)));
    assert_eq!(state.apply(entered(&state, far), 0.0), Todo::Nothing, "nor asks again");
    state.open(view(&state, 76..=125, far));
    assert_eq!((room(&state).left_off(), room(&state).divider), (None, Some(100)));
}

fn unread(state: &ChatState) -> (u32, Option<Seq>) {
    let room = room(state);
    (state.unread(room.id), room.divider)
}

#[test]
fn what_was_not_seen_is_unread_and_its_own_author_has_read_it() {
    let (mut state, id) = state(3);
    let me = PersonId::new();
    state.me = Some(Member { sender: "jun".into(), person: Some(me), guest: None });
    assert_eq!(unread(&state), (0, None), "never here before");
    let mut opening = state.clone();
    opening.room.as_mut().expect("open").live = false;
    assert_eq!((opening.saw(4), opening.saw(3)), (None, Some((id, 3))), "before the replay is complete");
    assert_eq!(state.saw(3), Some((id, 3)));
    assert_eq!(state.saw(3), None);
    let own = Talk { person: Some(me), guest: None, ..talk(id, 4, 4, "own") };
    state.apply(ServerFrame::Talk(own), 0.0);
    for n in 5..=6 {
        state.apply(ServerFrame::Talk(talk(id, n, n, "new")), 0.0);
    }
    assert_eq!(unread(&state), (2, Some(3)), "a line is drawn where nobody looked any more");
    state.looking = true;
    assert_eq!((state.saw(5), state.unread(id)), (Some((id, 5)), 1));
    state.mark_unread(id, 1);
    assert_eq!((unread(&state), state.saw(6)), ((4, Some(1)), None));
    state.apply(ServerFrame::Read(mark(id, 6, 0, 6)), 0.0);
    assert_eq!(state.unread(id), 0, "read in another tab");
}

#[test]
fn whoever_was_in_a_room_before_anything_was_said_has_all_of_it_to_read() {
    let (mut state, id) = state(3);
    state.me = Some(Member { sender: "jun".into(), person: Some(PersonId::new()), guest: None });
    state.room.as_mut().expect("open").messages.clear();
    assert_eq!((state.saw(0), state.saw(0)), (Some((id, 0)), None));
    state.apply(ServerFrame::Talk(talk(id, 4, 4, "new")), 0.0);
    assert_eq!(unread(&state), (1, Some(0)));
}

fn mark(room_id: RoomId, seq: Seq, unread: u32, message_count: u64) -> ReadMark {
    ReadMark { room_id, seq, unread, message_count, recounted: false }
}

#[test]
fn each_message_counts_once_whether_the_list_or_the_room_brings_it_first() {
    let (mut opened, id) = state(3);
    opened.me = Some(Member { sender: "jun".into(), person: Some(PersonId::new()), guest: None });
    opened.rooms = vec![summary(id, 2)];
    opened.saw(3);
    let epoch = opened.epoch.expect("known");
    let view = |of: RoomSummary| RoomView { room: of, epoch, messages: vec![], newest: true, members: vec![] };
    let leave = |state: &mut ChatState| state.open(view(summary(RoomId::new(), 0)));
    let [said, listed] = [ServerFrame::Talk(talk(id, 4, 4, "new")), ServerFrame::List(summary(id, 4))];
    let after = |frames: &[&ServerFrame]| {
        let mut state = opened.clone();
        for frame in frames {
            state.apply((*frame).clone(), 0.0);
        }
        leave(&mut state);
        state
    };
    for frames in [&[&said, &listed][..], &[&listed, &said], &[&said], &[&listed]] {
        let mut state = after(frames);
        state.apply(listed.clone(), 0.0);
        assert_eq!(state.unread(id), 1, "{frames:?}");
        state.apply(ServerFrame::List(summary(id, 6)), 0.0);
        assert_eq!(state.unread(id), 3, "{frames:?}");
    }
    let mut state = after(&[]);
    state.apply(ServerFrame::List(summary(id, 3)), 0.0);
    assert_eq!(state.unread(id), 0, "the list comes later than the page that was read");
}

#[test]
fn of_a_hundred_unread_or_more_the_server_says_how_many_are_left() {
    let (mut state, id) = state(60);
    state.me = Some(Member { sender: "jun".into(), person: Some(PersonId::new()), guest: None });
    state.rooms = vec![summary(id, 400)];
    state.marks = vec![mark(id, 10, 100, 400)];
    state.room.as_mut().expect("open").newest = false;
    assert_eq!((state.saw(60), state.unread(id)), (Some((id, 60)), 100));
    let counted = |unread| ServerFrame::Read(ReadMark { recounted: true, ..mark(id, 60, unread, 400) });
    for (answer, unread) in [(100, 100), (90, 90)] {
        state.apply(counted(answer), 0.0);
        assert_eq!(state.unread(id), unread);
    }
    state.apply(ServerFrame::List(summary(id, 420)), 0.0);
    state.apply(counted(100), 0.0);
    assert_eq!(state.unread(id), 110, "what is known exactly");
    state.requests.ask(ClientFrame::Read { room_id: id, seq: 10, unread: true, count: true });
    state.apply(ServerFrame::Read(mark(id, 60, 0, 420)), 0.0);
    assert_eq!(state.unread(id), 110, "what is still to be said counts for more");
}

#[test]
fn what_is_new_in_other_rooms_is_counted_from_the_list() {
    let (mut state, _) = state(1);
    let (visited, never) = (RoomId::new(), RoomId::new());
    state.rooms = vec![summary(visited, 10), summary(never, 10)];
    state.marks = vec![mark(visited, 8, 2, 10)];
    for id in [visited, never] {
        state.apply(ServerFrame::List(summary(id, 15)), 0.0);
    }
    assert_eq!((state.unread(visited), state.unread(never), state.unread_in_all()), (7, 0, 7));

    let recounted = |seq| ServerFrame::Read(ReadMark { recounted: true, ..mark(visited, seq, 6, 15) });
    state.apply(recounted(7), 0.0);
    assert_eq!(state.unread(visited), 7, "counted from where one is no more");
    state.apply(recounted(8), 0.0);
    assert_eq!(state.unread(visited), 6, "one was taken back");
}

#[test]
fn a_room_that_cannot_let_us_in_is_asked_again_later() {
    let (mut state, id) = state(1);
    let error = |code: &str| ErrorFrame {
        code: code.into(),
        message: String::new(),
        room_id: Some(id.to_string()),
        id: None,
        seq: None,
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
        reply_to: None,
        failed: None,
    });
    let refusal = |code: &str| ErrorFrame {
        code: code.into(),
        message: String::new(),
        room_id: None,
        id: Some(back.id.to_string()),
        seq: None,
        retry_after_ms: None,
    };
    for (code, failed) in [("rate_limited", None), ("storage_unavailable", Some("storage_unavailable"))] {
        state.apply(ServerFrame::Error(refusal(code)), 0.0);
        assert_eq!(room(&state).sending[0].failed.as_deref(), failed);
    }
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
            message_count: 0,
            created_by: None,
            created_at: String::new(),
        };
        RoomView { room, epoch: Epoch::new(), messages: vec![], newest: true, members: vec![] }
    };
    let (first, second) = (room(&state).id, RoomId::new());
    let sending =
        Sending { id: MessageId::new(), text: "안녕".into(), at: String::new(), reply_to: None, failed: None };
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
    let sending = |id| Sending { id, text: "안녕".into(), at: String::new(), reply_to: None, failed: None };
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
            seq: None,
            retry_after_ms: None,
        })
    };
    let mut stranger = state.clone();
    assert_eq!(stranger.apply(refused(id), 0.0), Todo::Reload, "never let in: no page would help");
    let entered = |you| entered(id, you, room(&state).epoch, 1);
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
    assert_eq!(state.apply(ServerFrame::Room(entered(id, you, Epoch::new(), 1)), 0.0), Todo::Reload);
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
        [Notice { number: 1, after: 1, came: true, names: vec!["가".into(), "나".into()], at: 0.0 }]
    );
}

#[test]
fn whoever_is_back_at_once_was_never_away() {
    let (mut state, id) = state(1);
    let presence = |name: &str| Presence {
        room_id: id,
        sender: name.into(),
        message: String::new(),
        person: None,
        guest: Some(name.into()),
        member_count: 1,
    };
    for name in ["가", "나"] {
        state.apply(ServerFrame::Leave(presence(name)), 0.0);
    }
    state.apply(ServerFrame::Enter(presence("가")), 1_000.0);
    let said = |state: &ChatState| {
        room(state).notices.iter().map(|notice| (notice.came, notice.names.join(","))).collect::<Vec<_>>()
    };
    assert_eq!(said(&state), [(false, "나".into())]);
    state.apply(ServerFrame::Enter(presence("나")), BACK_WITHIN_MS);
    assert_eq!(said(&state), [(false, "나".into()), (true, "나".into())], "that long is away");
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

#[test]
fn another_history_knows_nothing_of_how_far_was_read() {
    let (mut state, id) = state(3);
    let me = Member { sender: "jun".into(), person: Some(PersonId::new()), guest: None };
    state.me = Some(me.clone());
    assert_eq!(state.saw(3), Some((id, 3)));
    state.apply(ServerFrame::Read(mark(id, 1, 0, 1)), 0.0);
    assert_eq!(state.marks[0].seq, 3, "what is still to be said counts for more");
    assert_eq!(
        state.apply(ServerFrame::Room(RoomState { reset: true, ..entered(id, me, Epoch::new(), 1) }), 0.0),
        Todo::Reload
    );
    assert_eq!((&state.marks, state.requests.from_inside(Some(id))), (&vec![], vec![]));
    state.apply(ServerFrame::Read(mark(id, 1, 0, 1)), 0.0);
    assert_eq!(state.marks[0].seq, 1, "as it was asked for again");
}
