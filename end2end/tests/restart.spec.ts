import type { WebSocketRoute } from '@playwright/test';
import { burst, Guest } from './guests';
import { expect, test, unique, type Person } from './people';
import type { Server } from './server';

/** Somebody in a room of their own where they have said this, and whose server is gone. */
async function cutOff(mina: Person, server: Server, room: string, ...said: string[]): Promise<void> {
  await mina.createRoom(unique(room));
  await mina.join();
  await mina.isLive();
  for (const text of said) {
    await mina.say(text);
    await mina.sees(text);
  }
  await server.kill();
  await expect(mina.connection).not.toHaveAttribute('data-state', 'live');
}

/** The server is there again, and so is the page. */
async function comesBack(mina: Person, server: Server): Promise<void> {
  await server.start();
  await expect(mina.connection).toHaveAttribute('data-state', 'live', { timeout: 40_000 });
}

test('after a power cut the page comes back by itself, with everything said and everything it still had to say', async ({ newPerson, ownServer }) => {
  const [mina, jun] = [await newPerson('mina', { server: ownServer }), await newPerson('jun', { server: ownServer })];
  const link = await mina.createRoom(unique('끊기는 방'));
  await mina.join();
  await jun.openRoom(link);
  await jun.join();
  await mina.say('끊기기 전');
  await jun.sees('끊기기 전');

  await ownServer.kill();
  await expect(mina.connection).not.toHaveAttribute('data-state', 'live');
  await expect(mina.page.getByRole('status')).toContainText('연결이 끊겼습니다');
  await mina.say('끊긴 동안');
  await expect(mina.message('끊긴 동안')).toHaveClass(/message-sending/);

  await ownServer.start();
  for (const person of [mina, jun]) {
    await expect(person.connection).toHaveAttribute('data-state', 'live', { timeout: 40_000 });
    await person.sees('끊긴 동안');
  }
  await expect(mina.page.getByRole('status')).toHaveText('');
  await jun.say('다시 만났네요');
  await mina.sees('다시 만났네요');
  const said = ['끊기기 전', '끊긴 동안', '다시 만났네요'];
  for (const person of [mina, jun]) await person.reads(said);
  expect((await ownServer.messages(mina.roomId)).map(({ message }) => message)).toEqual(said);

  await mina.page.reload();
  await mina.reads(said);
});

test('what others said meanwhile is there after a reconnect, by the button at once', async ({ newPerson, ownServer }) => {
  const mina = await newPerson('mina', { server: ownServer });
  await mina.createRoom(unique('잠깐 나간 방'));
  await mina.join();
  await mina.say('나가기 전');
  await mina.sees('나가기 전');

  await ownServer.kill();
  await expect(mina.page.getByRole('status')).toContainText('연결이 끊겼습니다');
  await ownServer.start();
  const sora = await Guest.enter(ownServer, mina.roomId, 'sora');
  sora.talk(mina.roomId, '없는 사이에');
  await sora.hears({ type: 'TALK', message: '없는 사이에' });
  const retry = mina.page.getByRole('button', { name: '다시 연결' });
  // The page may come back by itself under the pointer.
  await Promise.race([retry.click().catch(() => {}), mina.isLive()]);

  await mina.isLive();
  await mina.reads(['나가기 전', '없는 사이에']);
  await sora.leave();
});

test('what was said while the server was away outlives the page, and is sent once by the next one', async ({ newPerson, ownServer }) => {
  const mina = await newPerson('mina', { server: ownServer });
  const link = await mina.createRoom(unique('창이 닫힌 방'));
  await mina.join();
  await ownServer.kill();
  await mina.say('첫째');
  await mina.say('둘째');
  const next = await mina.newTab();
  await mina.page.close();

  await ownServer.start();
  await next.openRoom(link);
  await next.sees('둘째');
  await next.reads(['첫째', '둘째']);
  const stored = async () => (await ownServer.messages(next.roomId)).map(({ message }) => message);
  expect(await stored()).toEqual(['첫째', '둘째']);
  expect(await next.page.evaluate(() => Object.keys(localStorage))).toEqual([]);

  // Nothing is left for a third one.
  await next.page.reload();
  await next.isLive();
  await next.reads(['첫째', '둘째']);
  expect(await stored()).toEqual(['첫째', '둘째']);
});

