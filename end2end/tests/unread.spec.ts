import { burst, type Guest } from './guests';
import { expect, test, unique, type Person } from './people';

const unreadIn = (person: Person, room: string) => person.roomInList(room).locator('.unread');

/** What the page believes of its window: Chromium gives every page of a test the focus. */
async function looks(person: Person, does: boolean): Promise<void> {
  await person.page.evaluate((does) => {
    document.hasFocus = () => does;
    window.dispatchEvent(new Event(does ? 'focus' : 'blur'));
  }, does);
}

/** How many messages of so many are further down than what is in sight. */
const below = (person: Person, of: number) =>
  person.timeline.evaluate((timeline, of) => {
    const end = timeline.getBoundingClientRect().bottom + 1;
    const seen = [...timeline.querySelectorAll('.message')].filter((message) => message.getBoundingClientRect().bottom <= end);
    return of - Number(seen.at(-1)!.id.slice(2));
  }, of);

/** Has read one message in a room and is in another, while so many more are said there. */
async function fallBehind(person: Person, newGuest: (name: string, roomId: string) => Promise<Guest>, there: string, count: number) {
  const elsewhere = await person.createRoom(unique('딴 방'));
  const link = await person.createRoom(there);
  await person.join();
  const { roomId } = person;
  const sora = await newGuest('sora', roomId);
  sora.talk(roomId, '읽은 말');
  await person.sees('읽은 말');
  // And was looked at: in the page it is a moment earlier.
  await expect(person.page).toHaveTitle(`${there} · 마당`);
  await person.openRoom(elsewhere);
  const texts = burst(sora, roomId, count);
  await sora.hears({ type: 'TALK', message: texts.at(-1) });
  return { link, elsewhere, texts };
}

test('what is said in another room is counted, in the list and the title, until it has been seen', async ({ newPerson, newGuest, server }) => {
  const mina = await newPerson('mina');
  const [here, there] = [unique('여기'), unique('저기')];
  const [hereId, thereId] = [(await server.createRoom(here)).roomId, (await server.createRoom(there)).roomId];
  const sora = await newGuest('sora', thereId);
  await mina.openRoom(`/rooms/${hereId}`);
  await mina.join();
  sora.talk(thereId, '아직 들어온 적 없는 방은 세지 않습니다');
  await expect(mina.roomInList(there)).toContainText('세지 않습니다');
  await expect(unreadIn(mina, there)).toHaveCount(0);

  await mina.roomInList(there).click();
  await mina.sees('아직 들어온 적 없는 방은 세지 않습니다');
  await mina.roomInList(here).click();
  await expect(mina.page.getByRole('heading', { level: 1 })).toHaveText(here);
  burst(sora, thereId, 7);
  await expect(unreadIn(mina, there)).toContainText('7');
  await expect(mina.page).toHaveTitle(`(7) ${here} · 마당`);
  // Once the pointer has left the list.
  await mina.composer.hover();
  await expect(mina.list.locator('.room-item').first()).toContainText(there);

  const second = await mina.newTab();
  await second.openRoom(`/rooms/${hereId}`);
  await expect(unreadIn(second, there)).toContainText('7');

  await mina.roomInList(there).click();
  await expect(mina.timeline.locator('.unread-line')).toBeInViewport();
  await expect(mina.messages).toHaveCount(8);
  await expect(unreadIn(mina, there)).toHaveCount(0);
  await expect(unreadIn(second, there)).toHaveCount(0);
  await expect(mina.page).toHaveTitle(`${there} · 마당`);
  // Frozen where one left off.
  await expect(mina.timeline.locator('.unread-line')).toHaveCount(1);
});

test('what is taken back before one has seen it is no longer counted, in any tab', async ({ newPerson, server }) => {
  const [mina, jun] = [await newPerson('mina'), await newPerson('jun')];
  const [here, there] = [unique('여기'), unique('저기')];
  const { roomId: hereId } = await server.createRoom(here);
  const link = await jun.createRoom(there);
  await jun.join();
  await jun.say('읽은 말');
  await mina.openRoom(link);
  await mina.join();
  await mina.sees('읽은 말');
  await mina.roomInList(here).click();
  await expect(mina.page.getByRole('heading', { level: 1 })).toHaveText(here);
  await jun.say('남는 말');
  await jun.say('거둘 말');
  await expect(unreadIn(mina, there)).toContainText('2');
  const second = await mina.newTab();
  await second.openRoom(`/rooms/${hereId}`);
  await expect(unreadIn(second, there)).toContainText('2');

  for (const text of ['읽은 말', '거둘 말']) await jun.act(text, '지우기');
  await jun.openHome();
  for (const tab of [mina, second]) {
    await expect(unreadIn(tab, there)).toContainText('1');
    await expect(tab.page).toHaveTitle(`(1) ${here} · 마당`);
  }
  await mina.page.reload();
  await expect(unreadIn(mina, there)).toContainText('1');
});

