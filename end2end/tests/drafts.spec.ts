import { expect, test, unique } from './people';

test('a draft belongs to its room: it is never sent to another, however fast one goes', async ({ newPerson, server }) => {
  const mina = await newPerson('mina');
  const names = [unique('첫 방'), unique('둘째 방')];
  const rooms = [];
  for (const name of names) rooms.push((await server.createRoom(name)).roomId);
  await mina.openRoom(`/rooms/${rooms[0]}`);
  await mina.join();

  for (let round = 0; round < 10; round++) {
    const [here, there] = [round % 2, (round + 1) % 2];
    await mina.composer.fill(`${here}번 방의 ${round}`);
    // The click and the Enter meet: the text goes to the room that it was written for, or stays there.
    await Promise.all([mina.roomInList(names[there]).click(), mina.composer.press('Enter')]);
    await expect(mina.page.getByRole('heading', { level: 1 })).toHaveText(names[there]);
    await mina.isLive();
  }
  let sent = 0;
  for (const [number, roomId] of rooms.entries()) {
    const texts = (await server.messages(roomId)).map(({ message }) => message);
    for (const text of texts) expect(text).toMatch(new RegExp(`^${number}번 방의 `));
    sent += texts.length;
  }
  expect(sent).toBeGreaterThan(0);
});

test('what is written after a room was chosen is for that room, though it is not on screen yet', async ({ newPerson, server, faults }) => {
  faults.allow(/net::ERR_FAILED/);
  const mina = await newPerson('mina');
  const [here, there] = [unique('떠나는 방'), unique('가는 방')];
  const { roomId: goal } = await server.createRoom(there);
  await mina.createRoom(here);
  await mina.join();
  const { page, roomId } = mina;
  const { keyboard } = page;
  await mina.composer.fill('여기 남을 글');
  const go = async (room: string) => {
    await keyboard.press('Control+k');
    await keyboard.type(room);
    await keyboard.press('Enter');
  };
  const said = async (room: string) => (await server.messages(room)).map(({ message }) => message);

  let arrive = await mina.holdRoomPage();
  await go(there);
  for (const text of ['거기서 할 말', '한마디 더']) {
    await keyboard.type(text);
    await keyboard.press('Enter');
  }
  await keyboard.type('쓰다 만 글');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(here);
  arrive();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(there);
  await mina.reads(['거기서 할 말', '한마디 더']);
  await mina.sees('한마디 더');
  await expect(mina.composer).toHaveValue('쓰다 만 글');

  await go(here);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(here);
  await expect(mina.composer).toHaveValue('여기 남을 글');
  arrive = await mina.holdRoomPage();
  await go(there);
  await expect(mina.composer).toHaveValue('쓰다 만 글');
  await keyboard.press('Enter');
  await keyboard.type('가서 마저 쓸 글');
  arrive(false);
  await expect(page.locator('#composer-error')).toContainText('연결할 수 없습니다');
  await expect(mina.composer).toHaveValue('여기 남을 글');
  // What is typed on was meant for there.
  await expect(mina.composer).not.toBeFocused();
  // What was said there needs nobody to be there.
  await expect.poll(() => said(goal)).toEqual(['거기서 할 말', '한마디 더', '쓰다 만 글']);
  await go(there);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(there);
  await expect(mina.composer).toHaveValue('가서 마저 쓸 글');
  await mina.reads(['거기서 할 말', '한마디 더', '쓰다 만 글']);
  expect(await said(roomId)).toEqual([]);
});

test('what is written after a room was clicked is for that room, though it comes late', async ({ newPerson, server }) => {
  const mina = await newPerson('mina');
  const there = unique('느린 방');
  const { roomId } = await server.createRoom(there);
  await mina.createRoom(unique('떠나는 방'));
  await mina.join();
  const arrive = await mina.holdRoomPage();
  await mina.roomInList(there).click();
  await mina.page.keyboard.type('바로 쓴 말');
  arrive();
  await expect(mina.page.getByRole('heading', { level: 1 })).toHaveText(there);
  await mina.page.keyboard.press('Enter');
  await mina.sees('바로 쓴 말');
  expect((await server.messages(roomId)).map(({ message }) => message)).toEqual(['바로 쓴 말']);
});

test('an answer that was begun in a room is one, however soon it is sent on coming back', async ({ newPerson, newGuest, server }) => {
  const mina = await newPerson('mina');
  const { page } = mina;
  const there = unique('다른 방');
  await server.createRoom(there);
  const here = unique('답하던 방');
  await mina.createRoom(here);
  await mina.join();
  const { roomId } = mina;
  const sora = await newGuest('sora', roomId);
  sora.talk(roomId, '물음');
  await mina.sees('물음');
  await mina.act('물음', '답하기');
  await mina.composer.fill('대답');
  await mina.roomInList(there).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(there);
  const arrive = await mina.holdRoomPage();
  await mina.roomInList(here).click();
  await expect(mina.composer).toHaveValue('대답');
  await mina.composer.press('Enter');
  arrive();
  await expect(mina.message('대답').locator('.quote')).toContainText('물음');
  await expect(mina.composer).toHaveValue('');
});