test('a line on which nothing comes any more is given up within half a minute', async ({ newPerson, newGuest }) => {
  const mina = await newPerson('mina');
  let [silent, isOpening] = [false, false];
  await mina.page.routeWebSocket('**/ws/chat', (page) => {
    const server = page.connectToServer();
    isOpening = true;
    page.onMessage((message) => {
      isOpening = false;
      server.send(message);
    });
    // A line loses everything from some moment on, or nothing.
    let isDead = false;
    server.onMessage((message) => {
      isDead ||= silent;
      if (!isDead) page.send(message);
    });
  });
  await mina.page.clock.install();
  await mina.createRoom(unique('먹통이 된 방'));
  await mina.join();
  const sora = await newGuest('sora', mina.roomId);

  silent = true;
  sora.talk(mina.roomId, '들리나요');
  await sora.hears({ type: 'TALK', message: '들리나요' });
  await mina.page.clock.runFor(27_000);
  await expect(mina.connection).not.toHaveAttribute('data-state', 'live');
  await mina.doesNotSee('들리나요');
  silent = false;
  await expect(async () => {
    // The page's clock stands still while a socket opens: that takes real time, and is not to be given up for it.
    if (!isOpening) await mina.page.clock.runFor(5_000);
    await expect(mina.message('들리나요')).toHaveCount(1, { timeout: 500 });
  }).toPass();
  await mina.isLive();
});

test('what was changed while the server was away is changed once it is back', async ({ newPerson, ownServer }) => {
  const mina = await newPerson('mina', { server: ownServer });
  await cutOff(mina, ownServer, '고치는 방', '열시');
  const link = mina.page.url();
  await mina.composer.press('ArrowUp');
  await mina.composer.fill('열한시');
  await mina.composer.press('Enter');
  await expect(mina.composer).toHaveValue('');
  // Even if the page that asked for it is gone.
  const next = await mina.newTab();
  await mina.page.close();
  await ownServer.start();
  await next.openRoom(link);
  // Shown at once, and kept until the server has answered.
  await next.reads(['열한시']);
  await expect.poll(() => next.page.evaluate(() => Object.keys(localStorage))).toEqual([]);
  await expect.poll(async () => (await ownServer.messages(next.roomId)).map(({ message }) => message)).toEqual(['열한시']);
});

test('a message that does not come through says so after ten seconds, and can be taken back', async ({ newPerson }) => {
  const mina = await newPerson('mina');
  await mina.createRoom(unique('막힌 방'));
  await mina.join();
  let isOpen = false;
  await mina.page.routeWebSocket('**/ws/chat', (page) => (isOpen ? page.connectToServer() : page.close()));
  await mina.page.reload();
  await expect(mina.connection).toBeVisible();
  await mina.say('나가지 못하는 말');
  await mina.say('이것도');
  const stuck = mina.message('나가지 못하는 말');
  await expect(stuck.locator('.message-waiting')).toBeVisible();
  await expect(stuck.getByRole('button', { name: '지우기' })).toBeHidden();
  await expect(mina.page.getByRole('status')).toContainText('연결이 끊겼습니다');
  await mina.message('이것도').getByRole('button', { name: '고치기' }).click({ timeout: 20_000 });
  await expect(mina.composer).toHaveValue('이것도');
  await stuck.getByRole('button', { name: '지우기' }).click();
  await expect(mina.texts).toHaveCount(0);
  isOpen = true;
  await mina.composer.press('Enter');
  await mina.page.getByRole('button', { name: '다시 연결' }).click();
  await expect(mina.connection).toHaveAttribute('data-state', 'live', { timeout: 40_000 });
  await mina.sees('이것도');
  expect((await mina.server.messages(mina.roomId)).map(({ message }) => message)).toEqual(['이것도']);
  await expect(mina.page.locator('#composer-error')).toBeHidden();
});

test('what was said offline arrives in its order, however much the server takes at once', async ({ newPerson, ownServer }) => {
  test.slow();
  const mina = await newPerson('mina', { server: ownServer });
  await cutOff(mina, ownServer, '말이 밀린 방');
  const texts = Array.from({ length: 45 }, (_, index) => `밀린 말 ${index}`);
  for (const text of texts) await mina.say(text);
  // With the limits that it has when nobody says otherwise: fewer than these at once.
  await ownServer.start([]);
  await expect(mina.connection).toHaveAttribute('data-state', 'live', { timeout: 40_000 });
  await mina.say('그 뒤에 한 말');
  texts.push('그 뒤에 한 말');
  await expect(mina.timeline.locator('.message-sending')).toHaveCount(0, { timeout: 30_000 });
  await mina.reads(texts);
  expect((await ownServer.messages(mina.roomId)).map(({ message }) => message)).toEqual(texts);
});

test('what was changed offline is shown so, as on its way, until it is', async ({ newPerson, ownServer }) => {
  const mina = await newPerson('mina', { server: ownServer });
  await cutOff(mina, ownServer, '고치고 기다린 방', '열시');
  await mina.composer.press('ArrowUp');
  await mina.composer.fill('열한시');
  await mina.composer.press('Enter');
  await mina.reads(['열한시']);
  await expect(mina.messages).toHaveClass(/message-sending/);
  await mina.composer.press('ArrowUp');
  await expect(mina.composer).toHaveValue('열한시');
  await mina.composer.press('Escape');
  await comesBack(mina, ownServer);
  await expect(mina.messages).not.toHaveClass(/message-sending/);
  await expect(mina.messages.locator('.message-edited')).toBeVisible();
  expect((await ownServer.messages(mina.roomId)).map(({ message }) => message)).toEqual(['열한시']);
});