test('one\'s own words are unread in no tab of one\'s own', async ({ newPerson, newGuest, server }) => {
  const mina = await newPerson('mina');
  const [here, there] = [unique('여기'), unique('저기')];
  const { roomId: thereId } = await server.createRoom(there);
  await mina.createRoom(here);
  await mina.join();
  const sora = await newGuest('sora', mina.roomId);
  sora.talk(mina.roomId, '읽은 말');
  await mina.sees('읽은 말');
  const second = await mina.newTab();
  await second.openRoom(`/rooms/${thereId}`);
  const numbers = await second.page.evaluateHandle(() => {
    const seen: string[] = [];
    new MutationObserver(() => document.title !== seen.at(-1) && seen.push(document.title)).observe(document.querySelector('title')!, { childList: true });
    return seen;
  });
  await looks(mina, false);
  for (const text of ['첫째', '둘째', '셋째']) {
    await mina.say(text);
    await expect(second.roomInList(here)).toContainText(text);
  }
  sora.talk(mina.roomId, '남의 말');
  await expect(unreadIn(second, here)).toContainText('1');
  expect(await numbers.jsonValue(), 'what the title said').toEqual([`${there} · 마당`, `(1) ${there} · 마당`]);
});

test('of more than a hundred unread messages each tab says how many are left', async ({ newPerson, newGuest }) => {
  test.slow();
  const mina = await newPerson('mina');
  const there = unique('많이 밀린 방');
  const { link, elsewhere, texts } = await fallBehind(mina, newGuest, there, 180);
  const second = await mina.newTab();
  await second.openRoom(elsewhere);
  await expect(unreadIn(second, there)).toContainText('99+');

  // By its address, too, one comes to where one left off.
  await mina.openRoom(link);
  await expect(mina.timeline.locator('.unread-line')).toBeInViewport();
  await expect(mina.message(texts[0])).toBeInViewport();
  for (;;) {
    await expect
      .poll(async () => {
        const count = await below(mina, 181);
        const number = count >= 100 ? '99+' : count > 0 ? `${count}` : '';
        const shown = await Promise.all([mina, second].map(async (tab) => (await unreadIn(tab, there).allTextContents()).map((text) => text.match(/^\d+\+?/)?.[0]).join('')));
        return shown.every((text) => text === number) || `${shown} of ${number}`;
      })
      .toBe(true);
    if ((await below(mina, 181)) === 0) break;
    await mina.timeline.evaluate((timeline) => timeline.scrollBy(0, 1_200));
  }
});

test('whoever comes into a room has not seen what is below where they come, however often the page looks', async ({ newPerson, newGuest }) => {
  const mina = await newPerson('mina');
  const there = unique('조금 밀린 방');
  const { texts } = await fallBehind(mina, newGuest, there, 40);
  await expect(unreadIn(mina, there)).toContainText('40');
  await mina.page.evaluate(() => {
    const look = () => {
      window.dispatchEvent(new Event('resize'));
      requestAnimationFrame(look);
    };
    look();
  });
  await mina.roomInList(there).click();
  await expect(mina.timeline.locator('.unread-line')).toBeInViewport();
  await expect(mina.message(texts[0])).toBeInViewport();
  await expect(mina.message(texts[39])).not.toBeInViewport();
  await expect.poll(async () => Number.parseInt(await unreadIn(mina, there).innerText()) - (await below(mina, 41))).toBe(0);
});

test('what comes below as one reads on is not seen by that', async ({ newPerson, newGuest, server }) => {
  const mina = await newPerson('mina');
  // Never here before: how much there is to read is known to the last of more than a hundred.
  const { roomId } = await server.createRoom(unique('밀린 방'));
  const link = `/rooms/${roomId}`;
  await mina.createRoom(unique('딴 방'));
  await mina.join();
  const sora = await newGuest('sora', roomId);
  await mina.openHome();
  const texts = burst(sora, roomId, 150);
  await sora.hears({ type: 'TALK', message: texts.at(-1) });
  await mina.openRoom(`${link}?at=20#m-20`);
  await mina.reads(texts.slice(0, 50));
  let step = 0;
  while ((await mina.messages.count()) < texts.length) {
    expect(step++, 'steps').toBeLessThan(200);
    await mina.timeline.evaluate((timeline) => timeline.scrollBy(0, 100));
    await expect.poll(async () => Number((await mina.page.title()).match(/\((\d+)\)/)?.[1]) - (await below(mina, 150))).toBe(0);
  }
});