test('a change that is written on the way to its room outlives the page', async ({ newPerson, server }) => {
  const mina = await newPerson('mina');
  const { page } = mina;
  const [here, there] = [unique('고치던 방'), unique('다른 방')];
  await server.createRoom(there);
  const url = await mina.createRoom(here);
  await mina.join();
  await mina.say('처음 글');
  await mina.sees('처음 글');
  await mina.composer.press('ArrowUp');
  await expect(mina.composer).toHaveValue('처음 글');
  await mina.roomInList(there).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(there);
  await mina.holdRoomPage();
  await mina.roomInList(here).click();
  await expect(mina.composer).toHaveValue('처음 글');
  await mina.composer.fill('고친 글');
  await mina.openRoom(url);
  await expect(mina.composer).toHaveValue('고친 글');
  await mina.composer.press('Enter');
  await mina.sees('고친 글');
});

test('a draft waits in its room, over a reload, and shows in the list', async ({ newPerson, server }) => {
  const mina = await newPerson('mina');
  const [here, there] = [unique('쓰던 방'), unique('다른 방')];
  await server.createRoom(there);
  await mina.createRoom(here);
  await mina.join();
  await mina.composer.fill('쓰다 만 글');
  await mina.roomInList(there).click();
  await expect(mina.page.getByRole('heading', { level: 1 })).toHaveText(there);
  await expect(mina.composer).toHaveValue('');
  await expect(mina.roomInList(here)).toContainText('쓰다 만 글');
  await mina.page.reload();
  await mina.isLive();
  await expect(mina.composer).toHaveValue('');
  await mina.roomInList(here).click();
  await expect(mina.composer).toHaveValue('쓰다 만 글');
  await mina.composer.press('Enter');
  await mina.sees('쓰다 만 글');
  expect(await mina.page.evaluate(() => Object.keys(localStorage))).toEqual([]);
});

test('what is typed before the page has woken up is a draft, too, and comes after the one that was there', async ({ newPerson }) => {
  const mina = await newPerson('mina');
  const [here, there] = [unique('쓰는 방'), unique('다른 방')];
  await mina.createRoom(there);
  await mina.join();
  await mina.createRoom(here);
  await mina.composer.fill('먼저 쓴 글');
  const wake = await mina.reloadAsleep();
  await mina.composer.fill('이어 쓴 글');
  // A plain link, as yet.
  await mina.roomInList(there).click();
  await expect(mina.page.getByRole('heading', { level: 1 })).toHaveText(there);
  await wake();
  await expect(mina.composer).toHaveValue('');
  await mina.roomInList(here).click();
  await expect(mina.composer).toHaveValue('먼저 쓴 글\n이어 쓴 글');
});

test('what is sent before the page has woken up is no draft any more', async ({ newPerson }) => {
  const mina = await newPerson('mina');
  await mina.createRoom(unique('급한 방'));
  await mina.join();
  const wake = await mina.reloadAsleep();
  await mina.composer.fill('단추로 보낸 말');
  await mina.page.getByRole('button', { name: '보내기' }).click();
  await mina.reads(['단추로 보낸 말']);
  await wake();
  await expect(mina.composer).toHaveValue('');
});

test('two tabs share a draft', async ({ newPerson }) => {
  const mina = await newPerson('mina');
  const link = await mina.createRoom(unique('두 창 방'));
  await mina.join();
  const other = await mina.newTab();
  await other.openRoom(link);
  await mina.composer.fill('여기서 쓰기 시작해서');
  await expect(other.composer).toHaveValue('여기서 쓰기 시작해서');
  await other.composer.fill('여기서 마칩니다');
  await other.composer.press('Enter');
  await mina.sees('여기서 마칩니다');
  await expect(mina.composer).toHaveValue('');
});

test('what was said in a room that one has left meanwhile is sent all the same, in order', async ({ newPerson, ownServer, faults }) => {
  faults.allow(/WebSocket connection to .* failed|net::ERR_CONNECTION_REFUSED|net::ERR_CONNECTION_RESET|Failed to fetch/);
  const mina = await newPerson('mina', { server: ownServer });
  const [here, there] = [unique('두고 온 방'), unique('간 방')];
  const { roomId } = await ownServer.createRoom(here);
  const other = await ownServer.createRoom(there);
  await mina.openRoom(`/rooms/${roomId}`);
  await mina.join();
  await mina.page.routeWebSocket('**/ws/chat', (page) => page.close());
  await mina.page.reload();
  for (const text of ['하나', '둘', '셋']) await mina.say(text);
  await mina.roomInList(there).click();
  await expect(mina.page.getByRole('heading', { level: 1 })).toHaveText(there);
  await expect(mina.roomInList(here)).toContainText('보내지 못한 메시지');
  const next = await mina.newTab();
  await mina.page.close();
  await next.openRoom(`/rooms/${other.roomId}`);
  await expect.poll(async () => (await ownServer.messages(roomId)).map(({ message }) => message)).toEqual(['하나', '둘', '셋']);
  await expect(next.roomInList(here)).toContainText('셋');
});