test('a room that cannot be reached is not opened, and the page says so', async ({ newPerson, ownServer }) => {
  const mina = await newPerson('mina', { server: ownServer });
  await ownServer.createRoom('먼 방');
  await cutOff(mina, ownServer, '가까운 방', '남은 말');
  await mina.roomInList('먼 방').click();
  await expect(mina.page.locator('#composer-error')).toContainText('서버에 연결할 수 없습니다');
  await mina.reads(['남은 말']);
  await comesBack(mina, ownServer);
  await mina.roomInList('먼 방').click();
  await mina.reads([]);
  await expect(mina.page.locator('#composer-error')).toBeHidden();
});

test('a reaction put offline is shown at once, taken away by a second press, and stored as it was last', async ({ newPerson, ownServer }) => {
  const mina = await newPerson('mina', { server: ownServer });
  await cutOff(mina, ownServer, '멀리서 공감한 방', '좋은 소식');
  const [thumb, party] = ['👍', '🎉'].map((emoji) => mina.messages.locator('.reaction', { hasText: emoji }));
  await mina.act('좋은 소식', '👍');
  await expect(thumb).toHaveAttribute('aria-pressed', 'true');
  await mina.act('좋은 소식', '🎉');
  await party.click();
  await expect(party).toHaveCount(0);
  await expect(mina.messages, 'its text is stored').not.toHaveClass(/message-sending/);
  await comesBack(mina, ownServer);
  await expect.poll(async () => (await ownServer.messages(mina.roomId))[0].reactions).toEqual([{ emoji: '👍', by: [mina.name] }]);
  await expect(mina.messages.locator('.reaction')).toHaveCount(1);
});

test('a reaction put offline outlives the page', async ({ newPerson, ownServer }) => {
  const mina = await newPerson('mina', { server: ownServer });
  await mina.createRoom(unique('멀리서 공감하고 나간 방'));
  await mina.join();
  const sora = await Guest.enter(ownServer, mina.roomId, 'sora');
  const texts = burst(sora, mina.roomId, 3);
  await mina.reads(texts);
  await ownServer.kill();
  await expect(mina.connection).not.toHaveAttribute('data-state', 'live');
  await mina.act(texts[0], '👍');
  await mina.act(texts[1], '🎉');
  await mina.act(texts[0], '👍');
  await mina.act(texts[0], '❤️');
  await mina.page.goto('about:blank');
  await ownServer.start();
  await mina.page.goBack();
  const reactions = async () => (await ownServer.messages(mina.roomId)).map((message) => (message.reactions ?? []).map(({ emoji }) => emoji));
  await expect.poll(reactions).toEqual([['❤️'], ['🎉'], []]);
  await expect(mina.messages.locator('.reaction')).toHaveCount(2);
});

test('what was deleted offline is deleted, also by who leaves the page', async ({ newPerson, ownServer }) => {
  const mina = await newPerson('mina', { server: ownServer });
  await cutOff(mina, ownServer, '지우고 나간 방', '지울 말');
  await mina.act('지울 말', '지우기');
  await expect(mina.message('되돌리기')).toBeVisible();
  await mina.page.goto('about:blank');
  await ownServer.start();
  await mina.page.goBack();
  await expect.poll(async () => (await ownServer.messages(mina.roomId))[0].deleted).toBe(true);
});

test('after a long absence one is at the end, with a way back to where one left off', async ({ newPerson, newGuest }) => {
  test.slow();
  const mina = await newPerson('mina');
  await mina.createRoom(unique('오래 비운 방'));
  await mina.join();
  await mina.say('떠나기 전');
  await mina.sees('떠나기 전');
  const lines: WebSocketRoute[] = [];
  let isOpen = true;
  await mina.page.routeWebSocket('**/ws/chat', (page) => {
    lines.push(page);
    if (isOpen) page.connectToServer();
    else page.close();
  });
  await mina.page.reload();
  await mina.isLive();
  isOpen = false;
  for (const line of lines) await line.close();
  await expect(mina.connection).not.toHaveAttribute('data-state', 'live');
  const sora = await newGuest('sora', mina.roomId);
  const texts = burst(sora, mina.roomId, 600);
  await sora.hears({ type: 'TALK', message: texts.at(-1) });
  isOpen = true;
  await expect(mina.connection).toHaveAttribute('data-state', 'live', { timeout: 40_000 });
  await mina.sees(texts.at(-1)!);
  await expect(mina.message('떠나기 전')).toHaveCount(0);
  await mina.page.locator('.to-left-off').click();
  await expect(mina.page.locator('#unread')).toBeInViewport();
  await expect(mina.message('떠나기 전')).toBeVisible();
  await expect(mina.page.locator('#unread + .message .message-body')).toHaveText(texts[0]);
  await expect(mina.page.locator('.to-left-off')).toHaveCount(0);
});