test('nobody reads in a window without the focus', async ({ newPerson, newGuest }) => {
  const mina = await newPerson('mina');
  const name = unique('딴 창을 보는 방');
  await mina.createRoom(name);
  await mina.join();
  const sora = await newGuest('sora', mina.roomId);
  sora.talk(mina.roomId, '보고 있을 때');
  await mina.sees('보고 있을 때');
  await expect(mina.page).toHaveTitle(`${name} · 마당`);

  await looks(mina, false);
  burst(sora, mina.roomId, 3);
  await expect(mina.page).toHaveTitle(`(3) ${name} · 마당`);
  await expect(mina.timeline.locator('.unread-line')).toHaveCount(1);
  await looks(mina, true);
  await expect(mina.page).toHaveTitle(`${name} · 마당`);
});

test('whoever made a room and looks away hears how much was said in it', async ({ newPerson, newGuest }) => {
  const mina = await newPerson('mina');
  const name = unique('아직 빈 방');
  await mina.createRoom(name);
  await mina.join();
  const second = await mina.newTab();
  await second.openHome();
  // It was looked at, which takes a frame or two.
  await mina.page.bringToFront();
  await mina.page.evaluate(async () => {
    for (let frame = 0; frame < 10; frame++) await new Promise((drawn) => requestAnimationFrame(drawn));
  });
  await looks(mina, false);
  await looks(second, false);
  burst(await newGuest('sora', mina.roomId), mina.roomId, 3);
  await expect(mina.page).toHaveTitle(`(3) ${name} · 마당`);
  await expect(mina.timeline.locator('.unread-line')).toHaveCount(1);
  await expect(unreadIn(mina, name)).toContainText('3');
  await expect(unreadIn(second, name)).toContainText('3');
});

test('further up one has not read what is below, and the way down says how much that is', async ({ newPerson, newGuest }) => {
  const mina = await newPerson('mina');
  const name = unique('위를 읽는 방');
  await mina.createRoom(name);
  await mina.join();
  const sora = await newGuest('sora', mina.roomId);
  const texts = burst(sora, mina.roomId, 60);
  await expect(mina.message(texts[59])).toBeInViewport();
  await expect(mina.page.locator('#to-latest')).toBeHidden();
  await mina.message(texts[5]).scrollIntoViewIfNeeded();
  await expect(mina.page.locator('#to-latest')).toHaveText('최근 메시지로');
  for (const text of ['둘이', '더']) sora.talk(mina.roomId, text);
  await expect(mina.page.locator('#to-latest')).toHaveText('새 메시지 2개');
  await expect(mina.page).toHaveTitle(`(2) ${name} · 마당`);
  await mina.page.locator('#to-latest').click();
  await expect(mina.message('더')).toBeInViewport();
  await expect(mina.page).toHaveTitle(`${name} · 마당`);
  await expect(mina.page.locator('#to-latest')).toBeHidden();
});

test('whoever marks a message unread finds it so in every tab, and when they come back', async ({ newPerson, newGuest, server }) => {
  const mina = await newPerson('mina');
  const [name, elsewhere] = [unique('나중에 볼 방'), unique('딴 방')];
  const { roomId } = await server.createRoom(elsewhere);
  await mina.createRoom(name);
  const link = mina.page.url();
  await mina.join();
  const sora = await newGuest('sora', mina.roomId);
  const texts = burst(sora, mina.roomId, 4);
  await mina.sees(texts[3]);
  const second = await mina.newTab();
  await second.openRoom(`/rooms/${roomId}`);
  await expect(unreadIn(second, name)).toHaveCount(0);

  await mina.act(texts[1], '여기부터 안 읽음');
  await expect(mina.page).toHaveTitle(`(3) ${name} · 마당`);
  await expect(unreadIn(second, name)).toContainText('3');
  await mina.roomInList(elsewhere).click();
  await expect(unreadIn(mina, name)).toContainText('3');
  await mina.openRoom(link);
  await expect(mina.timeline.locator('.unread-line')).toHaveCount(1);
  await expect(unreadIn(second, name)).toHaveCount(0);
});

test('who marks something unread and then speaks has read it', async ({ newPerson, newGuest }) => {
  const mina = await newPerson('mina');
  const name = unique('다시 읽은 방');
  await mina.createRoom(name);
  await mina.join();
  const sora = await newGuest('sora', mina.roomId);
  sora.talk(mina.roomId, '나중에 볼 말');
  await mina.sees('나중에 볼 말');
  await mina.act('나중에 볼 말', '여기부터 안 읽음');
  await expect(mina.page).toHaveTitle(`(1) ${name} · 마당`);
  await mina.say('지금 봤어요');
  await expect(mina.page).toHaveTitle(`${name} · 마당`);
});