test('what the server refuses says so, and can be sent again, rewritten or given up', async ({ newPerson, server }) => {
  const mina = await newPerson('mina');
  await mina.createRoom(unique('거절하는 방'));
  await mina.join();
  let refuses = true;
  await mina.refuses(() => refuses);
  const texts = ['다시 보낼 말', '고쳐 쓸 말', '그만둘 말'];
  for (const text of texts) {
    await mina.say(text);
    await expect(mina.message(text).getByRole('alert')).toContainText('보내지 못했습니다');
  }
  refuses = false;
  await mina.message('그만둘 말').getByRole('button', { name: '지우기' }).click();
  await mina.message('고쳐 쓸 말').getByRole('button', { name: '고치기' }).click();
  await expect(mina.composer).toHaveValue('고쳐 쓸 말');
  await mina.composer.fill('고쳐 쓴 말');
  await mina.composer.press('Enter');
  await mina.sees('고쳐 쓴 말');
  await mina.message('다시 보낼 말').getByRole('button', { name: '다시 보내기' }).click();
  await mina.sees('다시 보낼 말');
  await mina.reads(['고쳐 쓴 말', '다시 보낼 말']);
  expect((await server.messages(mina.roomId)).map(({ message }) => message)).toEqual(['고쳐 쓴 말', '다시 보낼 말']);
});

test('what was refused last is sent again, and what follows it too', async ({ newPerson, server }) => {
  const mina = await newPerson('mina');
  await mina.createRoom(unique('한 번 거절한 방'));
  await mina.join();
  let refuses = true;
  await mina.refuses(() => refuses);
  await mina.say('다시 보낼 말');
  await expect(mina.message('다시 보낼 말').getByRole('alert')).toContainText('보내지 못했습니다');
  refuses = false;
  await mina.message('다시 보낼 말').getByRole('button', { name: '다시 보내기' }).click();
  await mina.sees('다시 보낼 말');
  await mina.say('그다음 말');
  await mina.sees('그다음 말');
  expect((await server.messages(mina.roomId)).map(({ message }) => message)).toEqual(['다시 보낼 말', '그다음 말']);
});

test('an answer that was refused is still one after it was written anew', async ({ newPerson }) => {
  const mina = await newPerson('mina');
  await mina.createRoom(unique('고쳐 답한 방'));
  await mina.join();
  await mina.say('물음');
  await mina.sees('물음');
  let refuses = true;
  await mina.refuses(() => refuses);
  await mina.act('물음', '답하기');
  await mina.say('대답');
  await expect(mina.message('대답').getByRole('alert')).toContainText('보내지 못했습니다');
  refuses = false;
  await mina.message('대답').getByRole('button', { name: '고치기' }).click();
  await mina.composer.fill('고친 대답');
  await mina.composer.press('Enter');
  await mina.sees('고친 대답');
  await expect(mina.message('고친 대답').locator('.quote')).toContainText('물음');
});

test('a page opened without a server is the one kept for that, and leads back; nothing that people said is kept', async ({ newPerson, ownServer }) => {
  const mina = await newPerson('mina', { server: ownServer });
  const link = await mina.createRoom(unique('꺼지는 방'));
  await mina.join();
  await mina.say('남의 기기에 남지 않을 말');
  await mina.sees('남의 기기에 남지 않을 말');
  await mina.page.evaluate(() => navigator.serviceWorker.ready);
  await mina.page.reload();
  await mina.isLive();
  await mina.composer.fill('쓰다 만 글');
  await ownServer.kill();

  await mina.page.goto(link);
  await expect(mina.page.getByRole('heading', { name: '마당에 연결할 수 없습니다' })).toBeVisible();
  const kept = await mina.page.evaluate(async () => {
    const caches = await Promise.all((await self.caches.keys()).map((name) => self.caches.open(name)));
    return (await Promise.all(caches.map((cache) => cache.keys()))).flat().map(({ url }) => new URL(url).pathname);
  });
  expect(kept.sort()).toEqual(['/favicon.svg', '/offline.css', '/offline.html']);

  await ownServer.start();
  await mina.page.getByRole('link', { name: 'Try again' }).click();
  await mina.sees('남의 기기에 남지 않을 말');
  await expect(mina.composer).toHaveValue('쓰다 만 글');
});
